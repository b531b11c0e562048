"""Signing in to iManage and coming back: the practice server's own page, and every answer that makes no sign-in."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from models import (
    AuditEvent,
    OAuthState,
    Server,
    utcnow,
)
from services.auth import sessions
from services.core.unit_of_work import session, unit_of_work
from services.servers import registry
from simulator import Simulator
from tests.support.pages import Browser, read
from tests.support.people import make_member
from tests.support.practice import (
    CALLBACK,
    begin,
    decide,
    practice_server,
    sign_in_to_imanage,
)
from tests.support.sign_ins import change_server, connection, refused

TOKEN, API = "/auth/oauth2/token", "/api$"
ALICE = "alice@practice.example"


@pytest.fixture
def alice(browser: Browser) -> Browser:
    return browser.sign_in(make_member("Alice Archer", email=ALICE))


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


def test_looking_at_the_answer_with_head_changes_nothing(alice: Browser, practice: Simulator) -> None:
    """Link checkers and mail scanners ask for the head first: the answer is still good afterwards, and counts once."""
    server = practice_server(practice)
    back = decide(begin(alice, server.id))
    practice.forget_requests()
    assert alice.client.head(back).status_code == 405
    state = session().scalars(select(OAuthState)).one()
    assert state.used_at is None and connection() is None and not practice.requests
    assert alice.get(back).headers["Location"] == "/account"
    assert connection() is not None


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
    token = registry.transport.encryption.unseal(row.access_token, "connection", row.id, "access_token")
    events = repr([event.detail for event in session().scalars(select(AuditEvent))])
    for secret in (code, token, "counterpart-practice-practice"):
        assert secret not in events
        assert secret not in alice.get("/account").get_data(as_text=True)


def test_an_answer_without_state(alice: Browser, practice: Simulator) -> None:
    refused(alice, f"{CALLBACK}?code=abc", "This sign-in was not started here")


def test_an_answer_with_a_state_that_we_never_gave(alice: Browser, practice: Simulator) -> None:
    practice_server(practice)
    refused(alice, f"{CALLBACK}?code=abc&state={'x' * 43}", "We do not recognise this sign-in")


def test_an_answer_that_comes_twice(alice: Browser, practice: Simulator) -> None:
    server = practice_server(practice)
    back = decide(begin(alice, server.id))
    assert alice.get(back).status_code == 303
    response = alice.get(back)
    assert response.status_code == 400
    assert "This sign-in has already been used" in response.get_data(as_text=True)
    assert connection() is not None


def test_an_answer_after_ten_minutes(alice: Browser, practice: Simulator) -> None:
    server = practice_server(practice)
    back = decide(begin(alice, server.id))
    with unit_of_work() as writing:
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
    refused(other, back, "This sign-in belongs to someone else")
    assert alice.get(back).status_code == 303


def test_an_answer_in_another_browser_of_the_same_person(browser: Browser, practice: Simulator) -> None:
    server = practice_server(practice)
    member = make_member("Alice Archer", email=ALICE)
    first, second = browser.sign_in(member), Browser(browser.app).sign_in(member)
    refused(second, decide(begin(first, server.id)), "This sign-in was started in another browser")


def test_an_answer_after_signing_out(browser: Browser, practice: Simulator) -> None:
    server = practice_server(practice)
    member = make_member("Alice Archer", email=ALICE)
    back = decide(begin(browser.sign_in(member), server.id))
    with unit_of_work():
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
    refused(alice, decide(begin(alice, server.id)), "Another server answered")
    assert TOKEN not in [call.path for call in practice.requests]


def test_the_right_issuer_is_fine(alice: Browser, practice: Simulator) -> None:
    server = practice_server(practice)
    practice.settings.update({"issuer": practice.url})
    sign_in_to_imanage(alice, server.id)


def test_a_server_that_was_edited_in_between(alice: Browser, practice: Simulator) -> None:
    server = practice_server(practice)
    back = decide(begin(alice, server.id))
    change_server(server.id, changed_at=utcnow())
    refused(alice, back, "This server has changed")


def test_a_server_that_was_switched_off_in_between(alice: Browser, practice: Simulator) -> None:
    server = practice_server(practice)
    back = decide(begin(alice, server.id))
    change_server(server.id, is_enabled=False)
    refused(alice, back, "This server has been switched off")


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
    with unit_of_work() as writing:
        writing.delete(writing.get_one(Server, server.id))
    refused(alice, back, "We do not recognise this sign-in")
