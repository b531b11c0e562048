"""Our registration with the server, wrong in each way, and servers that do not let one find out."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace

import pytest

from imanage.types import AppCredentials
from models import Server
from services.servers.packages import packages
from services.servers.packages.packages import NewPackage
from simulator import Fault, Simulator, practice_password
from tests.support.loopback_servers import line, ok
from tests.support.people import actor_of, make_member
from tests.support.practice import CLIENT_ID, practice_server
from tests.support.server_checks import UNKNOWN_SIGN_IN, Checked, checked, page, server_at, site
from tests.support.settings import change_settings

OURS = "http://127.0.0.1:8000/auth/v0/oauth2/authorized"
AUTHORIZE, TOKEN = "/auth/oauth2/authorize", "/auth/oauth2/token"
KEYS = ("sign_in_page", "client_id", "redirect_url", "secret")


@pytest.fixture
def server(practice: Simulator) -> Iterator[Server]:
    """A server row with the right credentials; the application's registration is put back afterwards."""
    kept = practice.world.apps[0]
    yield practice_server(practice)
    practice.world.add_app(kept)


def register(practice: Simulator, redirect_url: str) -> None:
    practice.world.add_app(replace(practice.world.apps[0], redirect_uris=(redirect_url,)))


def test_all_is_well(server: Server, practice: Simulator) -> None:
    found = checked(server)
    assert all(found.says(key, "pass") for key in KEYS)
    assert found.report.state == "healthy"
    assert practice_password(CLIENT_ID) not in str(found.report)


@pytest.mark.parametrize(
    ("registered", "code"),
    [
        ("http://127.0.0.1:8000/auth/v0/OAuth2/authorized", "redirect.letter_case"),
        ("http://127.0.0.1:8000/Auth/V0/Oauth2/Authorized", "redirect.letter_case"),
        ("https://127.0.0.1:8000/auth/v0/oauth2/authorized", "redirect.scheme"),
        (f"{OURS}/", "redirect.trailing_slash"),
        (f"{OURS} ", "redirect.spaces"),
        (f" {OURS}", "redirect.spaces"),
        ("http://localhost:8000/auth/v0/oauth2/authorized", "redirect.host"),
        ("http://127.0.0.1/auth/v0/oauth2/authorized", "redirect.host"),
        ("http://127.0.0.1:8000/auth/oauth2/authorized", "redirect.path"),
        ("http://127.0.0.1:8000/", "redirect.path"),
    ],
)
def test_the_redirect_url_differs_and_how(
    server: Server, practice: Simulator, registered: str, code: str
) -> None:
    register(practice, registered)
    found = checked(server)
    assert found.says("sign_in_page", "pass")
    assert found.says("client_id", "pass")
    assert found.says("redirect_url", "fail", code, "your iManage admin")
    assert found.fact("redirect_url", "Our redirect URL") == OURS
    assert found.fact("redirect_url", "Registered in iManage") == registered.replace(" ", "␠")
    assert found.says("secret", "pass")


def test_a_redirect_url_on_our_other_host(server: Server, practice: Simulator) -> None:
    """The API has a host of its own, and iManage was given the public one."""
    change_settings(api_url="https://api.firm.test", public_url="https://work.firm.test")
    register(practice, "https://work.firm.test/auth/v0/oauth2/authorized")
    assert checked(server).says("redirect_url", "fail", "redirect.host")


def test_a_redirect_url_of_something_else(server: Server, practice: Simulator) -> None:
    register(practice, "https://elsewhere.test/some/where")
    assert checked(server).says("redirect_url", "fail", "redirect.mismatch", "your iManage admin")
    practice.forget_requests()
    assert checked(server, thorough=False).says("redirect_url", "fail", "redirect.mismatch")
    assert sum(AUTHORIZE in call.path for call in practice.requests) <= 3


def test_a_mismatch_that_the_page_does_not_name() -> None:
    """It only says that something went wrong: that a stranger is told something else gives it away."""
    pages = {
        f"authorize.*client_id={CLIENT_ID}": page(b"400 Bad Request", b"Something went wrong"),
        "authorize": page(b"400 Bad Request", b"Who is asking?"),
        "GET /api ": ok(UNKNOWN_SIGN_IN),
    }
    with line(site(pages)) as there:
        found = checked(server_at(f"http://127.0.0.1:{there.port}", client_id=CLIENT_ID))
    assert found.says("client_id", "pass")
    assert found.says("redirect_url", "fail", "redirect.mismatch")


def test_an_unknown_client(server: Server, practice: Simulator) -> None:
    found = checked(server, credentials=AppCredentials("somebody-else", "a secret of theirs"))
    assert found.says("client_id", "fail", "client.unknown", "you")
    assert found.says("redirect_url", "skipped")
    assert found.says("secret", "skipped")
    assert "a secret of theirs" not in str(found.report)


def test_a_package_that_nobody_has_uploaded_yet(server: Server, practice: Simulator) -> None:
    """The Client ID is right then, and nothing is there to be compared."""
    maker = actor_of(make_member(is_admin=True))
    made = packages.make(maker, NewPackage(uuid.uuid4(), "counterpart", "Counterpart", "Firm", "Firm"))
    assert made.keys is not None
    credentials = AppCredentials(made.keys.api_key, made.keys.api_secret)
    found = checked(server, credentials=credentials)
    assert found.says("client_id", "fail", "client.not_uploaded", "your iManage admin")
    practice.world.add_app(
        replace(
            practice.world.apps[0],
            client_id=credentials.client_id,
            client_secret=credentials.client_secret,
        )
    )
    assert checked(server, credentials=credentials).says("client_id", "pass")


@pytest.mark.parametrize(
    ("error", "code"), [("unauthorized_client", "client.unknown"), ("invalid_scope", "client.refused")]
)
def test_an_error_that_comes_back_to_our_redirect_url(error: str, code: str) -> None:
    back = f"Location: {OURS}?error={error}&state=x".encode()
    pages = {
        "authorize": page(b"302 Found", b"Found", back),
        "GET /api ": ok(UNKNOWN_SIGN_IN),
    }
    with line(site(pages)) as there:
        found = checked(server_at(f"http://127.0.0.1:{there.port}"))
    assert found.says("sign_in_page", "pass")
    assert found.says("client_id", "fail", code)


def test_a_wrong_secret(server: Server) -> None:
    found = checked(server, credentials=AppCredentials(CLIENT_ID, "mistyped-secret"))
    assert found.says("secret", "fail", "secret.wrong", "you")
    assert found.fact("secret", "iManage says")
    assert "mistyped-secret" not in str(found.report)


def test_flat_refusals_are_understood_too(server: Server, practice: Simulator) -> None:
    practice.settings.update({"oauth_error_shape": "flat"})
    assert checked(server).says("secret", "pass")
    wrong = AppCredentials(CLIENT_ID, "mistyped-secret")
    assert checked(server, credentials=wrong).says("secret", "fail", "secret.wrong")


def test_a_token_endpoint_that_answers_the_same_to_both(server: Server, practice: Simulator) -> None:
    practice.faults.add(
        Fault("status", path=TOKEN, status=400, code="BadRequestError", message="No", times=None)
    )
    assert checked(server).says("secret", "warn", "secret.inconclusive", "you")


def test_the_same_refusal_with_another_number_is_the_same(practice: Simulator) -> None:
    """A request's own number in the words must not look like another answer."""
    count = iter(range(10_000_000, 99_000_000))

    class Numbered(dict[str, bytes]):
        def items(self):  # each time it is looked through, with a new number
            said = b'{"error": {"code": "Refused", "message": "Request %d was refused"}}' % next(count)
            good = {"GET /api ": ok(UNKNOWN_SIGN_IN), "authorize": page(b"200 OK", b"Sign in")}
            return (good | {"token": ok(said).replace(b"200 OK", b"400 Bad Request")}).items()

    with line(site(Numbered())) as there:
        found = checked(server_at(f"http://127.0.0.1:{there.port}"))
    assert found.says("secret", "warn", "secret.inconclusive")


@pytest.mark.parametrize(
    "fault",
    [
        Fault("html", path=TOKEN, times=None),
        Fault("html", path=TOKEN, status=500, times=None),
        Fault("status", path=TOKEN, status=500, times=None),
    ],
    ids=["page", "page with 500", "envelope with 500"],
)
def test_a_token_endpoint_that_does_not_take_an_invalid_code(
    server: Server, practice: Simulator, fault: Fault
) -> None:
    practice.faults.add(fault)
    found = checked(server)
    assert found.says("secret", "warn", "token.unreadable", "you")
    assert found.report.state == "warning"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (page(b"404 Not Found", b"Not Found"), "token.not_imanage"),
        (page(b"200 OK", b"Zscaler: not allowed"), "token.not_imanage"),
        (page(b"200 OK", b"Sign in to your account"), "proxy.sign_in_page"),
    ],
)
def test_something_else_answers_at_the_token_endpoint(said: bytes, code: str) -> None:
    pages = {"token": said, "authorize": page(b"200 OK", b"Sign in"), "GET /api ": ok(UNKNOWN_SIGN_IN)}
    with line(site(pages)) as there:
        found = checked(server_at(f"http://127.0.0.1:{there.port}"))
    assert found.says("secret", "fail", code, "your network team")


def test_client_id_and_secret_out_of_step(server: Server, practice: Simulator) -> None:
    """The sign-in page shows itself to any Client ID, so that only the token endpoint compares the two."""
    practice.faults.add(Fault("html", path=AUTHORIZE, times=None))
    wrong = AppCredentials(CLIENT_ID, "secret-of-another-application")
    found = checked(server, credentials=wrong)
    assert found.says("client_id", "warn", "client.inconclusive")
    assert found.says("secret", "fail", "secret.out_of_step", "you")


def test_by_the_clock_no_wrong_secret_is_tried(server: Server, practice: Simulator) -> None:
    practice.forget_requests()
    assert checked(server, thorough=False).says("secret", "skipped")
    assert sum(call.path == TOKEN for call in practice.requests) == 1


def test_a_sign_in_page_that_looks_at_nothing_before_the_sign_in(server: Server, practice: Simulator) -> None:
    practice.faults.add(Fault("html", path=AUTHORIZE, times=None))
    found = checked(server)
    assert found.says("sign_in_page", "pass")
    assert found.says("client_id", "warn", "client.inconclusive", "you")
    assert found.says("redirect_url", "warn", "redirect.inconclusive", "you")
    assert found.report.state == "warning"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (page(b"403 Forbidden", b"Content is blocked"), "sign_in_page.content_blocked"),
        (page(b"200 OK", b"Content is blocked"), "sign_in_page.content_blocked"),
        (page(b"400 Bad Request", b"Something went wrong"), "sign_in_page.something_went_wrong"),
        (page(b"400 Bad Request", b"No"), "sign_in_page.refused"),
        (page(b"404 Not Found", b"Not Found"), "sign_in_page.missing"),
        (page(b"503 Service Unavailable", b"Away"), "api.gateway"),
        (page(b"407 Proxy Authentication Required", b"Proxy"), "proxy.sign_in"),
    ],
)
def test_a_sign_in_page_that_refuses(said: bytes, code: str) -> None:
    with line(site({"authorize": said, "GET /api ": ok(UNKNOWN_SIGN_IN)})) as there:
        found: Checked = checked(server_at(f"http://127.0.0.1:{there.port}"))
    assert found.says("sign_in_page", "fail", code)
    assert found.says("redirect_url", "skipped")


@pytest.mark.parametrize(
    "words",
    [b"Mismatch redirect URL", b"Invalid redirect URI", b"Invalid URL", b"The redirect URL does not match"],
)
def test_a_page_that_names_the_mismatch_in_words_of_its_own(words: bytes) -> None:
    pages = {
        f"authorize.*client_id={CLIENT_ID}": page(b"400 Bad Request", words),
        "authorize": page(b"400 Bad Request", b"Unknown client"),
        "GET /api ": ok(UNKNOWN_SIGN_IN),
    }
    with line(site(pages)) as there:
        found = checked(server_at(f"http://127.0.0.1:{there.port}", client_id=CLIENT_ID))
    assert found.says("client_id", "pass")
    assert found.says("redirect_url", "fail", "redirect.mismatch")


def test_no_credentials_yet() -> None:
    """A Cloud server whose registration this installation was never given."""
    with line(site({"GET /api ": ok(UNKNOWN_SIGN_IN)})) as there:
        url = f"http://127.0.0.1:{there.port}"
        found = checked(server_at(url, kind="cloud", client_id="", client_secret=""))
        assert found.says("client_id", "fail", "client.missing", "you")
        assert found.says("secret", "skipped")


def test_a_secret_that_cannot_be_opened_any_more(practice: Simulator) -> None:
    found = checked(practice_server(practice, client_secret="sealed with a key that is gone"))
    assert found.says("sign_in_page", "skipped")
    assert found.says("client_id", "fail", "client.secret_lost", "you")
