"""Learn this server: a run that measures its facts as one System Admin, in the background, one at a time per server."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any
from urllib.parse import unquote, urlsplit

import structlog
from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import aliased

from imanage.errors import BadIdError, ImanageError
from imanage.ids import container_id
from imanage.learning_calls import Caller, Found, Sent
from imanage.learning_uploads import learn
from imanage.server_facts import FACTS, Value
from models import Connection, Member, Server, ServerFact, ServerLearning, new_id, utcnow
from services.access import permissions
from services.connections import tokens
from services.connections.tokens import Access
from services.core import background_tasks
from services.core.actor import SYSTEM, Actor, Who
from services.core.errors import InvalidError, NotFoundError, RefusedError
from services.core.unit_of_work import release, session, unit_of_work
from services.servers import registry, server_facts, transport

RUNNING, DONE, STOPPED, UNFINISHED = "running", "done", "stopped", "did_not_finish"
ABANDONED_AFTER = timedelta(minutes=2)
AGAIN_AFTER = timedelta(hours=1)
BACKOFF = 6
"""Each automatic run in a row that did not finish makes the next one wait so many times longer."""
MOST_UNFINISHED = 3
KEPT_FOR = timedelta(days=30)
WRITE_EVERY = 10
"""Requests between two writes of the list."""

log = structlog.get_logger()


@dataclass(frozen=True)
class LearningView:
    """A run: its requests as (method, path, status, purpose), and the facts that stayed unknown, with the reason."""

    id: uuid.UUID
    server_id: uuid.UUID
    started_by: str
    started_at: datetime
    state: str
    sentence: str
    folder_id: str
    found: int
    unknown: tuple[tuple[str, str], ...]
    requests: tuple[tuple[str, str, int, str], ...]
    left_behind: tuple[str, ...]

    @property
    def is_running(self) -> bool:
        return self.state == RUNNING


def is_signed_in(actor: Actor, server_id: uuid.UUID) -> bool:
    """Whether this System Admin has a sign-in to the server that can be used."""
    permissions.require_admin(actor)
    row = tokens.row_of(actor.id, server_id)
    return row is not None and row.state == "connected"


def start(actor: Actor, server_id: uuid.UUID, folder: str = "") -> uuid.UUID:
    """Start a run in the background; returns the id of the one that is running, if there is one.

    `folder` is the ID or link of a scratch folder; without one the run only reads. Raises InvalidError.
    """
    run_id, is_new = _start(actor, actor.id, server_id, _folder_id(folder))
    if is_new:
        background_tasks.run(_run, run_id, server_id, actor.id)
    return run_id


def run_now(who: Who, member_id: uuid.UUID, server_id: uuid.UUID, folder: str = "") -> uuid.UUID | None:
    """A run in this thread, with the sign-in of this System Admin; None where one is already running."""
    run_id, is_new = _start(who, member_id, server_id, _folder_id(folder))
    if not is_new:
        return None
    _run(run_id, server_id, member_id)
    return run_id


def of(run_id: uuid.UUID) -> LearningView:
    row = session().get(ServerLearning, run_id, populate_existing=True)
    if row is None:
        raise NotFoundError("We could not find this run.", next_step="Learn the server again.")
    return _view(row)


def view(actor: Actor, run_id: uuid.UUID) -> LearningView:
    permissions.require_admin(actor)
    return of(run_id)


def latest(actor: Actor, server_id: uuid.UUID) -> LearningView | None:
    """The newest run, running or finished."""
    permissions.require_admin(actor)
    row = _newest(server_id)
    return _view(row) if row else None


def server_named(text: str) -> Server | None:
    """The server with this name or id, for the command."""
    for row in session().scalars(select(Server)):
        if text.casefold() in {row.name.casefold(), str(row.id)}:
            return row
    return None


def signed_in_admin(
    server_id: uuid.UUID, email: str = "", member_id: uuid.UUID | None = None
) -> uuid.UUID | None:
    """A System Admin with a usable sign-in: the one with this email or ID, or the latest to sign in."""
    query = (
        select(Member.id)
        .join(Connection, Connection.member_id == Member.id)
        .where(Connection.server_id == server_id, Connection.state == "connected")
        .where(Member.is_admin, Member.is_active)
        .order_by(Connection.connected_at.desc())
        .limit(1)
    )
    if email:
        query = query.where(Member.email == email)
    if member_id is not None:
        query = query.where(Member.id == member_id)
    return session().scalar(query)


def learn_again() -> None:
    """A duty of the worker: read the facts again where a server contradicted one or shows another version.

    It only reads, with the sign-in of the System Admin who learned them, at most once an hour. A run that did not
    finish is repeated once, later.
    """
    noted = (
        select(ServerFact.server_id).where(ServerFact.source == "measured", ServerFact.note != "").distinct()
    )
    for server_id in session().scalars(noted).all():
        newest, server = _newest(server_id), session().get(Server, server_id)
        if newest is None or newest.member_id is None or server is None or _state(newest) == RUNNING:
            continue
        unfinished = _unfinished_in_a_row(server_id)
        is_old = (server.facts_changed_at or newest.started_at) > (newest.finished_at or newest.seen_at)
        wait = AGAIN_AFTER * BACKOFF ** min(unfinished, MOST_UNFINISHED)
        if (is_old or unfinished == 1) and newest.started_at < utcnow() - wait:
            member_id = signed_in_admin(server_id, member_id=newest.member_id)
            if member_id is not None and server.is_enabled:
                run_now(SYSTEM, member_id, server_id)


def prune() -> None:
    """A duty of the worker: delete runs older than 30 days, but for the newest of each server."""
    newer = aliased(ServerLearning)
    is_newest = ~exists().where(
        newer.server_id == ServerLearning.server_id, newer.started_at > ServerLearning.started_at
    )
    with unit_of_work(relaxed_durability=True) as writing:
        old = ServerLearning.started_at < utcnow() - KEPT_FOR
        ids = writing.scalars(select(ServerLearning.id).where(old, ~is_newest)).all()
        writing.execute(delete(ServerLearning).where(ServerLearning.id.in_(ids)))


def _unfinished_in_a_row(server_id: uuid.UUID) -> int:
    """How many of the newest automatic runs did not finish."""
    runs = session().scalars(
        select(ServerLearning)
        .where(ServerLearning.server_id == server_id)
        .order_by(ServerLearning.started_at.desc(), ServerLearning.id)
        .limit(MOST_UNFINISHED)
    )
    return sum(1 for _ in takewhile(lambda run: run.started_by == SYSTEM.name and run.state != DONE, runs))


def _start(who: Who, member_id: uuid.UUID, server_id: uuid.UUID, folder_id: str) -> tuple[uuid.UUID, bool]:
    """Id and whether it is new. The server's row is locked, so that two requests at once start one run."""
    if isinstance(who, Actor):
        permissions.require_admin(who)
    with unit_of_work() as writing:
        server = registry.locked(server_id)
        newest = _newest(server_id)
        if newest is not None and _state(newest) == RUNNING:
            return newest.id, False
        row = tokens.row_of(member_id, server_id)
        if row is None or row.state != "connected":
            raise InvalidError({"form": f"Sign in to “{server.name}” on your Account page first."})
        run = ServerLearning(
            id=new_id(),
            server_id=server_id,
            member_id=member_id,
            started_by=who.name[:300],
            folder_id=folder_id,
        )
        writing.add(run)
        registry.record(who, "server.learning_started", server, scratch_folder=folder_id)
        return run.id, True


def _run(run_id: uuid.UUID, server_id: uuid.UUID, member_id: uuid.UUID) -> None:
    requests: list[list[Any]] = []

    def on_sent(sent: Sent) -> None:
        requests.append([sent.method, sent.path[:300], sent.status, sent.purpose])
        if len(requests) % WRITE_EVERY == 0:
            _write(run_id, requests=list(requests))

    try:
        folder_id = session().get_one(ServerLearning, run_id).folder_id
        access, signed_in = _access(member_id, server_id, on_sent)
        outbound = transport.outbound(session().get_one(Server, server_id), for_page=True)
        release()
        caller = Caller(outbound, access.endpoints, access.token, on_sent)
        found = learn(caller, access.endpoints, folder_id)
        _store(run_id, server_id, found, signed_in, requests)
    except (RefusedError, ImanageError) as error:
        _write(run_id, state=STOPPED, sentence=error.sentence, finished_at=utcnow(), requests=requests)
    except Exception:
        log.exception("learning.failed", server_id=str(server_id))
        _write(run_id, state=UNFINISHED, finished_at=utcnow(), requests=requests)


def _access(member_id: uuid.UUID, server_id: uuid.UUID, on_sent: Any) -> tuple[Access, Mapping[str, Value]]:
    """The sign-in, renewed once to see what a renewal gives, and what it shows."""
    access = tokens.access_of(member_id, server_id)
    row = tokens.row_of(member_id, server_id)
    assert row is not None
    found: dict[str, Value] = {"refresh_token": access.refresh_token is not None}
    if access.expires_at is not None:
        found["token_minutes"] = max(1, round((access.expires_at - row.refreshed_at).total_seconds() / 60))
    release()
    if access.refresh_token is None:
        return access, found
    fresh = tokens.renew(member_id, server_id, access.token)
    on_sent(Sent("POST", "/auth/oauth2/token", 200, "a renewal of the sign-in"))
    found["refresh_rotates"] = fresh.refresh_token != access.refresh_token
    release()
    return fresh, found


def _store(
    run_id: uuid.UUID,
    server_id: uuid.UUID,
    found: Found,
    signed_in: Mapping[str, Value],
    requests: list[list[Any]],
) -> None:
    values = {**signed_in, **found.values}
    version = str(found.values.get("version", ""))
    with unit_of_work():
        server_facts.measure(server_id, values, version)
        server = registry.locked(server_id)
        registry.record(
            SYSTEM,
            "server.learned",
            server,
            facts=len(values),
            requests=len(requests),
            left_behind=found.left_behind,
            outcome="failed" if found.stopped else "done",
        )
        _write(
            run_id,
            state=STOPPED if found.stopped else DONE,
            sentence=found.stopped[:600],
            version=version[:100],
            found=dict.fromkeys(values, True),
            unknown=found.unknown,
            requests=requests,
            left_behind=found.left_behind,
            finished_at=utcnow(),
        )


def _write(run_id: uuid.UUID, **values: Any) -> None:
    with unit_of_work(relaxed_durability=True) as writing:
        change = update(ServerLearning).where(ServerLearning.id == run_id)
        writing.execute(change.values(seen_at=utcnow(), **values))


def _newest(server_id: uuid.UUID) -> ServerLearning | None:
    return session().scalar(
        select(ServerLearning)
        .where(ServerLearning.server_id == server_id)
        .order_by(ServerLearning.started_at.desc(), ServerLearning.id)
        .limit(1)
    )


def _state(row: ServerLearning) -> str:
    if row.finished_at is not None:
        return row.state
    return RUNNING if utcnow() - row.seen_at < ABANDONED_AFTER else UNFINISHED


def _view(row: ServerLearning) -> LearningView:
    return LearningView(
        id=row.id,
        server_id=row.server_id,
        started_by=row.started_by,
        started_at=row.started_at,
        state=_state(row),
        sentence=row.sentence,
        folder_id=row.folder_id,
        found=len(row.found),
        unknown=tuple((FACTS[name].title, why) for name, why in row.unknown.items() if name in FACTS),
        requests=tuple((str(each[0]), str(each[1]), int(each[2]), str(each[3])) for each in row.requests),
        left_behind=tuple(row.left_behind),
    )


def _folder_id(text: str) -> str:
    """The folder's ID, from the ID itself or its link in iManage."""
    given = text.strip()
    if not given:
        return ""
    try:
        if "://" in given:
            given = unquote(urlsplit(given).path.rstrip("/").rpartition("/")[2])
        return container_id(given)
    except (BadIdError, ValueError):
        raise InvalidError(
            {"folder": "Enter the folder’s ID, such as Active!1234, or its link in iManage."}
        ) from None
