"""Storage limits: for the installation, a matter and a member. Every version counts with its size.

Checked before the bytes arrive, counting other gets in progress, and again under a lock in the unit of work that adds
the version, so that concurrent files cannot exceed a limit.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from sqlalchemy import ColumnElement, func, or_, select

from models import LIVE, Document, Matter, Transfer, TransferItem, Version
from services.core.errors import RefusedError
from services.core.runtime import runtime
from services.core.text.normalise import bytes_in_words
from services.core.unit_of_work import on_commit, session
from services.guidance.refusals import refusal

Scope = Literal["matter", "member", "installation"]
NEAR_FRACTION = 0.8
CACHE_SECONDS = 15.0
"""How long a process caches the sum over all versions."""
GET_STATES = sorted(LIVE)
MARGIN = 64 * 1024**3
"""More than others add while the sum is cached. With less space left, the sum is read for each file."""
_ALL = 0x71756F7461
"""The key of the advisory lock for the installation's limit."""

_TOTAL = select(func.sum(Version.size))
_total_lock = threading.Lock()
_total: tuple[float, int] | None = None


class QuotaReachedError(RefusedError):
    """A limit would be exceeded. The System Admin needs to act."""

    title = "Not enough space"


@dataclass(frozen=True)
class IncomingFile:
    """A file that is about to become a version. `size` in bytes."""

    matter_id: uuid.UUID
    member_id: uuid.UUID
    size: int


@dataclass(frozen=True)
class Usage:
    """The use of a limit, in bytes."""

    scope: Scope
    used: int
    limit: int

    @property
    def left(self) -> int:
        return max(0, self.limit - self.used)

    @property
    def is_full(self) -> bool:
        return self.used >= self.limit

    @property
    def is_near(self) -> bool:
        return self.used >= NEAR_FRACTION * self.limit

    def refusal(self, size: int = 0) -> QuotaReachedError:
        """For a file of `size` bytes; without a size, the warning that the limit is near or reached."""
        return refusal(
            QuotaReachedError,
            f"quota.{self.scope}",
            "full" if self.is_full else "too_large" if size else "near",
            used=bytes_in_words(self.used),
            limit=bytes_in_words(self.limit),
            size=bytes_in_words(size),
            left=bytes_in_words(self.left),
        )


def notice(matter_id: uuid.UUID, member_id: uuid.UUID) -> str:
    """The warning for the limit that is most used; empty if none is near. One query per limit."""
    uses = _usages(matter_id, member_id)
    fullest = max(uses, key=lambda use: use.used / use.limit, default=None)
    return fullest.refusal().text if fullest and (fullest.is_near or fullest.is_full) else ""


def require_space(
    matter_id: uuid.UUID, member_id: uuid.UUID, size: int, *, item_id: uuid.UUID | None = None
) -> None:
    """Check the limits for a file of `size` bytes before it arrives. Raises QuotaReachedError.

    `item_id` is the get that asks: what other gets in progress will add to the same matter or for the same member is
    counted too.
    """
    for use in _usages(matter_id, member_id, other_than=item_id):
        if size > use.left:
            raise use.refusal(size)


def has_limits() -> bool:
    settings = runtime().settings
    return any((settings.quota_matter_bytes, settings.quota_member_bytes, settings.quota_bytes))


def admit(files: Sequence[IncomingFile]) -> list[QuotaReachedError | None]:
    """In the unit of work that adds the versions: for each file in order, the limit that it would exceed, or None.

    Locks the matters, and if a limit needs it the members and the installation, always in this order and before any
    document. An admitted file is counted for those after it.
    """
    if not files or not has_limits():
        return [None] * len(files)
    settings = runtime().settings
    is_near = _needs_exact_total(sum(file.size for file in files))
    _lock(files, installation=is_near)
    uses: dict[tuple[Scope, uuid.UUID | None], Usage] = {}
    answers: list[QuotaReachedError | None] = []
    for file in files:
        limits: dict[tuple[Scope, uuid.UUID | None], int | None] = {
            ("matter", file.matter_id): settings.quota_matter_bytes,
            ("member", file.member_id): settings.quota_member_bytes,
            ("installation", None): settings.quota_bytes if is_near else 0,
        }
        for key, limit in limits.items():
            if limit and key not in uses:
                uses[key] = Usage(key[0], _stored(*key), limit)
        keys = [key for key in limits if key in uses]
        over = [uses[key] for key in keys if file.size > uses[key].left]
        answers.append(over[0].refusal(file.size) if over else None)
        if not over:
            for key in keys:
                uses[key] = replace(uses[key], used=uses[key].used + file.size)
    return answers


def note_added(size: int) -> None:
    """In the open unit of work: it adds versions of `size` bytes."""
    on_commit(partial(_add_to_total, size))


def installation_use() -> Usage | None:
    """The use of the installation's limit; None if it has none."""
    limit = runtime().settings.quota_bytes
    return Usage("installation", _cached_total(), limit) if limit else None


def _needs_exact_total(size: int) -> bool:
    """Whether the cached sum is too old to decide."""
    use = installation_use()
    return use is not None and use.left < size + MARGIN


def _lock(files: Sequence[IncomingFile], *, installation: bool) -> None:
    """Serialise additions to the same matters, members and installation. On SQLite the unit of work already does."""
    matters = sorted({file.matter_id for file in files})
    session().execute(
        select(Matter.id).where(Matter.id.in_(matters)).order_by(Matter.id).with_for_update(key_share=True)
    )
    if session().get_bind().dialect.name != "postgresql":
        return
    # Advisory locks, not member rows: a request locks its own member's row and may wait for an item locked here.
    if runtime().settings.quota_member_bytes:
        members = {file.member_id for file in files}
        for key in sorted({int.from_bytes(each.bytes[-8:], signed=True) for each in members}):
            session().execute(select(func.pg_advisory_xact_lock(key)))
    if installation:
        session().execute(select(func.pg_advisory_xact_lock(_ALL)))


def _usages(
    matter_id: uuid.UUID, member_id: uuid.UUID, *, other_than: uuid.UUID | None = None
) -> list[Usage]:
    settings = runtime().settings
    uses = []
    if limit := settings.quota_matter_bytes:
        in_progress = _in_progress(other_than, Transfer.matter_id == matter_id)
        uses.append(Usage("matter", _stored("matter", matter_id) + in_progress, limit))
    if limit := settings.quota_member_bytes:
        in_progress = _in_progress(other_than, Transfer.member_id == member_id)
        uses.append(Usage("member", _stored("member", member_id) + in_progress, limit))
    if (use := installation_use()) is not None:
        uses.append(use)
    return uses


def _stored(scope: Scope, of: uuid.UUID | None = None) -> int:
    """The bytes of all versions of a matter and its bin, by a member, or of the installation."""
    total = _TOTAL
    if scope == "matter":
        total = total.join(Document, Document.id == Version.document_id).where(
            or_(Document.matter_id == of, Document.binned_from_id == of)
        )
    elif scope == "member":
        total = total.where(Version.created_by_id == of)
    return int(session().scalar(total) or 0)


def _in_progress(item_id: uuid.UUID | None, condition: ColumnElement[bool]) -> int:
    """The bytes that other gets in progress will add."""
    if item_id is None:
        return 0
    query = (
        select(func.sum(TransferItem.size))
        .join(Transfer)
        .where(
            TransferItem.state.in_(GET_STATES),
            TransferItem.worker_id.is_not(None),
            TransferItem.id != item_id,
            Transfer.kind == "get",
            condition,
        )
    )
    return int(session().scalar(query) or 0)


def _cached_total() -> int:
    """Cached: over ten million versions the query takes a second."""
    global _total
    with _total_lock:
        if _total is None or time.monotonic() - _total[0] > CACHE_SECONDS:
            _total = (time.monotonic(), _stored("installation"))
        return _total[1]


def _add_to_total(size: int) -> None:
    """Add to the cached sum what this process has added."""
    global _total
    with _total_lock:
        if _total is not None:
            _total = (_total[0], _total[1] + size)
