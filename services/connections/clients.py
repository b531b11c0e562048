"""A member's sign-ins to servers: iManage clients with a valid token, Connected accounts, disconnecting."""

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
from services.connections.tokens import (
    Access,
    access_of,
    decrypted_token,
    mark_ended,
    renew,
    row_of,
    sentence_for,
)
from services.core import audit
from services.core.actor import Actor
from services.core.unit_of_work import release, session, unit_of_work
from services.servers import transport

T = TypeVar("T")

SignOut = tuple[AddressRules, str | None, Endpoints, str]
CACHE_SECONDS = 1.0

# iManage is told of a sign-out within bounds, so that a slow server keeps nobody waiting.
SIGN_OUTS, SIGN_OUTS_AT_ONCE = 64, 8
SIGN_OUT_SECONDS = 8.0
SIGN_OUT_LIMITS = Limits(connect_seconds=3, read_seconds=5, total_seconds=5)


@dataclass(frozen=True)
class Home:
    """The member's user id in iManage, and their preferred library or ""."""

    user_id: str
    library: str


@dataclass(frozen=True)
class ConnectedAccount:
    """A row of Connected accounts. `differs`: iManage has another email for the member.

    `state` is "never_connected", "connected" or "sign_in_again". `is_off`: the member cannot use the server now.
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


class AccessCache:
    """A member's access to one server, cached for CACHE_SECONDS over a series of calls. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._access: Access | None = None
        self._until = 0.0

    def access(self, member_id: uuid.UUID, server_id: uuid.UUID) -> Access:
        """Permission and a valid token, looked up by one thread for all that wait. Raises as `with_client`."""
        with self._lock:
            access = self._access
            if access is None or access.is_stale or time.monotonic() > self._until:
                access = access_of(member_id, server_id)
                if access.is_stale:
                    access = renew(member_id, server_id, access.token)
                release()
                self.keep(access)
            return access

    def keep(self, access: Access) -> None:
        self._access, self._until = access, time.monotonic() + CACHE_SECONDS

    @property
    def endpoints(self) -> Endpoints:
        """Those of the server at the last call."""
        if self._access is None:
            raise RuntimeError("The server has not been called yet.")
        return self._access.endpoints


def with_client(
    member_id: uuid.UUID,
    server_id: uuid.UUID,
    call: Callable[[Client], T],
    outbound: requests.Session | None = None,
    *,
    cache: AccessCache | None = None,
) -> T:
    """Make the call; on 401 renew the token and call once more. No database connection is held during either.

    `outbound` replaces the session of transfers, such as `transport.outbound(server, for_page=True)`; `cache` is
    shared by a series of calls. Raises NotFoundError or ConflictError (the member may not use the server),
    SignInNeededError, RemoteRefusedError and ImanageError.
    """
    cache = cache or AccessCache()
    access = cache.access(member_id, server_id)
    try:
        return call(access.client(outbound))
    except UnauthorisedError:
        access = renew(member_id, server_id, access.token)
        cache.keep(access)
    release()
    try:
        return call(access.client(outbound))
    except UnauthorisedError:
        raise mark_ended(member_id, server_id, access.token, "refused") from None


def home_of(member_id: uuid.UUID, server_id: uuid.UUID) -> Home:
    """The member's user and library on this server, without a call. Raises as `with_client` does."""
    access_of(member_id, server_id)
    row = row_of(member_id, server_id)
    assert row is not None
    return Home(row.imanage_user, row.preferred_library)


def of_member(actor: Actor) -> tuple[ConnectedAccount, ...]:
    """One row for each server that the member can use or is still signed in to."""
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
    """End the member's sign-in to one server or to all, here and in iManage; returns how many."""
    query = select(Connection, Server).join(Server, Server.id == Connection.server_id)
    query = query.where(Connection.member_id == actor.id)
    return disconnect_these(actor, query if server_id is None else query.where(Server.id == server_id))


def differs(imanage_email: str, our_email: str) -> bool:
    """Whether iManage has another email for the member than we do. An empty one does not count."""
    return bool(imanage_email) and imanage_email.casefold() != our_email.casefold()


def _account(
    actor: Actor, server_id: uuid.UUID, label: str, row: Connection | None, *, is_off: bool = False
) -> ConnectedAccount:
    if row is None:
        return ConnectedAccount(server_id, label, "never_connected")
    lost = row.state == "connected" and decrypted_token(row) is None
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
    """End these sign-ins; returns how many. iManage is told of the first SIGN_OUTS; the others expire there."""
    sign_outs: list[SignOut] = []
    count = 0
    with unit_of_work() as writing:
        for row, server in writing.execute(query).all():
            if server.is_enabled and (token := decrypted_token(row)):
                sign_outs.append(
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
            count += 1
    release()
    if sign_outs:
        pool = ThreadPoolExecutor(SIGN_OUTS_AT_ONCE)
        wait([pool.submit(_sign_out, each) for each in sign_outs[:SIGN_OUTS]], SIGN_OUT_SECONDS)
        pool.shutdown(wait=False, cancel_futures=True)
    return count


def _sign_out(call: SignOut) -> None:
    rules, ca_pem, endpoints, token = call
    with build_session(rules, SIGN_OUT_LIMITS, ca_pem) as outbound:
        oauth.sign_out(outbound, endpoints, token)
