"""A member's connections to servers: a client whose token is good, and what the account page shows of them."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import requests
from sqlalchemy import Select, select

from imanage import oauth
from imanage.client import Client
from imanage.errors import UnauthorisedError
from imanage.guard import Limits, build_session
from imanage.networks import AddressRules
from imanage.types import Endpoints
from models import Connection, Member, Server
from services.access.server_access import known_to
from services.connections.tokens import Access, access_of, ended, open_token, renewed, sentence_for
from services.core import audit
from services.core.actor import Actor
from services.core.unit_of_work import release, session, unit_of_work
from services.servers import transport

T = TypeVar("T")

Farewell = tuple[AddressRules, str | None, Endpoints, str]
LINE_SECONDS = 1.0

# A server that is slow to hear "goodbye" keeps nobody waiting.
FAREWELLS, AT_ONCE = 64, 8
FAREWELL_SECONDS = 8.0
FAREWELL = Limits(connect_seconds=3, read_seconds=5, total_seconds=5)


@dataclass(frozen=True)
class Home:
    """Who the person is in iManage and which library is his own there, if any."""

    user_id: str
    library: str


@dataclass(frozen=True)
class ConnectedAccount:
    """A line of Connected accounts. `differs`: iManage knows the person under another e-mail.

    `state` is "never_connected", "connected" or "sign_in_again". `is_off`: the server is not the person's to use now.
    """

    server_id: uuid.UUID
    label: str
    state: str
    sentence: str = ""
    imanage_user: str = ""
    imanage_name: str = ""
    imanage_email: str = ""
    differs: bool = False
    since: datetime | None = None
    renewable: bool = True
    is_off: bool = False


class Line:
    """What was looked up for a call, kept for the next ones of the same member to the same server, for a moment."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._access: Access | None = None
        self._until = 0.0

    def access(self, member_id: uuid.UUID, server_id: uuid.UUID) -> Access:
        """Asks for the right to use the server and for a token that is good; of many who come at once, one asks."""
        with self._lock:
            access = self._access
            if access is None or access.is_stale or time.monotonic() > self._until:
                access = access_of(member_id, server_id)
                if access.is_stale:
                    access = renewed(member_id, server_id, access.token)
                release()
                self.keep(access)
            return access

    def keep(self, access: Access) -> None:
        self._access, self._until = access, time.monotonic() + LINE_SECONDS

    @property
    def endpoints(self) -> Endpoints:
        """Of the server, as they were at the last call."""
        if self._access is None:
            raise RuntimeError("The server has not been called yet.")
        return self._access.endpoints


def with_client(
    member_id: uuid.UUID,
    server_id: uuid.UUID,
    call: Callable[[Client], T],
    outbound: requests.Session | None = None,
    *,
    line: Line | None = None,
) -> T:
    """Make the call; where iManage answers 401 the token is renewed and the call made once more, never a third time.

    Raises NotFoundError or ConflictError (the member may no longer use the server), SignInNeededError,
    RemoteRefusedError and ImanageError.
    `outbound` is a session with other limits than a transfer's: `remote.outbound(server, for_page=True)`.
    Whoever makes many calls in a row gives a `line`, so that not each of them looks up the same.
    """
    line = line or Line()
    access = line.access(member_id, server_id)
    try:
        return call(access.client(outbound))
    except UnauthorisedError:
        access = renewed(member_id, server_id, access.token)
        line.keep(access)
    release()
    try:
        return call(access.client(outbound))
    except UnauthorisedError:
        raise ended(member_id, server_id, access.token, "refused") from None


def home_of(member_id: uuid.UUID, server_id: uuid.UUID) -> Home:
    """Where the person is at home on this server. Raises as with_client does, without asking iManage."""
    access_of(member_id, server_id)
    row = (
        session()
        .scalars(
            select(Connection).where(Connection.member_id == member_id, Connection.server_id == server_id)
        )
        .one()
    )
    return Home(row.imanage_user, row.preferred_library)


def of_member(actor: Actor) -> tuple[ConnectedAccount, ...]:
    """One line for each server that the person can use, and for each that still holds a sign-in of his."""
    if actor.is_guest:
        return ()
    rows = session().execute(
        select(Connection, Server)
        .join(Server, Server.id == Connection.server_id)
        .where(Connection.member_id == actor.id)
    )
    held = {server.id: (row, server) for row, server in rows}
    known = known_to(actor)
    accounts = [
        _account(actor, each.id, each.label, held[each.id][0] if each.id in held else None)
        for each in known.usable
    ]
    accounts += [
        _account(actor, server.id, known.label(server.id), row, is_off=True)
        for row, server in sorted(held.values(), key=lambda pair: pair[1].name_key)
        if not known.may_use(server.id)
    ]
    return tuple(accounts)


def disconnect(actor: Actor, server_id: uuid.UUID | None = None) -> int:
    """End the person's sign-in to one server, or to all; says to how many. iManage is told where it can be."""
    query = select(Connection, Server).join(Server, Server.id == Connection.server_id)
    query = query.where(Connection.member_id == actor.id)
    return disconnect_these(actor, query if server_id is None else query.where(Server.id == server_id))


def differs(imanage_email: str, our_email: str) -> bool:
    """Whether iManage knows the person under another e-mail than we do. Silence is no difference."""
    return bool(imanage_email) and imanage_email.casefold() != our_email.casefold()


def _account(
    actor: Actor, server_id: uuid.UUID, label: str, row: Connection | None, *, is_off: bool = False
) -> ConnectedAccount:
    if row is None:
        return ConnectedAccount(server_id, label, "never_connected")
    lost = row.state == "connected" and open_token(row) is None
    again = lost or row.state != "connected"
    reason = "could_not_refresh" if lost else row.reason
    return ConnectedAccount(
        server_id=server_id,
        label=label,
        state="sign_in_again" if again else "connected",
        sentence=sentence_for(reason, label) if again else "",
        imanage_user=row.imanage_user,
        imanage_name=row.imanage_name,
        imanage_email=row.imanage_email,
        differs=differs(row.imanage_email, actor.email),
        since=row.connected_at,
        renewable=row.refresh_token is not None or again,
        is_off=is_off,
    )


def disconnect_these(actor: Actor, query: Select[Connection, Server]) -> int:
    """End these sign-ins; says how many. iManage is told of the first FAREWELLS, side by side; others run out there."""
    farewells: list[Farewell] = []
    ended_here = 0
    with unit_of_work() as writing:
        for row, server in writing.execute(query).all():
            if server.is_enabled and (token := open_token(row)):
                farewells.append(
                    (transport.rules_of(server), server.ca_pem, transport.endpoints(server), token)
                )
            member = writing.get_one(Member, row.member_id)
            audit.record(
                actor,
                "connection.disconnected",
                f"{member.name} at {server.name}",
                subject_id=row.id,
                server_id=server.id,
                imanage_user=row.imanage_user,
            )
            writing.delete(row)
            ended_here += 1
    release()
    if farewells:
        beside = ThreadPoolExecutor(AT_ONCE)
        wait([beside.submit(_say_goodbye, each) for each in farewells[:FAREWELLS]], FAREWELL_SECONDS)
        beside.shutdown(wait=False, cancel_futures=True)
    return ended_here


def _say_goodbye(farewell: Farewell) -> None:
    rules, ca_pem, endpoints, token = farewell
    with build_session(rules, FAREWELL, ca_pem) as outbound:
        oauth.sign_out(outbound, endpoints, token)
