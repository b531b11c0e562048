"""Replacing credentials: proven at the practice iManage first, refused with a sentence, and who must sign in again."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import select

from models import AuditEvent, Server
from services.core.actor import Actor
from services.core.errors import InvalidError, SignInNeededError, TooManyError
from services.core.runtime import runtime
from services.core.unit_of_work import session
from services.server_admin import credential_rotation
from services.server_admin.credential_rotation import NewCredentials, UnprovenCredentialsError
from services.servers import registry, transport
from simulator import Fault, Simulator, practice_password
from tests.support.pages import Browser, read
from tests.support.people import actor_of, make_member
from tests.support.practice import CLIENT_ID, practice_server
from tests.support.sign_ins import TOKEN, SignIn
from tests.support.transfers import Desk, carry, get, items_of

SERVERS = "/admin/integrations/imanage"
OTHER_ID = "counterpart-registered-anew"
OTHER_SECRET = "another-secret-of-the-firm"
OLD = (CLIENT_ID, practice_password(CLIENT_ID))
ACCEPTED = "iManage accepts the new credentials"


@pytest.fixture
def other_app(practice: Simulator) -> Iterator[None]:
    """The application is registered a second time, with this installation's redirect URL."""
    first = practice.world.app(CLIENT_ID)
    assert first is not None
    redirects = (*first.redirect_uris, runtime().settings.redirect_url)
    practice.world.add_app(replace(first, redirect_uris=redirects))
    practice.world.add_app(
        replace(first, client_id=OTHER_ID, client_secret=OTHER_SECRET, redirect_uris=redirects)
    )
    yield
    practice.world.add_app(first)


def kept(server_id: uuid.UUID) -> tuple[str, str]:
    session().rollback()
    row = session().get_one(Server, server_id, populate_existing=True)
    found = transport.credentials(row)
    return found.client_id, found.client_secret


def sent(server_id: uuid.UUID, client_id: str, secret: str, **more: str) -> dict[str, str]:
    session().rollback()
    row = session().get_one(Server, server_id)
    return {"version": registry.version(row), "client_id": client_id, "client_secret": secret} | more


def url_of(server_id: uuid.UUID) -> str:
    return f"{SERVERS}/{server_id}/credentials"


def events(action: str) -> list[AuditEvent]:
    session().rollback()
    return list(session().scalars(select(AuditEvent).where(AuditEvent.action == action)))


def test_proven_ones_take_the_old_ones_place(admin: Browser, practice: Simulator, other_app: None) -> None:
    server_id = practice_server(practice).id
    answer = admin.post(url_of(server_id), sent(server_id, OTHER_ID, OTHER_SECRET), htmx=True)
    assert answer.headers["HX-Redirect"] == f"{SERVERS}/{server_id}"
    assert kept(server_id) == (OTHER_ID, OTHER_SECRET)
    page = admin.page(f"{SERVERS}/{server_id}")
    assert ACCEPTED in page.text
    assert OTHER_SECRET not in page.html
    (told,) = events("server.credentials_replaced")
    assert told.detail == {
        "client_id": OTHER_ID,
        "client_id_changed": True,
        "proven": True,
        "must_sign_in_again": 0,
    }


@pytest.mark.parametrize(
    ("client_id", "secret", "field"),
    [("nobody-knows-this", OTHER_SECRET, "client_id"), (OTHER_ID, "not-the-secret", "client_secret")],
)
def test_refused_ones_leave_the_old_ones_where_they_are(
    admin: Browser, practice: Simulator, other_app: None, client_id: str, secret: str, field: str
) -> None:
    server_id = practice_server(practice).id
    wanted = sent(server_id, client_id, secret, confirmed="y")
    answer = admin.post(url_of(server_id), wanted, htmx=True)
    page = read(answer, whole=False)
    assert answer.status_code == 422
    assert "Nothing has changed." in page.text
    assert f'id="{field}-error"' in page.html
    assert secret not in page.html
    assert kept(server_id) == OLD
    assert events("server.credentials_replaced") == []


def test_a_redirect_url_that_imanage_does_not_know_is_refused(admin: Browser, practice: Simulator) -> None:
    server_id = practice_server(practice).id
    first = practice.world.app(CLIENT_ID)
    assert first is not None
    elsewhere = ("https://elsewhere.firm.test/auth/v0/oauth2/authorized",)
    practice.world.add_app(
        replace(first, client_id=OTHER_ID, client_secret=OTHER_SECRET, redirect_uris=elsewhere)
    )
    with pytest.raises(InvalidError) as refused:
        _replace(server_id, OTHER_ID, OTHER_SECRET)
    assert "redirect URL" in refused.value.fields["client_id"]
    assert kept(server_id) == OLD


def test_where_nothing_can_be_told_the_admin_decides(
    admin: Browser, practice: Simulator, other_app: None
) -> None:
    """The token endpoint gives the same answer to every secret, so it proves nothing."""
    server_id = practice_server(practice).id
    practice.faults.add(Fault("status", path=TOKEN, status=400, times=None))
    answer = admin.post(url_of(server_id), sent(server_id, OTHER_ID, OTHER_SECRET), htmx=True)
    page = read(answer, whole=False)
    assert answer.status_code == 422
    assert "We could not confirm that iManage accepts these credentials" in page.text
    assert "Replace them anyway" in page.text
    assert OTHER_SECRET not in page.html
    assert kept(server_id) == OLD

    confirmed = sent(server_id, OTHER_ID, OTHER_SECRET, confirmed="y")
    assert admin.post(url_of(server_id), confirmed, htmx=True).status_code == 204
    assert kept(server_id) == (OTHER_ID, OTHER_SECRET)
    assert "could not be confirmed" in admin.page(f"{SERVERS}/{server_id}").text
    assert events("server.credentials_replaced")[0].detail["proven"] is False


def test_a_server_that_cannot_be_reached_proves_nothing(practice: Simulator) -> None:
    server_id = practice_server(practice, url="http://127.0.0.1:9", api_url="http://127.0.0.1:9").id
    with pytest.raises(UnprovenCredentialsError) as unproven:
        _replace(server_id, OTHER_ID, OTHER_SECRET)
    assert unproven.value.problems[0].outcome == "fail"
    assert kept(server_id) == OLD


def test_another_client_id_ends_every_sign_in_and_says_whose(
    signed_in: SignIn, browser: Browser, other_app: None
) -> None:
    admin = browser.sign_in(make_member("Margaret Okafor", is_admin=True))
    name = next(
        iter(credential_rotation.signed_in(actor_of(make_member(is_admin=True)), signed_in.server_id))
    )
    popup = admin.page(url_of(signed_in.server_id), htmx=True)
    assert (
        f"these members must sign in again, and their running transfers wait until they do: {name}"
        in popup.text
    )
    wanted = sent(signed_in.server_id, OTHER_ID, OTHER_SECRET)
    assert admin.post(url_of(signed_in.server_id), wanted).status_code == 303
    page = admin.page(f"{SERVERS}/{signed_in.server_id}")
    assert f"The Client ID has changed, so 1 member must sign in again: {name}." in page.text
    row = signed_in.row()
    assert (row.state, row.reason, row.refresh_token) == ("sign_in_again", "registered_anew", None)
    with pytest.raises(SignInNeededError) as needed:
        signed_in.ask()
    assert needed.value.reason == "registered_anew"
    assert "has a new Client ID" in needed.value.sentence
    assert events("server.credentials_replaced")[0].detail["must_sign_in_again"] == 1


def test_the_same_client_id_with_a_new_secret_keeps_everybody_signed_in(signed_in: SignIn) -> None:
    first = signed_in.practice.world.app(CLIENT_ID)
    assert first is not None
    redirects = (*first.redirect_uris, runtime().settings.redirect_url)
    changed = replace(first, client_secret=OTHER_SECRET, redirect_uris=redirects)
    signed_in.practice.world.add_app(changed)
    try:
        replaced = _replace(signed_in.server_id, CLIENT_ID, OTHER_SECRET)
        assert (replaced.proven, replaced.signed_out) == (True, ())
        assert signed_in.row().state == "connected"
        signed_in.run_out()
        assert signed_in.ask() == 2
    finally:
        signed_in.practice.world.add_app(first)


def test_a_running_transfer_waits_for_the_new_sign_in_and_does_not_fail(desk: Desk, other_app: None) -> None:
    (item,) = items_of(get(desk, desk.practice.world.named("SPA – Project Heron").id()))
    _replace(desk.server.id, OTHER_ID, OTHER_SECRET)
    waiting = carry(item.id)
    assert waiting.state == "needs_sign_in"
    assert "has a new Client ID" in waiting.error_sentence


def test_a_change_made_meanwhile_is_noticed(practice: Simulator, other_app: None) -> None:
    server_id = practice_server(practice).id
    actor = actor_of(make_member(is_admin=True))
    with pytest.raises(InvalidError) as refused:
        credential_rotation.replace(
            actor, server_id, NewCredentials(OTHER_ID, "an earlier one", OTHER_SECRET)
        )
    assert "Someone else has changed this server" in refused.value.fields["form"]


def test_both_fields_are_asked_for(admin: Browser, practice: Simulator) -> None:
    server_id = practice_server(practice).id
    answer = admin.post(url_of(server_id), sent(server_id, OTHER_ID, ""), htmx=True)
    assert "Enter the Client Secret from iManage." in read(answer, whole=False).text
    assert practice.requests == []


def test_nobody_tries_without_end(practice: Simulator, other_app: None) -> None:
    server_id = practice_server(practice).id
    actor = actor_of(make_member(is_admin=True))
    for _ in range(credential_rotation.PER_MINUTE):
        with pytest.raises(InvalidError):
            _replace(server_id, "nobody-knows-this", OTHER_SECRET, actor)
    with pytest.raises(TooManyError):
        _replace(server_id, OTHER_ID, OTHER_SECRET, actor)
    secrets = repr([(event.subject, event.detail) for event in events("server.credentials_tried")])
    assert OTHER_SECRET not in secrets


def test_the_page_has_a_notice_where_no_refresh_token_came(signed_in: SignIn, browser: Browser) -> None:
    admin = browser.sign_in(make_member("Margaret Okafor", is_admin=True))
    page = admin.page(f"{SERVERS}/{signed_in.server_id}")
    assert "A sign-in came without a refresh token" not in page.text
    signed_in.change(refresh_token=None)
    page = admin.page(f"{SERVERS}/{signed_in.server_id}")
    assert "A sign-in came without a refresh token" in page.text
    assert "Next: Allow sign-ins to be renewed" in page.text


def _replace(
    server_id: uuid.UUID, client_id: str, secret: str, actor: Actor | None = None
) -> credential_rotation.Replaced:
    who = actor or actor_of(make_member(is_admin=True))
    session().rollback()
    version = registry.version(session().get_one(Server, server_id))
    return credential_rotation.replace(who, server_id, NewCredentials(client_id, version, secret))
