"""Re-pointing a server whose firm moved: its links move to another server in one commit, and back for 30 days.

Only rows change, and iManage is not called. No transfer of either server may be unfinished: a save under way keeps
the server that it was sent to, and a get keeps the links that it was compared with.
"""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from models import (
    Connection,
    Repoint,
    RepointedLink,
    Server,
    ServerGroup,
    ServerMember,
    Transfer,
    utcnow,
)
from services.access import permissions
from services.core import audit
from services.core.actor import Actor
from services.core.errors import ConflictError, InvalidError, NotFoundError
from services.core.text.normalise import clean_line
from services.core.unit_of_work import session, unit_of_work
from services.guidance.refusals import refusal
from services.server_admin import repoint_links
from services.servers.registry import is_complete, locked, require_server
from services.servers.removal import running_transfers
from services.servers.restriction import end_use_of_unlisted

UNDO_FOR = timedelta(days=30)
PREVIEW_FOR = timedelta(hours=1)
PREVIEW_KEPT = timedelta(days=1)
AGREES, DIFFERS, MISSING, FORBIDDEN, UNKNOWN = "agrees", "differs", "missing", "forbidden", "unknown"
"""What a sample of the preview showed; unknown where the server gives no checksum to compare."""


@dataclass(frozen=True)
class PreviewView:
    """A preview to confirm: what moves, what the samples showed, and what prevents it."""

    id: uuid.UUID
    target_id: uuid.UUID
    target: str
    libraries: tuple[tuple[str, str, int], ...]
    """By library: its name on the source, its name on the target, and the links that move."""
    links: int
    staying: int
    samples: tuple[tuple[str, str], ...]
    """The id read on the target, and what it showed."""
    conflicts: repoint_links.Named
    running: tuple[str, ...]
    running_count: int
    signed_in: int
    copies_restriction: bool
    is_expired: bool

    @property
    def counts(self) -> Counter[str]:
        return Counter(outcome for _, outcome in self.samples)

    @property
    def asks_for_name(self) -> bool:
        return _asks_for_name(self.counts)

    @property
    def is_ready(self) -> bool:
        return bool(self.links) and not self.running_count and not self.is_expired


@dataclass(frozen=True)
class RepointView:
    """A re-point that can be undone until `until`."""

    id: uuid.UUID
    target_id: uuid.UUID
    target: str
    links: int
    moved_by: str
    moved_at: datetime
    until: datetime


@dataclass(frozen=True)
class UndoView:
    """What undoing would do: `returning` links go back, those of `kept` were used since and stay."""

    repoint: RepointView
    returning: int
    kept: repoint_links.Named
    running: tuple[str, ...]
    running_count: int
    enables: bool


@dataclass(frozen=True)
class Moved:
    """The result: `links` moved (or went back), `kept` did not."""

    target: str
    links: int
    kept: int


def preview(actor: Actor, source_id: uuid.UUID, repoint_id: uuid.UUID) -> PreviewView:
    """A preview that is not confirmed yet."""
    require_server(actor, source_id)
    row = _preview(source_id, repoint_id)
    target = session().get_one(Server, row.target_id)
    movable = repoint_links.movable(source_id, row.target_id, row.libraries)
    counts = repoint_links.library_counts(source_id, movable)
    running, running_count = unfinished(actor, source_id, row.target_id)
    links = sum(count for _, _, count in counts)
    return PreviewView(
        id=row.id,
        target_id=target.id,
        target=target.name,
        libraries=tuple((name, row.libraries[key], count) for key, name, count in counts),
        links=links,
        staying=repoint_links.count(repoint_links.live(source_id)) - links,
        samples=tuple((each["id"], each["outcome"]) for each in row.samples),
        conflicts=repoint_links.documents_of(repoint_links.conflicting(source_id, row.target_id)),
        running=running,
        running_count=running_count,
        signed_in=_signed_in(source_id),
        copies_restriction=row.copies_restriction,
        is_expired=_is_expired(row),
    )


def confirm(actor: Actor, source_id: uuid.UUID, repoint_id: uuid.UUID, typed_name: str = "") -> Moved:
    """Move the links of a preview, disable the source, and record one audit event, in one commit.

    Raises ConflictError if a transfer is unfinished, or anything changed since the preview.
    """
    permissions.require_admin(actor)
    target_id = _preview(source_id, repoint_id).target_id
    with unit_of_work() as writing:
        source, target = _lock_both(source_id, target_id)
        row = _preview(source_id, repoint_id, lock=True)
        if _is_expired(row):
            raise refusal(ConflictError, "repoint.expired")
        if not target.is_enabled:
            raise refusal(ConflictError, "repoint.target_off", name=target.name)
        _require_finished(source, target)
        outcomes = Counter(each["outcome"] for each in row.samples)
        if _asks_for_name(outcomes) and clean_line(typed_name) != target.name:
            raise InvalidError({"typed_name": f"Enter the new server’s name exactly: {target.name}"})
        kept = repoint_links.documents_of(repoint_links.conflicting(source_id, target_id))
        moved = repoint_links.move(writing, row, target)
        if moved != row.link_count:
            raise refusal(ConflictError, "repoint.changed")
        if row.copies_restriction:
            _copy_restriction(writing, source, target)
        row.was_enabled, row.moved_by, row.moved_at = source.is_enabled, actor.name, utcnow()
        if source.is_enabled:
            source.is_enabled, source.changed_at = False, utcnow()
        audit.record(
            actor,
            "server.repointed",
            source.name,
            subject_id=source.id,
            server_id=source.id,
            to=target.name,
            to_url=target.url,
            libraries=row.libraries,
            links=moved,
            kept=kept.count,
            kept_documents=list(kept.names),
            samples=dict(outcomes),
            disabled=row.was_enabled,
            restriction_copied=row.copies_restriction,
            repoint=str(row.id),
        )
        return Moved(target.name, moved, kept.count)


def latest(actor: Actor, source_id: uuid.UUID) -> RepointView | None:
    """The newest re-point of a server, while it can be undone. One query."""
    permissions.require_admin(actor)
    found = (
        session()
        .execute(
            select(Repoint, Server.name)
            .join(Server, Server.id == Repoint.target_id)
            .where(Repoint.source_id == source_id, Repoint.moved_at > utcnow() - UNDO_FOR)
            .order_by(Repoint.moved_at.desc())
            .limit(1)
        )
        .one_or_none()
    )
    row, target = found or (None, "")
    if row is None or row.moved_at is None or row.undone_at is not None:
        return None
    return RepointView(
        id=row.id,
        target_id=row.target_id,
        target=target,
        links=row.link_count,
        moved_by=row.moved_by,
        moved_at=row.moved_at,
        until=row.moved_at + UNDO_FOR,
    )


def undo_preview(actor: Actor, source_id: uuid.UUID, repoint_id: uuid.UUID) -> UndoView:
    """What undoing this re-point would do now."""
    source = require_server(actor, source_id)
    view, row = latest(actor, source_id), _moved(source_id, repoint_id)
    if view is None or view.id != repoint_id:
        raise refusal(ConflictError, "repoint.over")
    running, running_count = unfinished(actor, source_id, row.target_id)
    return UndoView(
        repoint=view,
        returning=repoint_links.count(repoint_links.moved_by(row), repoint_links.returnable(row)),
        kept=repoint_links.documents_of(repoint_links.moved_by(row), ~repoint_links.returnable(row)),
        running=running,
        running_count=running_count,
        enables=_enables(row, source),
    )


def undo(actor: Actor, source_id: uuid.UUID, repoint_id: uuid.UUID) -> Moved:
    """Move back the links that were not used since, and enable the source if it was enabled before."""
    permissions.require_admin(actor)
    target_id = _moved(source_id, repoint_id).target_id
    with unit_of_work() as writing:
        source, target = _lock_both(source_id, target_id)
        row = _moved(source_id, repoint_id, lock=True)
        _require_finished(source, target)
        kept = repoint_links.documents_of(repoint_links.moved_by(row), ~repoint_links.returnable(row))
        returned = repoint_links.give_back(writing, row)
        row.undone_at = utcnow()
        enables = _enables(row, source)
        if enables:
            source.is_enabled, source.changed_at = True, utcnow()
        audit.record(
            actor,
            "server.repoint_undone",
            source.name,
            subject_id=source.id,
            server_id=source.id,
            to=target.name,
            links=returned,
            kept=kept.count,
            kept_documents=list(kept.names),
            enabled=enables,
            repoint=str(row.id),
        )
        return Moved(target.name, returned, kept.count)


def unfinished(actor: Actor, *server_ids: uuid.UUID) -> tuple[tuple[str, ...], int]:
    """The oldest unfinished transfers of these servers in words, and how many there are."""
    lines = tuple(line for each in server_ids for line in running_transfers(actor, each))
    return lines[: repoint_links.NAMED], _unfinished_count(*server_ids)


def prune() -> None:
    """A duty of the worker: delete what can no longer be confirmed or undone."""
    now = utcnow()
    with unit_of_work(relaxed_durability=True) as writing:
        writing.execute(
            delete(Repoint).where(Repoint.moved_at.is_(None), Repoint.previewed_at < now - PREVIEW_KEPT)
        )
        is_over = or_(Repoint.moved_at < now - UNDO_FOR, Repoint.undone_at.is_not(None))
        writing.execute(
            delete(RepointedLink).where(RepointedLink.repoint_id.in_(select(Repoint.id).where(is_over)))
        )


def _asks_for_name(outcomes: Counter[str]) -> bool:
    """Whether a sample differs or is missing: then the server's name has to be typed."""
    return bool(outcomes[DIFFERS] or outcomes[MISSING])


def _copy_restriction(writing: Session, source: Server, target: Server) -> None:
    """List on the target whom the source lists; those who are not listed are signed out of it."""
    for table, column in ((ServerMember, "member_id"), (ServerGroup, "group_id")):
        there = select(getattr(table, column)).where(table.server_id == target.id)
        listed = select(getattr(table, column)).where(table.server_id == source.id)
        missing = writing.scalars(listed.where(getattr(table, column).not_in(there))).all()
        writing.add_all(table(server_id=target.id, **{column: each}) for each in missing)
    target.is_restricted = target.is_restricted or source.is_restricted
    writing.flush()
    if target.is_restricted:
        end_use_of_unlisted(target.id)


def _enables(row: Repoint, source: Server) -> bool:
    return row.was_enabled and not source.is_enabled and is_complete(source)


def _lock_both(source_id: uuid.UUID, target_id: uuid.UUID) -> tuple[Server, Server]:
    """Both rows, locked in the order of their ids, so that two admins never wait for each other.

    New links and transfers of a server refer to its row, so there are none until the unit of work ends.
    """
    rows = {each: locked(each) for each in sorted((source_id, target_id))}
    return rows[source_id], rows[target_id]


def _unfinished_count(*server_ids: uuid.UUID) -> int:
    count = select(func.count()).where(Transfer.server_id.in_(server_ids), Transfer.finished_at.is_(None))
    return session().scalar(count) or 0


def _require_finished(source: Server, target: Server) -> None:
    if count := _unfinished_count(source.id, target.id):
        raise refusal(ConflictError, "repoint.running", "" if count > 1 else "one", count=count)


def _preview(source_id: uuid.UUID, repoint_id: uuid.UUID, *, lock: bool = False) -> Repoint:
    row = _row(source_id, repoint_id, lock=lock)
    if row.moved_at is not None:
        raise refusal(ConflictError, "repoint.done", by=row.moved_by)
    return row


def _moved(source_id: uuid.UUID, repoint_id: uuid.UUID, *, lock: bool = False) -> Repoint:
    row = _row(source_id, repoint_id, lock=lock)
    if row.moved_at is None or row.undone_at is not None or row.moved_at < utcnow() - UNDO_FOR:
        raise refusal(ConflictError, "repoint.over")
    return row


def _row(source_id: uuid.UUID, repoint_id: uuid.UUID, *, lock: bool) -> Repoint:
    row = session().get(Repoint, repoint_id, with_for_update=lock or None, populate_existing=lock)
    if row is None or row.source_id != source_id:
        raise NotFoundError(
            "We could not find this preview.", next_step="Start again from the server’s page."
        )
    return row


def _is_expired(row: Repoint) -> bool:
    return row.previewed_at < utcnow() - PREVIEW_FOR


def _signed_in(server_id: uuid.UUID) -> int:
    return session().scalar(select(func.count()).where(Connection.server_id == server_id)) or 0
