"""Select the documents of a folder, of a folder with its subfolders, or of a search, up to one transfer's limit."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from sqlalchemy import select

from imanage import documents
from imanage.client import Client
from imanage.ids import DocumentId, VersionId
from imanage.types import Document, Page
from models import Document as OurDocument
from models import Link, Transfer, TransferItem
from services.access import permissions
from services.connections import tokens
from services.core.actor import Actor
from services.core.errors import ConflictError
from services.core.unit_of_work import session
from services.guidance.refusals import refusal
from services.picker.browse import (
    PAGE_SIZE,
    SEARCHABLE,
    Location,
    activity,
    call_imanage,
    left_out,
    not_included,
)
from services.transfers import signed_rows
from services.transfers.requests import MOST_DOCUMENTS
from services.transfers.states import FINISHED

NEXT_PAGE = 500
"""Rows per call where most may be passed over."""
MOST_CALLS = 20
Fetch = Callable[[int], Page[Document]]


@dataclass(frozen=True)
class Selection:
    """Ids, names and signed rows. `is_cut`: there are more than one transfer can take.

    `empty` counts omitted documents of 0 bytes. `is_short`: iManage has more and no way to list them. `is_next`: those
    already here, under way or selected are passed over.
    """

    documents: tuple[tuple[VersionId, str, str], ...]
    total: int | None
    is_cut: bool
    empty: int = 0
    unreadable: int = 0
    missing: tuple[str, ...] = ()
    is_short: bool = False
    is_next: bool = False

    @property
    def is_complete(self) -> bool:
        """Whether everything is selected, so that no message is needed."""
        return bool(self.documents) and not (self.is_cut or self.has_omissions)

    @property
    def has_omissions(self) -> bool:
        """Whether something was omitted."""
        return bool(self.empty or self.unreadable or self.missing or self.is_short)

    @property
    def sentence(self) -> str:
        rest = [self._omitted, left_out(self.unreadable), not_included(self.missing)]
        rest += ["iManage did not list all of them."] if self.is_short else []
        return " ".join(filter(None, [self._selected, *rest]))

    @property
    def _omitted(self) -> str:
        if not self.empty:
            return ""
        return f"{self.empty} {'is' if self.empty == 1 else 'are'} empty (0 bytes) and cannot be selected."

    @property
    def _selected(self) -> str:
        if self.is_next:
            return self._selected_next
        if not self.documents:
            return "" if self.has_omissions else "There are no documents here that you can see."
        if not self.is_cut:
            return f"{len(self.documents)} selected."
        there = f"There are {self.total:,} documents. " if self.total else "There are more documents. "
        return (
            f"{there}You can get {MOST_DOCUMENTS} at once, so the first {len(self.documents)} are selected."
        )

    @property
    def _selected_next(self) -> str:
        if not self.documents:
            return "Everything here is in this matter, on its way or was selected before."
        more = " There are more." if self.is_cut else ""
        return f"The next {len(self.documents)} are selected. None is in this matter or on its way.{more}"


def collect(
    actor: Actor,
    matter_id: uuid.UUID,
    server_id: uuid.UUID,
    location: Location,
    *,
    below: bool = False,
    after: Collection[VersionId] | None = None,
) -> Selection:
    """The latest version of each, a hundred per call, in no more calls than one transfer's limit needs.

    With `after`, the selection so far, the next ones: those that are neither in it, nor in the matter, nor under way;
    as many as the selection can still take, or a new selection if it is full.

    Subfolders are not opened one by one: one search covers everything below a container.
    """
    permissions.require_transfer(actor, matter_id)
    container = next((step for step in reversed(location.steps) if step.kind in SEARCHABLE), None)
    if container is None and not location.text:
        raise refusal(ConflictError, "picker.nowhere")
    preferred = tokens.home_of(actor.id, server_id).library

    def gather(client: Client) -> Selection:
        is_top = bool(location.steps) and location.steps[-1].kind == "workspace"
        inside = container.id if container else None
        limit = PAGE_SIZE if after is None else NEXT_PAGE
        fetch = _fetch(client, location.text, inside, below or is_top, preferred, limit)
        sign = signed_rows.signer(server_id, actor.id)
        if passed is None:
            return _gather(sign, fetch)
        return replace(_gather(sign, fetch, passed, MOST_CALLS, most), is_next=True)

    passed, most = None, MOST_DOCUMENTS
    if after is not None:
        passed = {each.document for each in after} | _here(matter_id, server_id)
        most = MOST_DOCUMENTS - len(after) % MOST_DOCUMENTS
    return call_imanage(actor, server_id, gather, activity(location))


def _here(matter_id: uuid.UUID, server_id: uuid.UUID) -> set[DocumentId]:
    """The documents that are in the matter or under way to it. Two queries."""
    twins = session().execute(
        select(Link.library, Link.number)
        .join(OurDocument, OurDocument.id == Link.document_id)
        .where(OurDocument.matter_id == matter_id, Link.server_id == server_id, Link.ended_at.is_(None))
        .distinct()
    )
    under_way = session().scalars(
        select(TransferItem.source_id)
        .join(Transfer)
        .where(
            Transfer.matter_id == matter_id,
            Transfer.server_id == server_id,
            Transfer.kind == "get",
            TransferItem.state.not_in(FINISHED),
        )
    )
    return {DocumentId(*twin) for twin in twins} | {VersionId.parse(each).document for each in under_way}


def _fetch(client: Client, text: str, place_id: str | None, below: bool, preferred: str, limit: int) -> Fetch:
    if text or below or place_id is None:
        return lambda offset: documents.search(
            client, text, container_id=place_id, limit=limit, offset=offset, preferred=preferred
        )
    return lambda offset: documents.folder_documents(client, place_id, offset, limit)


def _gather(
    sign: signed_rows.Sign,
    fetch: Fetch,
    passed: Collection[DocumentId] = (),
    most_calls: int = MOST_DOCUMENTS // PAGE_SIZE + 1,
    most: int = MOST_DOCUMENTS,
) -> Selection:
    found: dict[VersionId, Document] = {}
    offset: int | None = 0
    total, empty, unreadable, missing, is_short = None, set[VersionId](), 0, dict[str, None](), False
    for _ in range(most_calls):
        if offset is None or len(found) >= most:
            break
        page = fetch(offset)
        wanted = [item for item in page.items if item.id.document not in passed]
        found |= {item.id: item for item in wanted if item.size != 0}
        empty |= {item.id for item in wanted if item.size == 0}
        offset, total, unreadable = page.next_offset, page.total, unreadable + page.unreadable
        missing |= dict.fromkeys(page.missing)
        is_short |= page.is_cut
    chosen = tuple(
        (item.id, item.full_name or str(item.id), sign(item)) for item in list(found.values())[:most]
    )
    is_cut = offset is not None or len(found) > len(chosen)
    return Selection(chosen, total, is_cut, len(empty), unreadable, tuple(missing), is_short)
