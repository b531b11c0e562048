"""Replacing a server's Client ID and Client Secret: the new ones are checked first."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from sqlalchemy import select

from imanage.types import AppCredentials
from models import Connection, Member, Server, utcnow
from services import diagnostics
from services.access import permissions
from services.connections import tokens
from services.core import audit
from services.core.actor import Actor
from services.core.errors import InvalidError, RefusedError, TooManyError
from services.core.runtime import runtime
from services.core.unit_of_work import release, session, unit_of_work
from services.diagnostics.report import Report, Result
from services.guidance.refusals import refusal, worded
from services.servers import circuit_breaker, transport, validation
from services.servers.registry import asks_for_credentials, check_version, locked, record, require_server

PER_MINUTE = 10
TRIED = "server.credentials_tried"
PROVING = {"client_id": "client_id", "secret": "client_secret", "redirect_url": "client_id"}
"""The checks that prove credentials, and the form field of each."""


@dataclass(frozen=True)
class NewCredentials:
    """What an admin entered. `confirmed`: use them even if they could not be proven."""

    client_id: str
    version: str
    client_secret: str = field(repr=False)
    confirmed: bool = False


@dataclass(frozen=True)
class Replaced:
    """The outcome. `signed_out` are the names of the members who must sign in again."""

    name: str
    proven: bool
    signed_out: tuple[str, ...]


class UnprovenCredentialsError(RefusedError):
    """The checks were inconclusive or could not run; the admin decides. `problems` are the results that say why."""

    def __init__(self, problems: tuple[Result, ...]) -> None:
        super().__init__(**worded("credentials.unproven"))
        self.problems = problems


def signed_in(actor: Actor, server_id: uuid.UUID) -> tuple[str, ...]:
    """Names of the members who would have to sign in again with another Client ID."""
    permissions.require_admin(actor)
    live = (
        select(Member.name)
        .join(Connection, Connection.member_id == Member.id)
        .where(Connection.server_id == server_id, Connection.state == "connected")
        .order_by(Member.name_key)
    )
    return tuple(session().scalars(live))


def replace(actor: Actor, server_id: uuid.UUID, new: NewCredentials) -> Replaced:
    """Check the new credentials against the server, then replace the old ones.

    Raises InvalidError where iManage refuses them, UnprovenCredentialsError where the checks are inconclusive and the
    admin has not confirmed; nothing changes then. Another Client ID ends every sign-in to this server in the same
    commit; with the same one sign-ins stay, and transfers that waited for a correct secret resume.
    """
    row = require_server(actor, server_id)
    credentials = _credentials(row, new)
    check_version(row, new.version)
    _record_try(actor, row)
    release()
    report = diagnostics.check(server_id, credentials=credentials)
    _raise_if_refused(report)
    problems = _unproven(report)
    if problems and not new.confirmed:
        raise UnprovenCredentialsError(problems)
    return _store(actor, server_id, new, proven=not problems)


def _credentials(row: Server, new: NewCredentials) -> AppCredentials:
    """What was entered; for a Cloud server with both fields empty, the installation's own registration."""
    if not new.client_id and not new.client_secret and not asks_for_credentials(row.kind):
        settings = runtime().settings
        return AppCredentials(settings.cloud_client_id, settings.cloud_client_secret)
    if missing := validation.missing_credentials(new.client_id, bool(new.client_secret)):
        raise InvalidError(missing)
    return AppCredentials(new.client_id, new.client_secret)


def _record_try(actor: Actor, row: Server) -> None:
    """Tries are limited, because each asks iManage whether it knows these credentials."""
    server_id, name = row.id, row.name
    with unit_of_work():
        if audit.count_in_last_minute(actor, TRIED) >= PER_MINUTE:
            raise refusal(TooManyError, "credentials.too_many", count=PER_MINUTE)
        audit.record(actor, TRIED, name, subject_id=server_id, server_id=server_id)


def _raise_if_refused(report: Report) -> None:
    refused: dict[str, str] = {}
    for result in report.results:
        if result.outcome == "fail" and result.key in PROVING:
            sentence = f"{result.sentence} {result.next_step} Nothing has changed."
            refused.setdefault(PROVING[result.key], " ".join(sentence.split()))
    if refused:
        raise InvalidError(refused)


def _unproven(report: Report) -> tuple[Result, ...]:
    """Why the credentials are not proven: the checks that failed, else those that were inconclusive."""
    proving = {result.key: result for result in report.results if result.key in PROVING}
    if all(key in proving and proving[key].outcome == "pass" for key in PROVING):
        return ()
    failed = tuple(result for result in report.results if result.outcome == "fail")
    return failed or tuple(result for result in proving.values() if result.outcome != "pass")


def _store(actor: Actor, server_id: uuid.UUID, new: NewCredentials, *, proven: bool) -> Replaced:
    with unit_of_work() as writing:
        row = locked(server_id)
        check_version(row, new.version)
        is_other = row.client_id != new.client_id
        row.client_id = new.client_id
        row.client_secret = transport.seal_secret(row.id, new.client_secret) if new.client_id else ""
        row.redirect_url, row.changed_at = runtime().settings.redirect_url, utcnow()
        circuit_breaker.close_for_new_credentials(row.id)
        signed_out = tokens.end_all(row.id) if is_other else ()
        writing.flush()
        record(
            actor,
            "server.credentials_replaced",
            row,
            client_id=row.client_id,
            client_id_changed=is_other,
            proven=proven,
            must_sign_in_again=len(signed_out),
        )
        return Replaced(row.name, proven, signed_out)
