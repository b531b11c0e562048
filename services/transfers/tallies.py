"""Counts of a transfer's documents by outcome, and the name of the first: one query for any number of transfers."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Text, and_, case, cast, func, select

from models import Document, Transfer, TransferItem
from services.core.text.file_names import visible
from services.core.unit_of_work import session
from services.guidance.outcomes import summary
from services.transfers.lifecycle import may_have_arrived
from services.transfers.outcomes import Outcome, may_retry, outcome_of
from services.transfers.states import ItemState


@dataclass
class Tally:
    """The counts of one transfer. `first` and `first_here` sort like the rows of its page and end with the name of the
    first document, or of the first that is here.

    `replaced` is the number of the version in iManage that a save of one document replaced.
    """

    kind: str
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    retryable: int = 0
    bytes_done: int = 0
    bytes_total: int = 0
    first: tuple[int, int, str] | None = None
    first_here: tuple[int, int, str] | None = None
    replaced: str = ""

    @property
    def total(self) -> int:
        return sum(self.states.values())

    def named(self, is_known: bool) -> str:
        """The first name that the viewer may read: if they may not know the server, only of documents that are here."""
        found = self.first if is_known else self.first_here
        return (visible(found[-1]) if found else "") or "A document"

    def summary(self, label: str, is_known: bool) -> str:
        """The transfer in a sentence. `label`: the viewer's name for the server; `is_known`: may they know it."""
        if not self.states:
            return ""
        replaced = self.replaced if is_known else ""
        return summary(self.kind, label, self.outcomes, self.named(is_known), replaced)

    def documents(self, is_known: bool) -> str:
        """`Lease.docx`, or `Lease.docx and 8 others`."""
        if self.total < 2:
            return self.named(is_known)
        if not (is_known or self.first_here):
            return f"{self.total} documents"
        others = "1 other" if self.total == 2 else f"{self.total - 1} others"
        return f"{self.named(is_known)} and {others}"


ROW_ORDER = {
    ItemState.NEEDS_DECISION: 0,
    ItemState.NEEDS_SIGN_IN: 0,
    ItemState.FAILED: 1,
    ItemState.STOPPED: 2,
}
LAST = 3
"""A transfer's page shows what needs a person first, then what failed or stopped, then the rest by position."""

_DIGITS = 7
# The position with leading zeros, so that it sorts as text.
_POSITION = func.substr(cast(10**_DIGITS + TransferItem.position, Text), 2, type_=Text)
_IS_HERE = and_(TransferItem.state == ItemState.DONE, Document.name.is_not(None))
# An assigned None is stored as JSON null, an unassigned one as SQL NULL.
_NO_RECEIPT = func.coalesce(cast(TransferItem.receipt, Text), "null") == "null"
_UNSURE = and_(TransferItem.sent_at.is_not(None), _NO_RECEIPT)


def of_transfers(ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Tally]:
    """Tallies by transfer id. One query."""
    name = case((_IS_HERE, Document.name), else_=TransferItem.name)
    same = (
        TransferItem.transfer_id,
        Transfer.kind,
        TransferItem.state,
        TransferItem.outcome,
        TransferItem.error_code,
    )
    rows = session().execute(
        select(
            *same,
            _UNSURE.label("unsure"),
            func.count().label("documents"),
            func.coalesce(func.sum(TransferItem.bytes_done), 0).label("bytes_done"),
            func.coalesce(func.sum(TransferItem.size), 0).label("bytes_total"),
            func.min(_POSITION + name).label("first"),
            func.min(TransferItem.receipt["version"].as_string()).label("version_there"),
        )
        .join(Transfer, Transfer.id == TransferItem.transfer_id)
        .outerjoin(Document, Document.id == TransferItem.document_id)
        .where(TransferItem.transfer_id.in_(ids))
        .group_by(*same, _UNSURE)
    )
    found: dict[uuid.UUID, Tally] = {}
    for row in rows:
        tally = found.setdefault(row.transfer_id, Tally(row.kind))
        unsure = bool(row.unsure) and row.kind == "save"
        outcome = outcome_of(row.kind, row.state, row.outcome, row.error_code, may_have_arrived=unsure)
        tally.outcomes[outcome] += row.documents
        tally.states[row.state] += row.documents
        if outcome is Outcome.REPLACED:
            tally.replaced = str(row.version_there or "")
        if may_retry(row.state, row.error_code, may_have_arrived=unsure):
            tally.retryable += row.documents
        tally.bytes_done += int(row.bytes_done)
        tally.bytes_total += int(row.bytes_total)
        first = (ROW_ORDER.get(row.state, LAST), int(row.first[:_DIGITS]), row.first[_DIGITS:])
        tally.first = min(filter(None, (tally.first, first)))
        if row.kind == "save" or row.state == ItemState.DONE:
            tally.first_here = min(filter(None, (tally.first_here, first)))
    return found


def outcome(kind: str, item: TransferItem) -> Outcome:
    """The outcome of one item."""
    unsure = kind == "save" and may_have_arrived(item)
    return outcome_of(kind, item.state, item.outcome, item.error_code, may_have_arrived=unsure)


def retries(kind: str, item: TransferItem) -> bool:
    """Whether retrying one item could succeed."""
    unsure = kind == "save" and may_have_arrived(item)
    return may_retry(item.state, item.error_code, may_have_arrived=unsure)
