"""How much may be stored: in all, in a matter, and of a member. Every version counts with its size.

Looked at before the bytes come, with what other gets under way will bring, and again in the unit in which they become
a version: there one after the other, so that however many come at once, no limit is passed.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from sqlalchemy import ColumnElement, func, select

from models import LIVE, Document, Matter, Transfer, TransferItem, Version
from services.core.errors import RefusedError
from services.core.runtime import runtime
from services.core.text.normalise import bytes_in_words
from services.core.unit_of_work import on_commit, session

Scope = Literal["matter", "member", "installation"]
NEARLY = 0.8
TOTAL_SECONDS = 15.0
"""The sum over all versions is taken so often by each process."""
OF_A_GET = sorted(LIVE)
MARGIN = 64 * 1024**3
"""More than others bring between two sums. Where less is left of the installation's limit, each file is summed up."""
_ALL = 0x71756F7461
"""The advisory lock of the installation's limit."""
NEAR = {
    "matter": "This matter is nearly full: {used} of {limit} is used.",
    "member": "You have nearly used all your space: {used} of {limit} across all matters.",
    "installation": "Counterpart is nearly full: {used} of {limit} is used.",
}
FULL = {
    "matter": "This matter is full: {used} of {limit} is used. Nothing more can be added.",
    "member": "You have used all your space: {used} of {limit}. You cannot add more.",
    "installation": "Counterpart is full: {used} of {limit} is used. Nothing more can be added.",
}
TOO_LARGE = {
    "matter": "This file is {size}. The matter has space for {left} more.",
    "member": "This file is {size}. You have space for {left} more.",
    "installation": "This file is {size}. Counterpart has space for {left} more.",
}
ASK = "Ask your System Admin for more space."

_total_lock = threading.Lock()
_total: tuple[float, int] | None = None


class QuotaReachedError(RefusedError):
    """A limit would be passed. The next step is the System Admin's."""

    code = "quota"
    title = "Not enough space"


@dataclass(frozen=True)
class Landing:
    """A file that is about to become a version. `size` in bytes."""

    matter_id: uuid.UUID
    member_id: uuid.UUID
    size: int


@dataclass(frozen=True)
class Use:
    """How much of a limit is used. All in bytes."""

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
        return self.used >= NEARLY * self.limit

    @property
    def sentence(self) -> str:
        """What a person reads from four fifths on; empty before."""
        words = FULL if self.is_full else NEAR if self.is_near else {}
        said = words.get(self.scope, "").format(
            used=bytes_in_words(self.used), limit=bytes_in_words(self.limit)
        )
        return f"{said} {ASK}" if said else ""


def notice(matter_id: uuid.UUID, member_id: uuid.UUID) -> str:
    """The sentence of the limit that is nearest, empty where none is near. One query a limit that is set."""
    uses = _uses(matter_id, member_id)
    return max(uses, key=lambda use: use.used / use.limit).sentence if uses else ""


def require_room(
    matter_id: uuid.UUID, member_id: uuid.UUID, size: int, *, item_id: uuid.UUID | None = None
) -> None:
    """For a file of so many bytes, before they come. Raises QuotaReachedError.

    `item_id` is the get that asks: what other gets under way will bring to the same matter, or of the same member, is
    counted as if it were here.
    """
    for use in _uses(matter_id, member_id, with_gets_but=item_id):
        if size > use.left:
            raise _reached(use, size)


def has_limits() -> bool:
    settings = runtime().settings
    return any((settings.quota_matter_bytes, settings.quota_member_bytes, settings.quota_bytes))


def landing(files: Sequence[Landing]) -> list[QuotaReachedError | None]:
    """In the open unit, in which they become versions: for each, in their order, which limit it would pass.

    Their matters, and where a limit asks for it their members and the installation, are held to the unit's end, always
    in this order, and before any document. What is let in is counted for those after it.
    """
    if not files or not has_limits():
        return [None] * len(files)
    settings = runtime().settings
    is_near = _is_near_the_end(sum(file.size for file in files))
    _hold(files, all_of_it=is_near)
    uses: dict[tuple[Scope, uuid.UUID | None], Use] = {}
    answers: list[QuotaReachedError | None] = []
    for file in files:
        keys: list[tuple[Scope, uuid.UUID | None]] = []
        if limit := settings.quota_matter_bytes:
            keys.append(("matter", file.matter_id))
            if keys[-1] not in uses:
                uses[keys[-1]] = Use("matter", _of_matter(file.matter_id), limit)
        if limit := settings.quota_member_bytes:
            keys.append(("member", file.member_id))
            if keys[-1] not in uses:
                uses[keys[-1]] = Use("member", _of_member(file.member_id), limit)
        if is_near and (limit := settings.quota_bytes):
            keys.append(("installation", None))
            if keys[-1] not in uses:
                uses[keys[-1]] = Use("installation", _of_all(), limit)
        over = [uses[key] for key in keys if file.size > uses[key].left]
        answers.append(_reached(over[0], file.size) if over else None)
        if not over:
            for key in keys:
                uses[key] = replace(uses[key], used=uses[key].used + file.size)
    return answers


def note_landed(size: int) -> None:
    """In the open unit: so many bytes become versions by it."""
    on_commit(partial(_note_added, size))


def installation_use() -> Use | None:
    """Of the whole installation, None where it has no limit."""
    limit = runtime().settings.quota_bytes
    return Use("installation", _sum_of_all(), limit) if limit else None


def _reached(use: Use, size: int) -> QuotaReachedError:
    return QuotaReachedError(f"{_why(use, size)} {ASK}", code=f"quota.{use.scope}", owner="your System Admin")


def _is_near_the_end(size: int) -> bool:
    """Whether what others added since the sum was taken can matter."""
    use = installation_use()
    return use is not None and use.left < size + MARGIN


def _hold(files: Sequence[Landing], *, all_of_it: bool) -> None:
    """Whoever adds to the same waits. On SQLite the unit alone sees to it."""
    matters = sorted({file.matter_id for file in files})
    session().execute(
        select(Matter.id).where(Matter.id.in_(matters)).order_by(Matter.id).with_for_update(key_share=True)
    )
    if session().get_bind().dialect.name != "postgresql":
        return
    # Not the rows: whoever presses a button holds his own, and may wait for an item that is held here.
    if runtime().settings.quota_member_bytes:
        members = {file.member_id for file in files}
        for key in sorted({int.from_bytes(each.bytes[-8:], signed=True) for each in members}):
            session().execute(select(func.pg_advisory_xact_lock(key)))
    if all_of_it:
        session().execute(select(func.pg_advisory_xact_lock(_ALL)))


def _why(use: Use, size: int) -> str:
    if use.is_full:
        return use.sentence.removesuffix(f" {ASK}")
    return TOO_LARGE[use.scope].format(size=bytes_in_words(size), left=bytes_in_words(use.left))


def _uses(matter_id: uuid.UUID, member_id: uuid.UUID, *, with_gets_but: uuid.UUID | None = None) -> list[Use]:
    settings = runtime().settings
    uses = []
    if limit := settings.quota_matter_bytes:
        coming = _coming(with_gets_but, Transfer.matter_id == matter_id)
        uses.append(Use("matter", _of_matter(matter_id) + coming, limit))
    if limit := settings.quota_member_bytes:
        coming = _coming(with_gets_but, Transfer.member_id == member_id)
        uses.append(Use("member", _of_member(member_id) + coming, limit))
    if (use := installation_use()) is not None:
        uses.append(use)
    return uses


def _of_matter(matter_id: uuid.UUID) -> int:
    of_matter = select(func.sum(Version.size)).join(Document, Document.id == Version.document_id)
    return int(session().scalar(of_matter.where(Document.matter_id == matter_id)) or 0)


def _of_member(member_id: uuid.UUID) -> int:
    of_member = select(func.sum(Version.size)).where(Version.created_by_id == member_id)
    return int(session().scalar(of_member) or 0)


def _of_all() -> int:
    return int(session().scalar(select(func.sum(Version.size))) or 0)


def _coming(item_id: uuid.UUID | None, whose: ColumnElement[bool]) -> int:
    """What gets that have begun to fetch will bring, this one aside."""
    if item_id is None:
        return 0
    query = (
        select(func.sum(TransferItem.size))
        .join(Transfer)
        .where(
            TransferItem.state.in_(OF_A_GET),
            TransferItem.batch_id.is_not(None),
            TransferItem.id != item_id,
            Transfer.kind == "get",
            whose,
        )
    )
    return int(session().scalar(query) or 0)


def _sum_of_all() -> int:
    """Over ten million versions this takes a second, so it is not asked for each file."""
    global _total
    with _total_lock:
        if _total is None or time.monotonic() - _total[0] > TOTAL_SECONDS:
            _total = (time.monotonic(), _of_all())
        return _total[1]


def _note_added(size: int) -> None:
    """So many bytes were added by this process since the sum was taken."""
    global _total
    with _total_lock:
        if _total is not None:
            _total = (_total[0], _total[1] + size)


def forget_total() -> None:
    """Take the sum anew the next time."""
    global _total
    with _total_lock:
        _total = None
