"""The health of servers in tests: reports with one outcome, the recorded state, and mail."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update

from models import Mail, Server, ServerHealth, utcnow
from services.core.unit_of_work import session, unit_of_work
from services.diagnostics.report import Outcome, Report, Result
from services.monitoring import state as monitoring_state

CODES: dict[Outcome, str] = {"fail": "tcp.refused", "warn": "tls.expires_soon"}


def report(server: Server, outcome: Outcome, key: str = "tcp") -> Report:
    """A report of one check with this outcome."""
    now = utcnow()
    result = Result(
        key, "Network", "A check", outcome, 0.5, CODES.get(outcome, ""), f"It came to: {outcome}."
    )
    return Report(server.id, now - timedelta(seconds=2), now, (result,))


def note(server: Server, *outcomes: Outcome) -> ServerHealth:
    """Checks with these outcomes, one after another; the state recorded then."""
    for outcome in outcomes:
        monitoring_state.update(server.id, report(server, outcome))
    return row_of(server)


def row_of(server: Server) -> ServerHealth:
    session().rollback()
    return session().get_one(ServerHealth, server.id)


def put(server: Server, **values: object) -> None:
    with unit_of_work() as writing:
        writing.execute(update(ServerHealth).where(ServerHealth.server_id == server.id).values(values))


def mails() -> list[Mail]:
    session().rollback()
    return list(session().scalars(select(Mail).order_by(Mail.created_at)))
