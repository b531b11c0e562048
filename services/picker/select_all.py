"""Select all documents of a folder, of a folder with its subfolders, or of a search, up to one transfer's limit."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from imanage import documents
from imanage.client import Client
from imanage.ids import VersionId
from imanage.types import Document, Page
from services.access import permissions
from services.connections import tokens
from services.core.actor import Actor
from services.core.errors import ConflictError
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

Fetch = Callable[[int], Page[Document]]


@dataclass(frozen=True)
class Selection:
    """Ids, names and signed rows. `is_cut`: there are more than one transfer can take.

    `empty` counts omitted documents of 0 bytes. `is_short`: iManage has more and no way to list them.
    """

    documents: tuple[tuple[VersionId, str, str], ...]
    total: int | None
    is_cut: bool
    empty: int = 0
    unreadable: int = 0
    missing: tuple[str, ...] = ()
    is_short: bool = False

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
        if not self.documents:
            return "" if self.has_omissions else "There are no documents here that you can see."
        if not self.is_cut:
            return f"{len(self.documents)} selected."
        there = f"There are {self.total:,} documents. " if self.total else "There are more documents. "
        return (
            f"{there}You can get {MOST_DOCUMENTS} at once, so the first {len(self.documents)} are selected."
        )


def collect(
    actor: Actor, matter_id: uuid.UUID, server_id: uuid.UUID, location: Location, *, below: bool = False
) -> Selection:
    """The latest version of each, a hundred per call, in no more calls than one transfer's limit needs.

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
        fetch = _fetch(client, location.text, inside, below or is_top, preferred)
        return _gather(signed_rows.signer(server_id, actor.id), fetch)

    return call_imanage(actor, server_id, gather, activity(location))


def _fetch(client: Client, text: str, place_id: str | None, below: bool, preferred: str) -> Fetch:
    if text or below or place_id is None:
        return lambda offset: documents.search(
            client, text, container_id=place_id, limit=PAGE_SIZE, offset=offset, preferred=preferred
        )
    return lambda offset: documents.folder_documents(client, place_id, offset, PAGE_SIZE)


def _gather(sign: signed_rows.Sign, fetch: Fetch) -> Selection:
    found: dict[VersionId, Document] = {}
    offset: int | None = 0
    total, empty, unreadable, missing, is_short = None, set[VersionId](), 0, dict[str, None](), False
    for _ in range(MOST_DOCUMENTS // PAGE_SIZE + 1):
        if offset is None or len(found) >= MOST_DOCUMENTS:
            break
        page = fetch(offset)
        found |= {item.id: item for item in page.items if item.size != 0}
        empty |= {item.id for item in page.items if item.size == 0}
        offset, total, unreadable = page.next_offset, page.total, unreadable + page.unreadable
        missing |= dict.fromkeys(page.missing)
        is_short |= page.is_cut
    chosen = tuple(
        (item.id, item.full_name or str(item.id), sign(item))
        for item in list(found.values())[:MOST_DOCUMENTS]
    )
    is_cut = offset is not None or len(found) > len(chosen)
    return Selection(chosen, total, is_cut, len(empty), unreadable, tuple(missing), is_short)
