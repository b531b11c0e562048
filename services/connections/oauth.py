"""Signing in to iManage by OAuth 2: recorded first, finished once, by the same member in the same browser."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import delete, select

from imanage import oauth
from imanage.discovery import discover
from imanage.errors import ForbiddenError, ImanageError, NotFoundError, SignInRefusedError, UnauthorisedError
from imanage.types import Endpoints, Identity, TokenSet
from models import OAuthState, Server, SignInSession, utcnow
from services.access.server_access import label_for, require_use, use_denial
from services.connections import tokens
from services.connections.accounts import differs
from services.connections.oauth_errors import Attempt, SignInUnfinishedError, refused_remotely, unfinished
from services.core import audit, bulkhead, encryption
from services.core.actor import Actor
from services.core.runtime import runtime
from services.core.text.local_redirects import local_path
from services.core.unit_of_work import release, session, unit_of_work
from services.guidance.imanage_errors import quoted_message, remote_refusal
from services.servers import server_facts, transport

TABLE = "oauth_state"
LIFE = timedelta(minutes=10)
KEPT = timedelta(days=1)
HOME = "/account"


@dataclass(frozen=True)
class CallbackAnswer:
    """The query parameters of the redirect back from iManage."""

    state: str = field(default="", repr=False)
    code: str = field(default="", repr=False)
    error: str = ""
    issuer: str = ""


@dataclass(frozen=True)
class SignedIn:
    """A finished sign-in: where to return to, and warnings for the member."""

    server_id: uuid.UUID
    label: str
    return_to: str
    imanage_name: str
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class _PendingSignIn:
    """A sign-in in progress, copied from its row, which cannot be used again."""

    server_id: uuid.UUID
    server_changed_at: datetime
    verifier: str = field(repr=False)
    return_to: str


def begin(actor: Actor, server_id: uuid.UUID, return_to: str) -> str:
    """Record a sign-in; returns the address of iManage's sign-in page to send the browser to."""
    server = require_use(actor.id, server_id)
    credentials = transport.credentials(server)
    start = oauth.begin(transport.endpoints(server), credentials, runtime().settings.redirect_url)
    changed_at = server.changed_at
    with unit_of_work() as writing:
        writing.execute(
            delete(OAuthState).where(
                OAuthState.member_id == actor.id, OAuthState.created_at < utcnow() - KEPT
            )
        )
        row_id = uuid.uuid4()
        writing.add(
            OAuthState(
                id=row_id,
                state_hash=_hash(start.state),
                session_id=actor.session_id,
                member_id=actor.id,
                server_id=server_id,
                server_changed_at=changed_at,
                verifier=encryption.seal(start.verifier, TABLE, row_id, "verifier"),
                return_to=local_path(return_to) or HOME,
            )
        )
    return start.url


def finish(actor: Actor, answer: CallbackAnswer) -> SignedIn:
    """Turn iManage's answer into a stored sign-in.

    Raises SignInUnfinishedError, which is recorded in the audit log.
    """
    try:
        return _finish(actor, answer)
    except SignInUnfinishedError as failure:
        with unit_of_work():
            audit.record(
                actor,
                "connection.sign_in_failed",
                failure.attempt.label,
                server_id=failure.attempt.server_id,
                outcome="failed",
                code=failure.code,
            )
        raise


def _finish(actor: Actor, answer: CallbackAnswer) -> SignedIn:
    pending = _use_state(actor, answer.state)
    server = _server_now(actor, pending)
    label, endpoints = label_for(actor.id, server), transport.endpoints(server)
    attempt = Attempt(label, server.id, pending.return_to)
    if answer.issuer and not _is_of(answer.issuer, endpoints):
        raise unfinished("oauth.other_server", attempt)
    if answer.error:
        raise unfinished(_error_code(answer.error), attempt)
    if not answer.code:
        raise unfinished("oauth.no_code", attempt)
    try:
        fresh, identity = _exchange(actor, server, endpoints, answer.code, pending.verifier)
    except ImanageError as error:
        raise _remote(error, attempt) from error
    return _store(actor, pending, label, fresh, identity, bool(answer.issuer))


def _use_state(actor: Actor, state: str) -> _PendingSignIn:
    """Mark the row of this state as used. Another member's row is left unchanged."""
    if not state:
        raise unfinished("oauth.no_state")
    with unit_of_work() as writing:
        row = writing.scalar(
            select(OAuthState).where(OAuthState.state_hash == _hash(state)).with_for_update()
        )
        if row is None:
            raise unfinished("oauth.unknown_state")
        if row.member_id != actor.id:
            raise unfinished("oauth.other_member")
        if row.session_id != actor.session_id:
            raise unfinished("oauth.other_session")
        if row.used_at is not None:
            raise unfinished("oauth.used", Attempt(return_to=row.return_to))
        if utcnow() - row.created_at > LIFE:
            raise unfinished("oauth.expired", Attempt(server_id=row.server_id, return_to=row.return_to))
        try:
            verifier = encryption.unseal(row.verifier, TABLE, row.id, "verifier")
        except encryption.DecryptionError:
            raise unfinished(
                "oauth.expired", Attempt(server_id=row.server_id, return_to=row.return_to)
            ) from None
        row.used_at = utcnow()
        return _PendingSignIn(row.server_id, row.server_changed_at, verifier, row.return_to)


def _server_now(actor: Actor, pending: _PendingSignIn) -> Server:
    """The server, if it has not changed since and the member may still use it."""
    server = session().get(Server, pending.server_id)
    denial = use_denial(actor.id, server) if server else None
    if server is None or (denial and denial.is_secret):
        raise unfinished("oauth.not_available", Attempt(return_to=pending.return_to))
    attempt = Attempt(label_for(actor.id, server), server.id, pending.return_to)
    if denial:
        raise unfinished("oauth.server_off", attempt)
    if server.changed_at != pending.server_changed_at:
        raise unfinished("oauth.server_edited", attempt)
    return server


def _exchange(
    actor: Actor, server: Server, endpoints: Endpoints, code: str, verifier: str
) -> tuple[TokenSet, Identity]:
    """Exchange the code for tokens, then ask iManage who they belong to. No database connection is held."""
    outbound, credentials = transport.outbound(server, for_page=True), transport.credentials(server)
    header = server_facts.of(server).token_header
    release()
    redirect_url = runtime().settings.redirect_url
    with bulkhead.slot(actor.id):
        fresh = oauth.exchange(outbound, endpoints, credentials, redirect_url, code, verifier)
        return fresh, discover(outbound, endpoints, fresh.access_token, header)


def _store(
    actor: Actor,
    pending: _PendingSignIn,
    label: str,
    fresh: TokenSet,
    identity: Identity,
    issuer_sent: bool,
) -> SignedIn:
    with unit_of_work() as writing:
        server = _server_now(actor, pending)
        browser = writing.get(SignInSession, actor.session_id)
        if browser is None or browser.ended_at is not None:
            raise unfinished("oauth.signed_out")
        before = tokens.row_of(actor.id, server.id)
        user_before = before.imanage_user if before else identity.user_id
        row = tokens.store(actor.id, server, fresh, identity)
        warnings = _warnings(actor, label, user_before, fresh, identity)
        server_facts.note_version(server.id, identity.dms_version or "")
        if issuer_sent != server_facts.of(server).issuer_sent:
            server_facts.measure(server.id, {"issuer_sent": issuer_sent}, identity.dms_version or "")
        audit.record(
            actor,
            "connection.connected",
            f"{actor.name} at {server.name}",
            subject_id=row.id,
            server_id=server.id,
            imanage_user=row.imanage_user,
            imanage_email=row.imanage_email,
            email_differs=differs(row.imanage_email, actor.email),
            user_before=user_before,
            renewable=fresh.refresh_token is not None,
        )
    return SignedIn(pending.server_id, label, pending.return_to, identity.name, warnings)


def _warnings(
    actor: Actor, label: str, user_before: str, fresh: TokenSet, identity: Identity
) -> tuple[str, ...]:
    found = []
    if differs(identity.email or "", actor.email):
        found.append(
            f"You signed in to {label} as {identity.email}, but your email here is {actor.email}. "
            "If that is not your account, disconnect it on your Account page."
        )
    if user_before.casefold() != identity.user_id.casefold():
        found.append(
            f"You signed in to {label} as {identity.user_id}. Last time you signed in as {user_before}."
        )
    if fresh.refresh_token is None:
        found.append(
            f"{label} does not allow this sign-in to be renewed, so you must sign in again when it expires. Your "
            " System Admin can ask for Allow Refresh Token to be set to Yes there."
        )
    return tuple(found)


def _remote(error: ImanageError, attempt: Attempt) -> SignInUnfinishedError:
    its_words = quoted_message(error)
    if isinstance(error, SignInRefusedError):
        client = (error.remote_code or "").lower() in tokens.CLIENT_REFUSED
        return unfinished("oauth.client_refused" if client else "oauth.code_refused", attempt, its_words)
    if isinstance(error, UnauthorisedError | ForbiddenError | NotFoundError):
        return unfinished("oauth.api_refused", attempt, its_words)
    return refused_remotely(remote_refusal(error, attempt.label), attempt)


def _error_code(error: str) -> str:
    return "oauth.denied" if error == "access_denied" else "oauth.error"


def _is_of(issuer: str, endpoints: Endpoints) -> bool:
    try:
        parts = urlsplit(issuer)
    except ValueError:
        return False
    return f"{parts.scheme}://{parts.netloc}".lower() in {endpoints.browser, endpoints.api}


def _hash(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()
