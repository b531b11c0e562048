"""Runs of a server's checks, by hand or on schedule, one at a time for each server, stored as rows."""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import structlog
from sqlalchemy import delete, select, update

from models import Server, ServerCheck, new_id, utcnow
from services import diagnostics
from services.access import permissions
from services.core import audit, background_tasks
from services.core.actor import Actor, Who
from services.core.errors import NotFoundError, TooManyError, owner_label
from services.core.unit_of_work import session, unit_of_work
from services.diagnostics.report import Report, Result
from services.guidance import topics
from services.guidance.refusals import refusal
from services.monitoring import state as monitoring_state
from services.servers import registry

RUNNING, UNFINISHED = "running", "did_not_finish"
ABANDONED_AFTER = timedelta(minutes=2)
KEPT = 200
PER_MINUTE = 10
STARTED = "server.check_started"

log = structlog.get_logger()


@dataclass(frozen=True)
class Row:
    """One check of a run; `result` is None until it has run."""

    key: str
    group: str
    title: str
    result: Result | None

    @property
    def outcome(self) -> str:
        return self.result.outcome if self.result else "waiting"

    @property
    def owner(self) -> str:
        return owner_label(self.result.owner) if self.result else ""

    @property
    def topic(self) -> topics.Topic | None:
        """The Troubleshooting page about this failure."""
        return topics.topic_for(self.result.code) if self.result else None


@dataclass(frozen=True)
class RunView:
    """`state`: running, did_not_finish, or that of the report: healthy, warning, failing."""

    id: uuid.UUID
    server_id: uuid.UUID
    server_name: str
    url: str
    api_url: str
    started_by: str
    started_at: datetime
    finished_at: datetime | None
    state: str
    rows: tuple[Row, ...]

    @property
    def is_running(self) -> bool:
        return self.state == RUNNING

    @property
    def groups(self) -> tuple[tuple[str, tuple[Row, ...]], ...]:
        return tuple((group, tuple(rows)) for group, rows in groupby(self.rows, key=lambda row: row.group))

    @property
    def results(self) -> tuple[Result, ...]:
        return tuple(row.result for row in self.rows if row.result)

    @property
    def report(self) -> Report:
        return Report(self.server_id, self.started_at, self.finished_at, self.results)

    def count(self, outcome: str) -> int:
        """How many of its checks have this outcome."""
        return sum(row.outcome == outcome for row in self.rows)

    @property
    def current(self) -> Row | None:
        """The check that is running."""
        return next((row for row in self.rows if row.result is None), None) if self.is_running else None

    def about(self, topic: topics.Topic) -> RunView:
        """The same run with only the checks about a topic."""
        rows = (row for row in self.rows if row.group in topic.groups or row.key in topic.keys)
        return replace(self, rows=tuple(rows))


def start(actor: Actor, server_id: uuid.UUID) -> uuid.UUID:
    """Start a run in the background; returns the id of the one that is running, if there is one."""
    permissions.require_admin(actor)
    run_id, is_new = _start(actor, server_id)
    if is_new:
        background_tasks.run(_run, run_id, server_id, True)
    return run_id


def run_now(who: Who, server_id: uuid.UUID) -> uuid.UUID | None:
    """A scheduled run in this thread, not thorough (see `diagnostics.check`). None where one is already running."""
    run_id, is_new = _start(who, server_id)
    if not is_new:
        return None
    _run(run_id, server_id, thorough=False)
    return run_id


def of(actor: Actor, run_id: uuid.UUID) -> RunView:
    permissions.require_admin(actor)
    row = session().get(ServerCheck, run_id)
    if row is None:
        raise refusal(NotFoundError, "not_found", "check")
    return _view(row)


def latest(actor: Actor, server_id: uuid.UUID) -> RunView | None:
    """The newest run, running or finished."""
    permissions.require_admin(actor)
    row = _newest(server_id)
    return _view(row) if row else None


def _start(who: Who, server_id: uuid.UUID) -> tuple[uuid.UUID, bool]:
    """Id and whether it is new. The server's row is locked, so that two requests at once start one run."""
    plan = [list(row) for row in diagnostics.plan(server_id)]
    with unit_of_work() as writing:
        server = registry.locked(server_id)
        newest = _newest(server_id)
        if newest is not None and _state(newest) == RUNNING:
            return newest.id, False
        if isinstance(who, Actor):
            # A check sends requests to other machines.
            if audit.count_in_last_minute(who, STARTED) >= PER_MINUTE:
                raise refusal(TooManyError, "check.too_many", count=PER_MINUTE)
            audit.record(who, STARTED, server.name, subject_id=server_id, server_id=server_id)
        run = ServerCheck(id=new_id(), server_id=server_id, started_by=who.name, plan=plan)
        writing.add(run)
        writing.flush()
        _delete_old(server_id)
        return run.id, True


def _delete_old(server_id: uuid.UUID) -> None:
    old = (
        select(ServerCheck.id)
        .where(ServerCheck.server_id == server_id)
        .order_by(ServerCheck.started_at.desc(), ServerCheck.id)
        .offset(KEPT)
    )
    ids = session().scalars(old).all()
    session().execute(delete(ServerCheck).where(ServerCheck.id.in_(ids)))


def _run(run_id: uuid.UUID, server_id: uuid.UUID, thorough: bool) -> None:
    results: list[dict[str, Any]] = []

    def store(result: Result) -> None:
        results.append(asdict(result))
        _write(run_id, results=list(results))

    try:
        report = diagnostics.check(server_id, on_result=store, thorough=thorough)
    except Exception:
        log.exception("check.failed", server_id=str(server_id))
        _write(run_id, state=UNFINISHED, finished_at=utcnow())
        return
    first = report.first_problem
    _write(
        run_id,
        results=[asdict(result) for result in report.results],
        state=report.state,
        code=first.code if first else "",
        finished_at=report.finished_at or utcnow(),
    )
    monitoring_state.update(server_id, report)


def _write(run_id: uuid.UUID, **values: Any) -> None:
    with unit_of_work(relaxed_durability=True) as writing:
        change = update(ServerCheck).where(ServerCheck.id == run_id)
        writing.execute(change.values(seen_at=utcnow(), **values))


def _newest(server_id: uuid.UUID) -> ServerCheck | None:
    return session().scalar(
        select(ServerCheck)
        .where(ServerCheck.server_id == server_id)
        .order_by(ServerCheck.started_at.desc(), ServerCheck.id)
        .limit(1)
    )


def _state(row: ServerCheck) -> str:
    if row.finished_at is not None:
        return row.state
    return RUNNING if utcnow() - row.seen_at < ABANDONED_AFTER else UNFINISHED


def _view(row: ServerCheck) -> RunView:
    server = session().get_one(Server, row.server_id)
    results = {result.key: result for result in map(_result, row.results)}
    planned = {key: Row(key, group, title, results.get(key)) for key, group, title in row.plan}
    unplanned = {
        key: Row(key, result.group, result.title, result)
        for key, result in results.items()
        if key not in planned
    }
    return RunView(
        id=row.id,
        server_id=row.server_id,
        server_name=server.name,
        url=server.url,
        api_url=server.api_url,
        started_by=row.started_by,
        started_at=row.started_at,
        finished_at=row.finished_at,
        state=_state(row),
        rows=(*planned.values(), *unplanned.values()),
    )


def _result(kept: dict[str, Any]) -> Result:
    facts = tuple((str(name), str(value)) for name, value in kept["facts"])
    return Result(**{**kept, "facts": facts})
