"""Tokens of a member's sign-in to a server: the only place that opens, renews and stores them.

Only services.connections, services.oauth_flow and services.diagnostics ask here. Renewing is one at a time over all
threads and processes: a lease on the row, taken and given back in short units, so that no lock is held while iManage
is asked.

Four words for why a person has to sign in: "never_connected", "refused" (iManage said no), "could_not_refresh" (it gave
nothing to renew the sign-in with) and "registered_anew" (it belonged to the Client ID from before). A server that
cannot be reached is none of them.
"""

from __future__ import annotations

import threading
import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, cast

import requests
from sqlalchemy import select

from imanage import oauth
from imanage.client import Client, TokenHeader
from imanage.errors import ImanageError, NotIManageError, SignInRefusedError, UnreachableError
from imanage.pacing import Pacer
from imanage.types import AppCredentials, Endpoints, Identity, TokenSet
from models import Connection, Member, Server, utcnow
from services.access.server_access import label_for, require_use
from services.core import audit, encryption
from services.core.actor import SYSTEM
from services.core.errors import RemoteRefusedError, SignInNeededError
from services.core.unit_of_work import session, unit_of_work
from services.servers import transport

Reason = Literal["never_connected", "refused", "could_not_refresh", "registered_anew"]

TABLE = "connection"
EARLY = timedelta(seconds=60)
LEASE = timedelta(seconds=90)
LONGEST_WAIT = 25.0
LOOK_AGAIN = 0.1
PAGE_WAIT = 5.0
CLIENT_REFUSED = frozenset({"invalid_client", "unauthorized_client", "invalidclient", "unauthorizedclient"})
SENTENCES: dict[Reason, str] = {
    "never_connected": "You have not signed in to {label} yet.",
    "refused": "{label} no longer accepts your sign-in.",
    "could_not_refresh": "Your sign-in to {label} has ended and could not be renewed without you.",
    "registered_anew": "Counterpart is registered anew with {label}, so sign-ins from before have ended.",
}

_pacers: dict[uuid.UUID, Pacer] = {}
_pacers_lock = threading.Lock()


@dataclass(frozen=True)
class Access:
    """All that a call to a server needs, copied from the rows so that no row is held while iManage is asked."""

    connection_id: uuid.UUID
    token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_at: datetime | None
    base_url: str
    header: TokenHeader
    outbound: requests.Session
    endpoints: Endpoints
    pacer: Pacer

    @property
    def is_stale(self) -> bool:
        """Without a refresh token the old one is used until it is refused: iManage counts idle time only."""
        return bool(self.refresh_token and self.expires_at and self.expires_at - EARLY <= utcnow())

    def client(self, outbound: requests.Session | None = None) -> Client:
        return Client(outbound or self.outbound, self.base_url, self.token, self.header, self.pacer)


@dataclass(frozen=True)
class _Lease:
    """The right to refresh, for a while."""

    access: Access
    credentials: AppCredentials
    until: datetime


def store(member_id: uuid.UUID, server: Server, tokens: TokenSet, identity: Identity) -> Connection:
    """Keep a fresh sign-in, in the open unit; an earlier one of this member to this server is replaced."""
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


def open_token(row: Connection) -> str | None:
    """The access token, to end it in iManage; None where it cannot be opened any more."""
    try:
        return encryption.unseal(row.access_token, TABLE, row.id, "access_token")
    except encryption.DecryptionError:
        return None


def end_all(server_id: uuid.UUID) -> tuple[str, ...]:
    """The server has another Client ID now, in the open unit: what the one before was given is of no use to it.

    Returns the names of those who must sign in again.
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
    """iManage may answer a refresh without a new refresh token: then the old one stays good."""
    row.access_token = encryption.seal(tokens.access_token, TABLE, row.id, "access_token")
    if tokens.refresh_token:
        row.refresh_token = encryption.seal(tokens.refresh_token, TABLE, row.id, "refresh_token")
    row.expires_at = tokens.expires_at
    row.refreshed_at = utcnow()
    row.refreshing_until = None


def access_of(member_id: uuid.UUID, server_id: uuid.UUID, *, lock: bool = False) -> Access:
    """What is true now of this member and this server. Asks for the right to use it each time."""
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
        header=cast(TokenHeader, server.auth_header),
        outbound=transport.outbound(server),
        endpoints=transport.endpoints(server),
        pacer=_pacer(server_id),
    )


def _needed(reason: Reason, member_id: uuid.UUID, server: Server) -> SignInNeededError:
    sentence = sentence_for(reason, label_for(member_id, server))
    return SignInNeededError(sentence, server_id=server.id, reason=reason)


def sentence_for(reason: str, label: str) -> str:
    """Why a person has to sign in, in one sentence."""
    return SENTENCES[cast(Reason, reason)].format(label=label)


def _pacer(server_id: uuid.UUID) -> Pacer:
    with _pacers_lock:
        return _pacers.setdefault(server_id, Pacer(PAGE_WAIT))


def renewed(member_id: uuid.UUID, server_id: uuid.UUID, spent: str) -> Access:
    """An access token other than the spent one: a sibling's if there is one, else a new one, asked for once."""
    waited = 0.0
    while (found := _claim(member_id, server_id, spent)) is None:
        if waited >= LONGEST_WAIT:
            raise UnreachableError(code="imanage.unreachable.silent")
        time.sleep(LOOK_AGAIN)
        waited += LOOK_AGAIN
    if isinstance(found, Access):
        return found
    refresh_token = found.access.refresh_token
    if refresh_token is None:
        raise ended(member_id, server_id, spent, "could_not_refresh")
    try:
        fresh = oauth.refresh(found.access.outbound, found.access.endpoints, found.credentials, refresh_token)
    except SignInRefusedError as error:
        return _after_refusal(member_id, server_id, found, error)
    except ImanageError as error:
        _let_go(found)
        raise (_somebody_else(error) if isinstance(error, NotIManageError) else error) from None
    return _keep(member_id, server_id, found, fresh)


def _claim(member_id: uuid.UUID, server_id: uuid.UUID, spent: str) -> Access | _Lease | None:
    """The sibling's token, or the right to refresh; None while somebody else has that right."""
    with unit_of_work():
        access = access_of(member_id, server_id, lock=True)
        if access.token != spent:
            return access
        row, now = session().get_one(Connection, access.connection_id), utcnow()
        credentials = transport.credentials(session().get_one(Server, server_id))
        if access.refresh_token is None:
            return _Lease(access, credentials, now)
        # One that lasts longer than a lease is of a clock that has been set back since.
        if row.refreshing_until and now < row.refreshing_until <= now + LEASE:
            return None
        row.refreshing_until = now + LEASE
        return _Lease(access, credentials, row.refreshing_until)


def _keep(member_id: uuid.UUID, server_id: uuid.UUID, lease: _Lease, fresh: TokenSet) -> Access:
    """Store what came, unless a sibling stored something newer while our lease had run out."""
    with unit_of_work():
        access = access_of(member_id, server_id, lock=True)
        if access.refresh_token == lease.access.refresh_token:
            _seal(session().get_one(Connection, access.connection_id), fresh)
            session().flush()
        return access_of(member_id, server_id)


def _let_go(lease: _Lease) -> None:
    with unit_of_work():
        row = session().get(Connection, lease.access.connection_id)
        if row is not None and row.refreshing_until == lease.until:
            row.refreshing_until = None


def _after_refusal(
    member_id: uuid.UUID, server_id: uuid.UUID, lease: _Lease, error: SignInRefusedError
) -> Access:
    """Refused: perhaps because a sibling was quicker, perhaps because of our registration, else for good."""
    _let_go(lease)
    access = access_of(member_id, server_id)
    if access.token != lease.access.token:
        return access
    if (error.remote_code or "").lower() in CLIENT_REFUSED:
        raise RemoteRefusedError(
            "iManage did not accept this installation's Client ID or Client Secret.",
            code="imanage.client_refused",
            next_step="Ask your System Admin to put them right on the server's page. Your sign-in is kept.",
            owner="your System Admin",
        ) from error
    if error.status == 403 and not (error.remote_code or error.remote_message):
        raise _somebody_else(NotIManageError(status=error.status)) from error
    raise ended(member_id, server_id, lease.access.token, "refused") from error


def _somebody_else(error: NotIManageError) -> NotIManageError:
    """A proxy's own page, say. iManage gave this sign-in at that address, so it is asked there again later."""
    return NotIManageError(code=error.code, status=error.status, retry="later")


def ended(member_id: uuid.UUID, server_id: uuid.UUID, spent: str, reason: Reason) -> SignInNeededError:
    """Mark the sign-in as over, once, and say so. A newer sign-in that came in between is left alone."""
    with unit_of_work():
        server = require_use(member_id, server_id)
        row = row_of(member_id, server_id, lock=True)
        if row is not None and row.state == "connected" and open_token(row) == spent:
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
