"""Everything at once: the documents of a folder, of all below it, or of a search, up to one transfer's most."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from imanage import documents
from imanage.client import Client
from imanage.ids import VersionId
from imanage.types import Document, Page
from services.access import permissions
from services.core.actor import Actor
from services.core.errors import ConflictError
from services.picker.browse import PAGE, Where, ask, doing, left_out
from services.transfers import signed_names
from services.transfers.requests import MOST_AT_ONCE

Fetch = Callable[[int], Page[Document]]


@dataclass(frozen=True)
class Gathered:
    """Ids, names, and these signed (picked_names). `is_cut`: one transfer does not take all.

    `empty` had no bytes and were passed over.
    """

    documents: tuple[tuple[VersionId, str, str], ...]
    total: int | None
    is_cut: bool
    empty: int = 0
    unreadable: int = 0

    @property
    def is_all(self) -> bool:
        """Whether there is nothing to be said: all that is there is selected."""
        return bool(self.documents) and not (self.is_cut or self.is_short)

    @property
    def is_short(self) -> bool:
        """Whether something that is there was passed over."""
        return bool(self.empty or self.unreadable)

    @property
    def sentence(self) -> str:
        return " ".join(filter(None, [self._selected, self._passed, left_out(self.unreadable)]))

    @property
    def _passed(self) -> str:
        if not self.empty:
            return ""
        return f"{self.empty} {'is' if self.empty == 1 else 'are'} empty (0 bytes) and cannot be selected."

    @property
    def _selected(self) -> str:
        if not self.documents:
            return "" if self.is_short else "There are no documents here that you can see."
        if not self.is_cut:
            return f"{len(self.documents)} selected."
        there = f"There are {self.total:,} documents. " if self.total else "There are more documents. "
        return f"{there}You can get {MOST_AT_ONCE} at once, so the first {len(self.documents)} are selected."


def everything(
    actor: Actor, matter_id: uuid.UUID, server_id: uuid.UUID, where: Where, *, below: bool = False
) -> Gathered:
    """The newest version of each, a hundred a call, in no more calls than one transfer's most takes.

    Folders are not opened one by one: what lies below a place is asked for as one search there.
    """
    permissions.require_transfer(actor, matter_id)
    place = next((step for step in reversed(where.steps) if step.kind != "document"), None)
    if place is None and not where.text:
        raise ConflictError("Open a folder, or search, before you select everything.", code="picker.nowhere")

    def gather(client: Client) -> Gathered:
        fetch = _fetch(client, where.text, place.id if place else None, below or _is_top(where))
        return _gather(server_id, fetch)

    return ask(actor, server_id, gather, doing(where))


def _is_top(where: Where) -> bool:
    return bool(where.steps) and where.steps[-1].kind == "workspace"


def _fetch(client: Client, text: str, place_id: str | None, below: bool) -> Fetch:
    if text or below or place_id is None:
        return lambda offset: documents.search(client, text, container_id=place_id, limit=PAGE, offset=offset)
    return lambda offset: documents.folder_documents(client, place_id, offset, PAGE)


def _gather(server_id: uuid.UUID, fetch: Fetch) -> Gathered:
    found: dict[VersionId, str] = {}
    offset: int | None = 0
    total, empty, unreadable = None, set[VersionId](), 0
    for _ in range(MOST_AT_ONCE // PAGE + 1):
        if offset is None or len(found) >= MOST_AT_ONCE:
            break
        page = fetch(offset)
        found |= {item.id: item.full_name or str(item.id) for item in page.items if item.size != 0}
        empty |= {item.id for item in page.items if item.size == 0}
        offset, total, unreadable = page.next_offset, page.total, unreadable + page.unreadable
    sign = signed_names.signer(server_id)
    chosen = tuple((source, name, sign(source, name)) for source, name in list(found.items())[:MOST_AT_ONCE])
    is_cut = offset is not None or len(found) > len(chosen)
    return Gathered(chosen, total, is_cut, len(empty), unreadable)
