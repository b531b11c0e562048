"""Renewing a sign-in: once, however many ask; and the three words for why a person has to sign in again."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select

from imanage.errors import ImanageError, NotIManageError, ServerFaultError, UnreachableError
from models import AuditEvent, Server, utcnow
from services.connections import tokens
from services.core.errors import ConflictError, NotFoundError, RemoteRefusedError, SignInNeededError
from services.core.unit_of_work import session, unit_of_work
from services.servers import transport
from simulator import Fault
from tests.support.sign_ins import TOKEN, SignIn, lines_of


@pytest.mark.parametrize("rotates", [False, True], ids=["one refresh token", "rotating refresh tokens"])
def test_twelve_who_ask_at_once_renew_once(signed_in: SignIn, rotates: bool) -> None:
    signed_in.practice.settings.update({"refresh_rotation": rotates})
    signed_in.run_out()
    assert signed_in.in_threads(12) == [2] * 12
    assert signed_in.refreshes() == 1


def test_twelve_who_meet_a_401_at_once_renew_once(signed_in: SignIn) -> None:
    signed_in.practice.settings.update({"refresh_rotation": True})
    signed_in.practice.tokens.forget_all("access")
    assert signed_in.in_threads(12) == [2] * 12
    assert signed_in.refreshes() == 1


def test_a_minute_early_is_early_enough(signed_in: SignIn) -> None:
    signed_in.change(expires_at=utcnow() + timedelta(seconds=50))
    signed_in.ask()
    signed_in.ask()
    assert signed_in.refreshes() == 1
    assert signed_in.row().refreshing_until is None


def test_a_good_token_is_used_as_it_is(signed_in: SignIn) -> None:
    assert signed_in.ask() == 2
    assert signed_in.refreshes() == 0


def test_a_rotated_refresh_token_is_kept(signed_in: SignIn) -> None:
    signed_in.practice.settings.update({"refresh_rotation": True})
    before = signed_in.row().refresh_token
    for _ in range(3):
        signed_in.run_out()
        assert signed_in.ask() == 2
    assert signed_in.row().refresh_token != before


def test_a_refusal_marks_the_sign_in_and_never_loops(signed_in: SignIn) -> None:
    signed_in.practice.faults.add(Fault("refuse_refresh", path=TOKEN, times=None))
    signed_in.run_out()
    for _ in range(3):
        with pytest.raises(SignInNeededError) as needed:
            signed_in.ask()
        assert needed.value.reason == "refused"
    assert signed_in.refreshes() == 1
    assert (signed_in.row().state, signed_in.row().refresh_token) == ("sign_in_again", None)
    ended = session().scalars(select(AuditEvent).where(AuditEvent.action == "connection.ended")).all()
    assert [event.detail for event in ended] == [{"reason": "refused"}]


def test_a_401_right_after_renewing_is_a_refusal(signed_in: SignIn) -> None:
    signed_in.practice.faults.add(Fault("status", path="/libraries$|/api$", status=401, times=None))
    with pytest.raises(SignInNeededError):
        signed_in.ask()
    assert len([call for call in signed_in.practice.requests if call.path.endswith("/libraries")]) == 2


def test_without_refresh_token_the_token_is_used_until_it_is_refused(signed_in: SignIn) -> None:
    signed_in.change(refresh_token=None, expires_at=utcnow() - timedelta(hours=1))
    assert signed_in.ask() == 2
    signed_in.practice.tokens.forget_all("access")
    with pytest.raises(SignInNeededError) as needed:
        signed_in.ask()
    assert needed.value.reason == "could_not_refresh"
    assert signed_in.row().state == "sign_in_again"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault("status", path=TOKEN, status=500, times=None), ServerFaultError),
        (Fault("html", path=TOKEN, times=None), NotIManageError),
        (Fault("lost_before", path=TOKEN, times=None), UnreachableError),
        (Fault("status", path=TOKEN, status=403, html=True, times=None), NotIManageError),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else "",
)
def test_a_server_that_cannot_be_reached_is_no_refusal(
    signed_in: SignIn, fault: Fault, kind: type[ImanageError]
) -> None:
    signed_in.practice.faults.add(fault)
    signed_in.run_out()
    with pytest.raises(kind):
        signed_in.ask()
    assert (signed_in.row().state, signed_in.row().refreshing_until) == ("connected", None)
    signed_in.practice.faults.clear()
    assert signed_in.ask() == 2


def test_a_wrong_client_secret_is_the_admins_and_keeps_the_sign_in(signed_in: SignIn) -> None:
    with unit_of_work() as writing:
        server = writing.get_one(Server, signed_in.server_id)
        server.client_secret = transport.seal_secret(server.id, "not the secret")
    signed_in.run_out()
    with pytest.raises(RemoteRefusedError) as refused:
        signed_in.ask()
    assert refused.value.code == "imanage.client_refused"
    assert signed_in.row().state == "connected"


def test_a_lease_of_somebody_who_died_is_taken_over(signed_in: SignIn) -> None:
    signed_in.change(expires_at=utcnow(), refreshing_until=utcnow() - timedelta(seconds=1))
    assert signed_in.ask() == 2


def test_a_waiter_is_given_the_siblings_token(signed_in: SignIn) -> None:
    """A slow answer of the token endpoint: the second asker waits for it and asks nothing itself."""
    signed_in.practice.faults.add(Fault("slow", path=TOKEN, seconds=1))
    signed_in.run_out()
    assert signed_in.in_threads(2) == [2, 2]
    assert signed_in.refreshes() == 1


def test_no_database_lock_is_held_while_imanage_is_asked(signed_in: SignIn) -> None:
    signed_in.practice.faults.add(Fault("slow", path=TOKEN, seconds=2))
    signed_in.run_out()

    def write() -> float:
        with signed_in.app.app_context():
            began = utcnow()
            with unit_of_work() as writing:
                writing.get_one(Server, signed_in.server_id).name = "Paris"
            return (utcnow() - began).total_seconds()

    def ask() -> object:
        with signed_in.app.app_context():
            return signed_in.ask()

    with ThreadPoolExecutor(2) as pool:
        asking = pool.submit(ask)
        while not signed_in.refreshes() and not asking.done():
            if signed_in.row().refreshing_until is not None:
                break
        assert pool.submit(write).result(10) < 1
        assert asking.result(10) == 2


def end_use(signed_in: SignIn, **values: object) -> None:
    with unit_of_work() as writing:
        server = writing.get_one(Server, signed_in.server_id)
        for name, value in values.items():
            setattr(server, name, value)


@pytest.mark.parametrize(
    ("values", "refusal"), [({"is_enabled": False}, ConflictError), ({"is_restricted": True}, NotFoundError)]
)
def test_the_right_to_use_the_server_is_asked_each_time(
    signed_in: SignIn, values: dict[str, bool], refusal: type[Exception]
) -> None:
    end_use(signed_in, **values)
    with pytest.raises(refusal):
        signed_in.ask()
    assert signed_in.practice.requests == []


@pytest.mark.parametrize("column", ["access_token", "refresh_token"])
def test_a_token_moved_to_another_row_does_not_open(signed_in: SignIn, column: str) -> None:
    row = signed_in.row()
    stranger = tokens.encryption.seal("stolen", tokens.TABLE, uuid.uuid4(), column)
    assert getattr(row, column) != stranger
    signed_in.change(**{column: stranger})
    with pytest.raises(SignInNeededError) as needed:
        signed_in.ask()
    assert needed.value.reason == "could_not_refresh"
    (line,) = lines_of(signed_in)
    assert line.state == ("sign_in_again" if column == "access_token" else "connected")
