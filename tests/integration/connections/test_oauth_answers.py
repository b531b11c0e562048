"""What iManage may answer to a sign-in, what each answer means to the person, and how a sign-in is ended."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest
from sqlalchemy import select

from models import (
    Connection,
    Matter,
    OAuthState,
    Transfer,
    TransferItem,
)
from services.connections import tokens
from services.core.errors import SignInNeededError
from services.core.unit_of_work import session, unit_of_work
from services.servers import registry
from services.transfers.states import ItemState
from simulator import Fault, Simulator
from tests.support.pages import Browser
from tests.support.people import actor_of, make_member
from tests.support.practice import (
    CALLBACK,
    begin,
    decide,
    practice_server,
    sign_in_to_imanage,
    state_in,
)
from tests.support.sign_ins import change_server, connection, refused

TOKEN, API = "/auth/oauth2/token", "/api$"
ALICE = "alice@practice.example"


@pytest.fixture
def alice(browser: Browser) -> Browser:
    return browser.sign_in(make_member("Alice Archer", email=ALICE))


def test_what_imanage_says_of_a_refused_code_is_quoted(alice: Browser, practice: Simulator) -> None:
    server = practice_server(practice)
    practice.faults.add(
        Fault("status", path=TOKEN, status=400, code="CodeExpired", message="The <b>code</b> is too old")
    )
    text = refused(alice, decide(begin(alice, server.id)), "The sign-in code was not accepted")
    assert "iManage says: “The <b>code</b> is too old” (CodeExpired)." in text


def test_a_person_who_says_no(alice: Browser, practice: Simulator) -> None:
    server = practice_server(practice)
    refused(alice, decide(begin(alice, server.id), decision="deny"), "You did not allow access")


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
    refused(alice, f"{CALLBACK}?state={state}", "iManage’s answer was incomplete")


def test_a_code_that_the_server_refuses(alice: Browser, practice: Simulator) -> None:
    server = practice_server(practice)
    state = state_in(begin(alice, server.id))
    refused(alice, f"{CALLBACK}?state={state}&code=made-up", "The sign-in code was not accepted")


def test_a_client_secret_that_the_server_refuses(alice: Browser, practice: Simulator) -> None:
    server_id = uuid.uuid4()
    wrong = registry.transport.seal_secret(server_id, "not the secret")
    server = practice_server(practice, id=server_id, client_secret=wrong)
    refused(alice, decide(begin(alice, server.id)), "iManage does not accept this application")


REMOTE = "iManage gave an unexpected answer"


@pytest.mark.parametrize(
    ("fault", "heading", "status"),
    [
        (Fault("html", path=TOKEN), REMOTE, 502),
        (Fault("status", path=TOKEN, status=500), REMOTE, 502),
        (Fault("status", path=TOKEN, status=503, html=True), REMOTE, 502),
        (Fault("throttle", path=TOKEN, reset=7), REMOTE, 502),
        (Fault("redirect", path=TOKEN, location="https://evil.example/"), REMOTE, 502),
        (Fault("lost_after", path=TOKEN), REMOTE, 502),
        (Fault("status", path=TOKEN, status=401), "The sign-in code was not accepted", 400),
        (Fault("html", path=API, times=None), REMOTE, 502),
        (Fault("status", path=API, status=401), "iManage’s API did not accept the sign-in", 400),
        (Fault("status", path=API, status=403), "iManage’s API did not accept the sign-in", 400),
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
    assert "your email here is alice@practice.example" in said
    assert "as BRAM. Last time you signed in as ALICE." in said
    assert len(session().scalars(select(Connection)).all()) == 1


def test_disconnecting_deletes_the_tokens_and_ends_them_in_imanage(
    alice: Browser, practice: Simulator
) -> None:
    server = practice_server(practice)
    sign_in_to_imanage(alice, server.id)
    practice.forget_requests()
    response = alice.post(f"/disconnect/{server.id}", {"sure": "1"})
    assert response.headers["Location"] == "/account"
    assert connection() is None
    assert [call.path for call in practice.requests] == ["/login/terminate"]


def test_disconnecting_works_while_imanage_is_down(alice: Browser, practice: Simulator) -> None:
    server = practice_server(practice)
    sign_in_to_imanage(alice, server.id)
    practice.faults.add(Fault("lost_after", path="/login/terminate"))
    assert alice.post("/disconnect", {"sure": "1"}).status_code == 303
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


def test_an_answer_at_the_api_host_is_redirected_to_the_public_one(alice: Browser) -> None:
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


def test_transfers_that_waited_for_the_sign_in_resume(browser: Browser, practice: Simulator) -> None:
    member = make_member("Alice Archer", email=ALICE)
    server = practice_server(practice)
    with unit_of_work() as writing:
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
            transfer=transfer,
            position=1,
            name="SPA.docx",
            state=ItemState.NEEDS_SIGN_IN,
            target="new_document",
        )
        writing.add(item)
    sign_in_to_imanage(browser.sign_in(member), server.id)
    session().rollback()
    assert session().scalars(select(TransferItem)).one().state == ItemState.WAITING


def test_never_signed_in_is_said_so(database: None, practice: Simulator) -> None:
    server = practice_server(practice)
    person = actor_of(make_member("Carol Okonkwo"))
    with pytest.raises(SignInNeededError) as needed:
        tokens.with_client(person.id, server.id, lambda client: client)
    assert needed.value.reason == "never_connected"
