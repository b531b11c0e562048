"""A transfer whose sign-in has to be renewed, and what prevents it: a proxy's own page, or a changed Client Secret."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import select

from models import AuditEvent, Connection, Server, ServerCircuit, TransferItem, utcnow
from services.connections import tokens
from services.core.unit_of_work import session, unit_of_work
from services.execution import queue
from services.server_admin import credential_rotation
from services.server_admin.credential_rotation import NewCredentials
from services.servers import circuit_breaker, registry
from simulator import Fault, practice_password
from tests.support.pages import Browser
from tests.support.people import actor_of, make_member
from tests.support.practice import CLIENT_ID
from tests.support.sign_ins import TOKEN
from tests.support.transfers import Desk, carry, get, items_of, skip_wait, versions

NAME = "SPA – Project Heron"
ANOTHER = "Archive.tar"
OTHER_SECRET = "the firm's own choice of words"


def due() -> set[uuid.UUID]:
    session().rollback()
    return {item.id for item in queue.due(100)}


def wanted(desk: Desk, *names: str) -> list[TransferItem]:
    """Items whose first call finds that the access token has ended."""
    found = items_of(get(desk, *(desk.practice.world.named(name).id() for name in names)))
    desk.practice.expire_tokens()
    return found


def sign_in_state() -> str:
    session().rollback()
    return session().scalars(select(Connection.state)).one()


@pytest.mark.parametrize(
    "page",
    [
        Fault("html", path=TOKEN, times=None),
        Fault("status", path=TOKEN, status=403, html=True, times=None),
        Fault("status", path=TOKEN, status=404, html=True, times=None),
        Fault("redirect", path=TOKEN, location="https://portal.firm.test/", times=None),
        Fault("json", path=TOKEN, body=[], times=None),
    ],
    ids=["page", "403 page", "404 page", "redirect", "other JSON"],
)
def test_somebody_elses_answer_to_a_renewal_is_waited_out(desk: Desk, page: Fault) -> None:
    (item,) = wanted(desk, NAME)
    desk.practice.faults.add(page)
    for _ in range(2):
        waiting = carry(item.id)
        assert (waiting.state, sign_in_state()) == ("waiting", "connected")
        assert waiting.wait_until is not None
        assert waiting.wait_until > utcnow()
        assert waiting.error_sentence
        assert waiting.next_step.startswith("Ask your System Admin to check the server’s URL")
        skip_wait(item.id)
    desk.practice.faults.clear()
    assert carry(item.id).state == "done"
    assert len(versions()) == 1


def secret_changes(desk: Desk, secret: str) -> None:
    """As the firm's iManage admin changes it in Control Center."""
    (registered,) = desk.practice.world.apps
    desk.practice.world.add_app(replace(registered, client_secret=secret))


def put_right(desk: Desk, secret: str) -> None:
    """As a System Admin does on the server's page."""
    admin = actor_of(make_member(is_admin=True))
    version = registry.version(registry.require_server(admin, desk.server.id))
    replaced = credential_rotation.replace(admin, desk.server.id, NewCredentials(CLIENT_ID, version, secret))
    assert (replaced.proven, replaced.signed_out) == (True, ())


@pytest.fixture
def other_secret(desk: Desk) -> Iterator[None]:
    secret_changes(desk, OTHER_SECRET)
    yield
    secret_changes(desk, practice_password(CLIENT_ID))


@pytest.mark.usefixtures("other_secret")
def test_a_changed_client_secret_waits_for_the_admin_and_is_resumed(desk: Desk, browser: Browser) -> None:
    first, second = wanted(desk, NAME, ANOTHER)
    waiting = carry(first.id)
    assert (waiting.state, waiting.attempt, sign_in_state()) == ("waiting", 0, "connected")
    assert "Client ID or Client Secret" in waiting.error_sentence
    assert "System Admin" in waiting.next_step
    assert due() == set(), "the others of this server ask in vain"
    pause = circuit_breaker.open_circuits()[desk.server.id]
    assert "Ask your System Admin to correct them on the server’s page." in pause.sentence
    page = browser.get(f"/transfers/{first.transfer_id}").get_data(as_text=True)
    assert "Waiting before trying iManage again" in page
    assert "Your sign-in is kept." in page
    assert "Sign in to iManage again" not in page

    put_right(desk, OTHER_SECRET)
    assert due() == {first.id, second.id}
    assert [carry(item.id).state for item in (first, second)] == ["done", "done"]
    assert session().scalars(select(AuditEvent).where(AuditEvent.action == "connection.ended")).all() == []


@pytest.mark.usefixtures("other_secret")
def test_a_secret_that_stays_wrong_is_asked_after_ever_more_seldom_and_never_given_up(desk: Desk) -> None:
    (item,) = wanted(desk, NAME)
    waits = []
    for _ in range(8):
        assert carry(item.id).state == "waiting"
        until = circuit_breaker.open_circuits()[desk.server.id].until
        waits.append(until - utcnow())
        with unit_of_work() as writing:
            writing.get_one(ServerCircuit, desk.server.id).open_until = utcnow()
    expected = [30, 60, 120, 240, 480, 600, 600, 600]
    late = [seconds - wait.total_seconds() for seconds, wait in zip(expected, waits, strict=True)]
    assert all(0 <= each < 20 for each in late), waits
    assert carry(item.id).attempt == 0


@pytest.mark.usefixtures("other_secret")
def test_another_change_of_the_server_wakes_nobody(desk: Desk) -> None:
    """Only a Client ID or Client Secret that is another one does."""
    (item,) = wanted(desk, NAME)
    assert carry(item.id).state == "waiting"
    admin = actor_of(make_member(is_admin=True))
    row = registry.require_server(admin, desk.server.id)
    registry.change(admin, row.id, registry.ServerChange("Another name", registry.version(row)))
    assert due() == set()


def test_a_secret_that_our_keys_cannot_open_waits_too(desk: Desk) -> None:
    (item,) = wanted(desk, NAME)
    with unit_of_work() as writing:
        server = writing.get_one(Server, desk.server.id)
        server.client_secret = tokens.encryption.seal("x", "server", uuid.uuid4(), "client_secret")
    assert carry(item.id).state == "waiting"
    assert due() == set()
    put_right(desk, practice_password(CLIENT_ID))
    assert due() == {item.id}
    assert carry(item.id).state == "done"
