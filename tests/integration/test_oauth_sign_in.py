"""Signing in to iManage and coming back: the practice server's own page, and every answer that makes no sign-in."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from models import (
    AuditEvent,
    Connection,
    Matter,
    OAuthState,
    Server,
    Transfer,
    TransferItem,
    utcnow,
)
from services import connections, servers, sessions
from services.errors import SignInNeeded
from services.transfer_states import NEEDS_SIGN_IN, WAITING
from services.unit import session, unit
from simulator import Fault, Simulator
from tests.support.pages import Browser, read
from tests.support.people import actor_of, make_member
from tests.support.practice import (
    CALLBACK,
    begin,
    decide,
    practice_imanage,
    practice_server,
    reached,
    sign_in_to_imanage,
    state_in,
)

TOKEN, API = "/auth/oauth2/token", "/api$"
ALICE = "alice@practice.example"


@pytest.fixture(scope="module")
def running() -> Iterator[Simulator]:
    with practice_imanage() as practice:
        yield practice


@pytest.fixture
def practice(running: Simulator, database: None) -> Iterator[Simulator]:
    with reached(running) as practice:
        yield practice


@pytest.fixture
def alice(browser: Browser) -> Browser:
    return browser.sign_in(make_member("Alice Archer", email=ALICE))


def connection() -> Connection | None:
    session().rollback()
    return session().scalar(select(Connection))


def refused(browser: Browser, path: str, heading: str, status: int = 400) -> str:
    """The page of an answer that made no sign-in: its own heading, a next step, and no connection left behind."""
    response = browser.get(path)
    assert response.status_code == status
    page = read(response, whole=True)
    assert heading in page.text
    assert "What to do:" in page.text
    assert connection() is None
    return page.text


def test_the_whole_way_there_and_back(alice: Browser, practice: Simulator) -> None:
    server = practice_server(practice)
    address = begin(alice, server.id, "/account?from=here")
    assert address.startswith(f"{practice.url}/auth/oauth2/authorize?")
    assert "code_challenge_method=S256" in address
    response = alice.get(decide(address))
    assert response.status_code == 303
    assert response.headers["Location"] == "/account?from=here"
    row = connection()
    assert row is not None
    assert (row.imanage_user, row.imanage_email, row.state) == ("ALICE", ALICE, "connected")
    assert row.base_url == f"{practice.url}/work/api/v2/customers/4242"
    assert row.access_token.startswith("v1.") and (row.refresh_token or "").startswith("v1.")
    event = session().scalar(select(AuditEvent).where(AuditEvent.action == "connection.connected"))
    assert event is not None and event.detail["imanage_user"] == "ALICE"
    assert event.detail["email_differs"] is False


def test_without_scripts_the_way_is_a_link(alice: Browser, practice: Simulator) -> None:
    server = practice_server(practice)
    response = alice.post(f"/connect/{server.id}", {"return_to": "/account"})
    page = read(response, whole=True)
    assert any(link.startswith(f"{practice.url}/auth/oauth2/authorize?") for link in page.links)


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", ""]
)
def test_nobody_is_sent_to_another_site(alice: Browser, practice: Simulator, elsewhere: str) -> None:
    server = practice_server(practice)
    response = alice.get(decide(begin(alice, server.id, elsewhere)))
    assert response.headers["Location"] == "/account"


def test_no_secret_is_in_any_row_page_or_event(alice: Browser, practice: Simulator) -> None:
    server = practice_server(practice)
    back = decide(begin(alice, server.id))
    code = back.partition("code=")[2].partition("&")[0]
    alice.get(back)
    row = connection()
    token = servers.remote.vault.unseal(row.access_token, "connection", row.id, "access_token")
    events = repr([event.detail for event in session().scalars(select(AuditEvent))])
    for secret in (code, token, "counterpart-practice-practice"):
        assert secret not in events
        assert secret not in alice.get("/account").get_data(as_text=True)


def test_an_answer_without_state(alice: Browser, practice: Simulator) -> None:
    refused(alice, f"{CALLBACK}?code=abc", "This sign-in was not begun here")


def test_an_answer_with_a_state_that_we_never_gave(alice: Browser, practice: Simulator) -> None:
    practice_server(practice)
    refused(alice, f"{CALLBACK}?code=abc&state={'x' * 43}", "We do not know this sign-in")


def test_an_answer_that_comes_twice(alice: Browser, practice: Simulator) -> None:
    server = practice_server(practice)
    back = decide(begin(alice, server.id))
    assert alice.get(back).status_code == 303
    response = alice.get(back)
    assert response.status_code == 400
    assert "This sign-in was used already" in response.get_data(as_text=True)
    assert connection() is not None


def test_an_answer_after_ten_minutes(alice: Browser, practice: Simulator) -> None:
    server = practice_server(practice)
    back = decide(begin(alice, server.id))
    with unit() as writing:
        row = writing.scalar(select(OAuthState))
        assert row is not None
        row.created_at = utcnow() - timedelta(minutes=11)
    refused(alice, back, "This sign-in took too long")


def test_another_members_answer_is_refused_and_stays_usable_for_its_owner(
    alice: Browser, practice: Simulator
) -> None:
    server = practice_server(practice)
    back = decide(begin(alice, server.id))
    other = Browser(alice.app).sign_in(make_member("Carol Okonkwo"))
    refused(other, back, "This sign-in belongs to somebody else")
    assert alice.get(back).status_code == 303


def test_an_answer_in_another_browser_of_the_same_person(browser: Browser, practice: Simulator) -> None:
    server = practice_server(practice)
    member = make_member("Alice Archer", email=ALICE)
    first, second = browser.sign_in(member), Browser(browser.app).sign_in(member)
    refused(second, decide(begin(first, server.id)), "This sign-in was begun in another browser")


def test_an_answer_after_signing_out(browser: Browser, practice: Simulator) -> None:
    server = practice_server(practice)
    member = make_member("Alice Archer", email=ALICE)
    back = decide(begin(browser.sign_in(member), server.id))
    with unit():
        sessions.end_all(member.id)
    text = refused(browser, back, "You were signed out of Counterpart")
    assert "Sign in to Counterpart" in text


def test_a_guest_finds_nothing_at_the_callback(browser: Browser, practice: Simulator) -> None:
    server = practice_server(practice)
    guest = browser.sign_in(make_member("Gia Guest", is_guest=True))
    for response in (guest.get(f"{CALLBACK}?state=x&code=y"), guest.post(f"/connect/{server.id}")):
        assert response.status_code == 404
        assert "iManage" not in response.get_data(as_text=True)


def test_a_code_of_another_server_is_refused(alice: Browser, practice: Simulator) -> None:
    """Mix-up: the issuer that the answer names is not the server that this sign-in was begun at."""
    server = practice_server(practice)
    practice.settings.update({"issuer": "https://other.example"})
    refused(alice, decide(begin(alice, server.id)), "The answer came from another server")
    assert TOKEN not in [call.path for call in practice.requests]


def test_the_right_issuer_is_fine(alice: Browser, practice: Simulator) -> None:
    server = practice_server(practice)
    practice.settings.update({"issuer": practice.url})
    sign_in_to_imanage(alice, server.id)


def change_server(server_id: uuid.UUID, **values: object) -> None:
    with unit() as writing:
        row = writing.get_one(Server, server_id)
        for name, value in values.items():
            setattr(row, name, value)


def test_a_server_that_was_edited_in_between(alice: Browser, practice: Simulator) -> None:
    server = practice_server(practice)
    back = decide(begin(alice, server.id))
    change_server(server.id, changed_at=utcnow())
    refused(alice, back, "This server was changed")


def test_a_server_that_was_switched_off_in_between(alice: Browser, practice: Simulator) -> None:
    server = practice_server(practice)
    back = decide(begin(alice, server.id))
    change_server(server.id, is_enabled=False)
    refused(alice, back, "This server was switched off")


def test_a_member_who_was_unlisted_in_between_learns_nothing_of_the_server(
    alice: Browser, practice: Simulator
) -> None:
    server = practice_server(practice, name="Very secret server")
    back = decide(begin(alice, server.id))
    change_server(server.id, is_restricted=True)
    text = refused(alice, back, "This server is not available to you")
    assert "Very secret server" not in text


def test_a_server_that_was_removed_in_between(alice: Browser, practice: Simulator) -> None:
    server = practice_server(practice)
    back = decide(begin(alice, server.id))
    with unit() as writing:
        writing.delete(writing.get_one(Server, server.id))
    refused(alice, back, "We do not know this sign-in")


def test_a_person_who_says_no(alice: Browser, practice: Simulator) -> None:
    server = practice_server(practice)
    refused(alice, decide(begin(alice, server.id), decision="deny"), "You did not allow the sign-in")


def test_any_other_error_of_imanage(alice: Browser, practice: Simulator) -> None:
    server = practice_server(practice)
    state = state_in(begin(alice, server.id))
    text = refused(
        alice, f"{CALLBACK}?state={state}&error=<b>server_error</b>", "iManage could not sign you in"
    )
    assert "server_error" not in text


def test_an_answer_with_neither_code_nor_error(alice: Browser, practice: Simulator) -> None:
    server = practice_server(practice)
    state = state_in(begin(alice, server.id))
    refused(alice, f"{CALLBACK}?state={state}", "iManage sent half an answer")


def test_a_code_that_the_server_refuses(alice: Browser, practice: Simulator) -> None:
    server = practice_server(practice)
    state = state_in(begin(alice, server.id))
    refused(alice, f"{CALLBACK}?state={state}&code=made-up", "iManage took its answer back")


def test_a_client_secret_that_the_server_refuses(alice: Browser, practice: Simulator) -> None:
    server_id = uuid.uuid4()
    wrong = servers.remote.seal_secret(server_id, "not the secret")
    server = practice_server(practice, id=server_id, client_secret=wrong)
    refused(alice, decide(begin(alice, server.id)), "iManage does not accept this application")


REMOTE = "iManage did not answer as it should"


@pytest.mark.parametrize(
    ("fault", "heading", "status"),
    [
        (Fault("html", path=TOKEN), REMOTE, 502),
        (Fault("status", path=TOKEN, status=500), REMOTE, 502),
        (Fault("status", path=TOKEN, status=503, html=True), REMOTE, 502),
        (Fault("throttle", path=TOKEN, reset=7), REMOTE, 502),
        (Fault("redirect", path=TOKEN, location="https://evil.example/"), REMOTE, 502),
        (Fault("lost_after", path=TOKEN), REMOTE, 502),
        (Fault("status", path=TOKEN, status=401), "iManage took its answer back", 400),
        (Fault("html", path=API, times=None), REMOTE, 502),
        (Fault("status", path=API, status=401), "iManage signed you in, but its API did not", 400),
        (Fault("status", path=API, status=403), "iManage signed you in, but its API did not", 400),
        (Fault("status", path=API, status=500), REMOTE, 502),
    ],
    ids=lambda value: f"{value.kind} {value.status} {value.path}" if isinstance(value, Fault) else "",
)
def test_a_server_that_fails_half_way(
    alice: Browser, practice: Simulator, fault: Fault, heading: str, status: int
) -> None:
    server = practice_server(practice)
    back = decide(begin(alice, server.id))
    practice.faults.add(fault)
    text = refused(alice, back, heading, status)
    assert "Sign in to iManage" in text


def test_a_sign_in_without_refresh_token_is_taken_and_said(alice: Browser, practice: Simulator) -> None:
    server = practice_server(practice)
    practice.settings.update({"refresh_allowed": False})
    sign_in_to_imanage(alice, server.id)
    row = connection()
    assert row is not None and row.refresh_token is None
    with alice.client.session_transaction() as cookie:
        said = " ".join(sentence for _, sentence in cookie["_flashes"])
    assert "Allow Refresh Token" in said


def test_another_person_there_is_noticed(alice: Browser, practice: Simulator) -> None:
    server = practice_server(practice)
    sign_in_to_imanage(alice, server.id, "ALICE")
    sign_in_to_imanage(alice, server.id, "BRAM")
    with alice.client.session_transaction() as cookie:
        said = " ".join(sentence for _, sentence in cookie["_flashes"])
    assert "your e-mail here is alice@practice.example" in said
    assert "another user than before: BRAM, not ALICE" in said
    assert len(session().scalars(select(Connection)).all()) == 1


def test_disconnecting_deletes_the_tokens_and_ends_them_in_imanage(
    alice: Browser, practice: Simulator
) -> None:
    server = practice_server(practice)
    sign_in_to_imanage(alice, server.id)
    practice.forget_requests()
    response = alice.post(f"/disconnect/{server.id}")
    assert response.headers["Location"] == "/account"
    assert connection() is None
    assert [call.path for call in practice.requests] == ["/login/terminate"]


def test_disconnecting_works_while_imanage_is_down(alice: Browser, practice: Simulator) -> None:
    server = practice_server(practice)
    sign_in_to_imanage(alice, server.id)
    practice.faults.add(Fault("lost_after", path="/login/terminate"))
    assert alice.post("/disconnect").status_code == 303
    assert connection() is None


def test_a_server_that_is_not_ones_own_cannot_be_begun_at(alice: Browser, practice: Simulator) -> None:
    hidden = practice_server(practice, is_restricted=True)
    assert alice.post(f"/connect/{hidden.id}").status_code == 404
    assert alice.post(f"/connect/{uuid.uuid4()}").status_code == 404
    change_server(hidden.id, is_restricted=False, is_enabled=False)
    assert alice.post(f"/connect/{hidden.id}").status_code == 409


def test_begun_without_a_csrf_token_nothing_happens(alice: Browser, practice: Simulator) -> None:
    server = practice_server(practice)
    assert alice.client.post(f"/connect/{server.id}").status_code == 400
    assert session().scalar(select(OAuthState)) is None


def test_an_answer_at_the_api_host_goes_on_to_the_public_one(alice: Browser) -> None:
    """The session's cookie is at the public host, so the answer is carried there before it is looked at."""
    config = alice.app.config
    before = config["SETTINGS"]
    config["SETTINGS"] = replace(before, api_url="http://api.firm.test")
    try:
        response = alice.client.get(f"{CALLBACK}?state=a%26b&code=c", base_url="http://api.firm.test")
    finally:
        config["SETTINGS"] = before
    assert response.status_code == 303
    assert response.headers["Location"] == f"{before.public_url}{CALLBACK}?state=a%26b&code=c"


def test_what_waited_for_the_sign_in_goes_on(browser: Browser, practice: Simulator) -> None:
    member = make_member("Alice Archer", email=ALICE)
    server = practice_server(practice)
    with unit() as writing:
        matter = Matter(id=uuid.uuid4(), name="Heron", search_key="heron", created_by_id=member.id)
        writing.add(matter)
        writing.flush()
        transfer = Transfer(
            request_key=uuid.uuid4(),
            kind="get",
            matter_id=matter.id,
            server_id=server.id,
            server_name=server.name,
            member_id=member.id,
        )
        item = TransferItem(
            transfer=transfer, position=1, name="SPA.docx", state=NEEDS_SIGN_IN, target="new_document"
        )
        writing.add(item)
    sign_in_to_imanage(browser.sign_in(member), server.id)
    session().rollback()
    assert session().scalars(select(TransferItem)).one().state == WAITING


def test_never_signed_in_is_said_so(database: None, practice: Simulator) -> None:
    server = practice_server(practice)
    person = actor_of(make_member("Carol Okonkwo"))
    with pytest.raises(SignInNeeded) as needed:
        connections.client_for(person.id, server.id)
    assert needed.value.reason == "never_connected"
