"""OAuth tokens of members' sign-ins, and calls with them: the only module that decrypts, renews and stores tokens.

A token is renewed once over all threads and processes: by a lease on its row, so that no lock is held during the call
to iManage.

A member has to sign in for one of four reasons: "never_connected", "refused" by iManage, "could_not_refresh" (no
refresh token) and "registered_anew" (the sign-in belongs to an earlier Client ID). A server that cannot be reached is
none of them.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, TypeVar, cast

import requests
from sqlalchemy import select

from imanage import oauth
from imanage.client import Answers, Client, Pacer
from imanage.discovery import discover
from imanage.errors import (
    ForbiddenError,
    ImanageError,
    NotIManageError,
    SignInPageError,
    SignInRefusedError,
    UnauthorisedError,
    UnreachableError,
)
from imanage.server_facts import ServerFacts
from imanage.types import AppCredentials, Endpoints, Identity, TokenSet
from models import Connection, Member, Server, utcnow
from services.access.server_access import label_for, require_use
from services.core import audit, encryption
from services.core.actor import SYSTEM
from services.core.errors import RemoteRefusedError, SignInNeededError
from services.core.unit_of_work import release, session, unit_of_work
from services.guidance.refusals import refusal, worded
from services.servers import server_facts, transport

T = TypeVar("T")
Reason = Literal["never_connected", "refused", "could_not_refresh", "registered_anew"]

TABLE = "connection"
RENEW_BEFORE = timedelta(seconds=60)
LEASE = timedelta(seconds=90)
LONGEST_WAIT_SECONDS = 25.0
POLL_SECONDS = 0.1
PAGE_WAIT_SECONDS = 5.0
CACHE_SECONDS = 1.0
CLIENT_REFUSED = frozenset({"invalid_client", "unauthorized_client", "invalidclient", "unauthorizedclient"})

_pacers: dict[uuid.UUID, Pacer] = {}
_pacers_lock = threading.Lock()


@dataclass(frozen=True)
class Home:
    """The member's user id in iManage, and their preferred library or ""."""

    user_id: str
    library: str


@dataclass(frozen=True)
class Access:
    """Everything a call to a server needs, copied from the rows so that no database connection is held during it."""

    connection_id: uuid.UUID
    token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_at: datetime | None
    base_url: str
    facts: ServerFacts
    outbound: requests.Session
    endpoints: Endpoints
    pacer: Pacer
    home: Home

    @property
    def is_stale(self) -> bool:
        """Without a refresh token the access token is used until it is refused: iManage only counts idle time."""
        return bool(self.refresh_token and self.expires_at and self.expires_at - RENEW_BEFORE <= utcnow())

    def client(self, outbound: requests.Session | None = None) -> Client:
        """`outbound` is that of a page, where a person waits."""
        return Client(
            outbound or self.outbound,
            self.base_url,
            self.token,
            pacing=self.pacer,
            facts=self.facts,
            retries_faults=outbound is not None,
        )


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


@dataclass(frozen=True)
class _Lease:
    """The right to renew the token until a time."""

    access: Access
    credentials: AppCredentials
    until: datetime


def with_client(
    member_id: uuid.UUID,
    server_id: uuid.UUID,
    call: Callable[[Client], T],
    outbound: requests.Session | None = None,
    *,
    cache: AccessCache | None = None,
) -> T:
    """Make the call; on 401 renew the token and call once more. No database connection is held during either.

    A 401 that is only about rights is told from the end of the sign-in by discovery, and raised as ForbiddenError.

    `outbound` replaces the session of transfers, such as `transport.outbound(server, for_page=True)`; `cache` is
    shared by a series of calls. Raises NotFoundError or ConflictError (the member may not use the server),
    SignInNeededError, RemoteRefusedError and ImanageError.
    """
    cache = cache or AccessCache()
    access = cache.access(member_id, server_id)
    try:
        return _call(call, access.client(outbound), server_id)
    except UnauthorisedError as error:
        if access.refresh_token is None:
            _require_ended(access, error, outbound)
        access = renew(member_id, server_id, access.token)
        cache.keep(access)
    release()
    try:
        return _call(call, access.client(outbound), server_id)
    except UnauthorisedError as error:
        _require_ended(access, error, outbound)
        raise mark_ended(member_id, server_id, access.token, "refused") from None


def _call(call: Callable[[Client], T], client: Client, server_id: uuid.UUID) -> T:
    try:
        return call(client)
    finally:
        if client.contradictions:
            server_facts.doubt(server_id, client.contradictions)


def _require_ended(access: Access, error: UnauthorisedError, outbound: requests.Session | None) -> None:
    """Raise what is wrong instead, where discovery still accepts the sign-in: signing in again would not help."""
    release()
    try:
        discover(outbound or access.outbound, access.endpoints, access.token, access.facts.token_header)
    except UnauthorisedError:
        return
    if error.status not in {401, 403}:
        raise SignInPageError(status=error.status) from error
    raise ForbiddenError(
        status=error.status, remote_code=error.remote_code, remote_message=error.remote_message
    ) from error


def home_of(member_id: uuid.UUID, server_id: uuid.UUID) -> Home:
    """The member's user and library on this server, without a call. Raises as `with_client` does."""
    return access_of(member_id, server_id).home


def store(member_id: uuid.UUID, server: Server, tokens: TokenSet, identity: Identity) -> Connection:
    """Store a new sign-in in the open unit of work, in place of the member's earlier one to this server."""
    row = row_of(member_id, server.id)
    if row is None:
        row = Connection(id=uuid.uuid4(), server_id=server.id, member_id=member_id)
        session().add(row)
    row.state, row.reason = "connected", ""
    row.imanage_user = identity.user_id[:200]
    row.imanage_name = identity.name[:300]
    row.imanage_email = (identity.email or "")[:320]
    row.base_url = identity.base_url
    row.preferred_library = identity.preferred_library or ""
    row.connected_at = utcnow()
    row.refresh_token = None
    _seal(row, tokens)
    return row


def decrypted_token(row: Connection) -> str | None:
    """The access token, None where it cannot be decrypted."""
    try:
        return encryption.unseal(row.access_token, TABLE, row.id, "access_token")
    except encryption.DecryptionError:
        return None


def end_all(server_id: uuid.UUID) -> tuple[str, ...]:
    """End the sign-ins that belong to the earlier Client ID, in the open unit of work.

    Returns the names of the members who must sign in again.
    """
    live = session().execute(
        select(Connection, Member.name)
        .join(Member, Member.id == Connection.member_id)
        .where(Connection.server_id == server_id, Connection.state == "connected")
        .order_by(Member.name_key)
        .with_for_update(of=Connection)
    )
    names = []
    for row, name in live:
        row.state, row.reason, row.refresh_token = "sign_in_again", "registered_anew", None
        names.append(name)
    return tuple(names)


def row_of(member_id: uuid.UUID, server_id: uuid.UUID, *, lock: bool = False) -> Connection | None:
    query = select(Connection).where(Connection.member_id == member_id, Connection.server_id == server_id)
    return session().scalar(query.with_for_update() if lock else query)


def _seal(row: Connection, tokens: TokenSet) -> None:
    """Where iManage answers without a new refresh token, the old one stays valid."""
    row.access_token = encryption.seal(tokens.access_token, TABLE, row.id, "access_token")
    if tokens.refresh_token:
        row.refresh_token = encryption.seal(tokens.refresh_token, TABLE, row.id, "refresh_token")
    row.expires_at = tokens.expires_at
    row.refreshed_at = utcnow()
    row.refreshing_until = None


def access_of(member_id: uuid.UUID, server_id: uuid.UUID, *, lock: bool = False) -> Access:
    """The member's access to this server now; the permission to use it is checked each time."""
    server = require_use(member_id, server_id)
    row = row_of(member_id, server_id, lock=lock)
    if row is None:
        raise _needed("never_connected", member_id, server)
    if row.state != "connected":
        raise _needed(cast(Reason, row.reason), member_id, server)
    try:
        token = encryption.unseal(row.access_token, TABLE, row.id, "access_token")
        refresh_token = row.refresh_token and encryption.unseal(
            row.refresh_token, TABLE, row.id, "refresh_token"
        )
    except encryption.DecryptionError:
        raise _needed("could_not_refresh", member_id, server) from None
    return Access(
        connection_id=row.id,
        token=token,
        refresh_token=refresh_token,
        expires_at=row.expires_at,
        base_url=row.base_url,
        facts=server_facts.of(server),
        outbound=transport.outbound(server),
        endpoints=transport.endpoints(server),
        pacer=_pacer(server_id),
        home=Home(row.imanage_user, row.preferred_library),
    )


def _needed(reason: Reason, member_id: uuid.UUID, server: Server) -> SignInNeededError:
    sentence = sentence_for(reason, label_for(member_id, server))
    return SignInNeededError(sentence, server_id=server.id, reason=reason)


def sentence_for(reason: str, label: str) -> str:
    """Why the member has to sign in, in one sentence."""
    return worded(f"imanage.{reason}", label=label)["sentence"]


def _pacer(server_id: uuid.UUID) -> Pacer:
    with _pacers_lock:
        return _pacers.setdefault(server_id, Pacer(PAGE_WAIT_SECONDS))


def take_answers() -> dict[uuid.UUID, Answers]:
    """What each server has answered in this process since this was called last."""
    with _pacers_lock:
        pacers = dict(_pacers)
    found = {server_id: pacer.take_answers() for server_id, pacer in pacers.items()}
    return {server_id: answers for server_id, answers in found.items() if answers.number}


def renew(member_id: uuid.UUID, server_id: uuid.UUID, spent: str) -> Access:
    """An access token other than the spent one: renewed once, here or by another thread or process."""
    waited = 0.0
    while (found := _renewed_or_lease(member_id, server_id, spent)) is None:
        if waited >= LONGEST_WAIT_SECONDS:
            raise UnreachableError(code="imanage.unreachable.silent")
        time.sleep(POLL_SECONDS)
        waited += POLL_SECONDS
    if isinstance(found, Access):
        return found
    refresh_token = found.access.refresh_token
    if refresh_token is None:
        raise mark_ended(member_id, server_id, spent, "could_not_refresh")
    try:
        fresh = oauth.refresh(found.access.outbound, found.access.endpoints, found.credentials, refresh_token)
    except SignInRefusedError as error:
        return _after_refusal(member_id, server_id, found, error)
    except ImanageError as error:
        _release(found)
        raise (_not_imanage(error) if isinstance(error, NotIManageError) else error) from None
    return _store_renewed(member_id, server_id, found, fresh)


def _renewed_or_lease(member_id: uuid.UUID, server_id: uuid.UUID, spent: str) -> Access | _Lease | None:
    """A token that was renewed elsewhere, or the lease to renew it; None while another process has the lease."""
    with unit_of_work():
        access = access_of(member_id, server_id, lock=True)
        if access.token != spent:
            return access
        row, now = session().get_one(Connection, access.connection_id), utcnow()
        credentials = transport.credentials(session().get_one(Server, server_id))
        if access.refresh_token is None:
            return _Lease(access, credentials, now)
        # A lease that ends later than a new one would was taken before the clock was set back.
        if row.refreshing_until and now < row.refreshing_until <= now + LEASE:
            return None
        row.refreshing_until = now + LEASE
        return _Lease(access, credentials, row.refreshing_until)


def _store_renewed(member_id: uuid.UUID, server_id: uuid.UUID, lease: _Lease, fresh: TokenSet) -> Access:
    """Store the new token, unless another process stored a newer one after our lease had expired."""
    with unit_of_work():
        access = access_of(member_id, server_id, lock=True)
        if access.refresh_token == lease.access.refresh_token:
            _seal(session().get_one(Connection, access.connection_id), fresh)
            session().flush()
        return access_of(member_id, server_id)


def _release(lease: _Lease) -> None:
    with unit_of_work():
        row = session().get(Connection, lease.access.connection_id)
        if row is not None and row.refreshing_until == lease.until:
            row.refreshing_until = None


def _after_refusal(
    member_id: uuid.UUID, server_id: uuid.UUID, lease: _Lease, error: SignInRefusedError
) -> Access:
    """Another process may have renewed it first, or our registration is wrong; otherwise the sign-in has ended."""
    _release(lease)
    access = access_of(member_id, server_id)
    if access.token != lease.access.token:
        return access
    if (error.remote_code or "").lower() in CLIENT_REFUSED:
        raise _client_refused() from error
    if error.status == 403 and not (error.remote_code or error.remote_message):
        raise _not_imanage(NotIManageError(status=error.status)) from error
    raise mark_ended(member_id, server_id, lease.access.token, "refused") from error


def _client_refused() -> RemoteRefusedError:
    return refusal(RemoteRefusedError, "imanage.client_refused")


def _not_imanage(error: NotIManageError) -> NotIManageError:
    """Such as a proxy's page. iManage issued this sign-in at that address, so the call is retried later."""
    return NotIManageError(code=error.code, status=error.status, retry="later")


def mark_ended(member_id: uuid.UUID, server_id: uuid.UUID, spent: str, reason: Reason) -> SignInNeededError:
    """Mark the sign-in as ended, unless a newer one replaced it; returns the error to raise."""
    with unit_of_work():
        server = require_use(member_id, server_id)
        row = row_of(member_id, server_id, lock=True)
        if row is not None and row.state == "connected" and decrypted_token(row) == spent:
            row.state, row.reason, row.refresh_token = "sign_in_again", reason, None
            member = session().get_one(Member, member_id)
            audit.record(
                SYSTEM,
                "connection.ended",
                f"{member.name} at {server.name}",
                subject_id=row.id,
                server_id=server_id,
                outcome="failed",
                reason=reason,
            )
        return _needed(reason, member_id, server)
