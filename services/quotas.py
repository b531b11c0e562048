"""How much may be stored: in all, in a matter, and of a member. Every version counts with its size.

Looked at before the bytes come, with what other gets under way will bring, and again when all have come.
"""

from __future__ import annotations

import threading
import time
import uuid
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import ColumnElement, func, select

from models import Document, Transfer, TransferItem, Version
from services.errors import Refusal
from services.house import house
from services.text import bytes_in_words
from services.transfer_states import LIVE
from services.unit import session

Scope = Literal["matter", "member", "installation"]
NEARLY = 0.8
TOTAL_SECONDS = 15.0
"""The sum over all versions is taken so often by each process."""
OF_A_GET = sorted(LIVE)
NEAR = {
    "matter": "This matter is nearly full: it holds {used} of the {limit} that it may hold.",
    "member": "You have nearly used up your space: what you added takes {used} of {limit}, in all matters together.",
    "installation": "Counterpart is nearly full: it holds {used} of the {limit} that it may hold.",
}
FULL = {
    "matter": "This matter is full: it holds {used} of the {limit} that it may hold, so nothing can be added.",
    "member": "You have used up your space: what you added takes {used} of {limit}, so you cannot add more.",
    "installation": "Counterpart is full: it holds {used} of the {limit} that it may hold, so nothing can be added.",
}
TOO_LARGE = {
    "matter": "This file has {size}, and the matter has room for {left} more.",
    "member": "This file has {size}, and you have room for {left} more.",
    "installation": "This file has {size}, and Counterpart has room for {left} more.",
}
ASK = "Ask your System Admin for more room."

_total_lock = threading.Lock()
_total: tuple[float, int] | None = None


class QuotaReached(Refusal):
    """A limit would be passed. The next step is the System Admin's."""

    code = "quota"
    title = "There is no room for this"


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
    """For a file of so many bytes, before they come. Raises QuotaReached.

    `item_id` is the get that asks: what other gets under way will bring to the same matter, or of the same member, is
    counted as if it were here.
    """
    for use in _uses(matter_id, member_id, with_gets_but=item_id):
        if size > use.left:
            raise QuotaReached(
                f"{_why(use, size)} {ASK}", code=f"quota.{use.scope}", whose="your System Admin"
            )


def installation_use() -> Use | None:
    """Of the whole installation, None where it has no limit."""
    limit = house().settings.quota_bytes
    return Use("installation", _sum_of_all(), limit) if limit else None


def _why(use: Use, size: int) -> str:
    if use.is_full:
        return use.sentence.removesuffix(f" {ASK}")
    return TOO_LARGE[use.scope].format(size=bytes_in_words(size), left=bytes_in_words(use.left))


def _uses(matter_id: uuid.UUID, member_id: uuid.UUID, *, with_gets_but: uuid.UUID | None = None) -> list[Use]:
    settings = house().settings
    uses = []
    if limit := settings.quota_matter_bytes:
        of_matter = (select(func.sum(Version.size)).join(Document, Document.id == Version.document_id)).where(
            Document.matter_id == matter_id
        )
        coming = _coming(with_gets_but, Transfer.matter_id == matter_id)
        uses.append(Use("matter", int(session().scalar(of_matter) or 0) + coming, limit))
    if limit := settings.quota_member_bytes:
        of_member = select(func.sum(Version.size)).where(Version.created_by_id == member_id)
        coming = _coming(with_gets_but, Transfer.member_id == member_id)
        uses.append(Use("member", int(session().scalar(of_member) or 0) + coming, limit))
    if (use := installation_use()) is not None:
        uses.append(use)
    return uses


def _coming(item_id: uuid.UUID | None, whose: ColumnElement[bool]) -> int:
    """What gets that have begun to fetch will bring, this one aside."""
    if item_id is None:
        return 0
    query = (
        select(func.sum(TransferItem.size))
        .join(Transfer)
        .where(
            TransferItem.state.in_(OF_A_GET),
            TransferItem.load_id.is_not(None),
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
            _total = (time.monotonic(), int(session().scalar(select(func.sum(Version.size))) or 0))
        return _total[1]


def note_added(size: int) -> None:
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
