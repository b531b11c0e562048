"""Browsing iManage as the member: workspaces, folders, documents and searches, a hundred rows per call."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, TypeVar

from imanage import containers, documents
from imanage.client import Client
from imanage.errors import ImanageError
from imanage.ids import DocumentId, VersionId
from imanage.server_facts import ServerFacts
from imanage.types import CategoryType, Container, Page
from imanage.types import Document as RemoteDocument
from services.access import permissions
from services.access.server_access import known_to, require_use
from services.connections import tokens
from services.connections.tokens import Home
from services.core import bulkhead
from services.core.actor import Actor
from services.core.text.file_names import visible
from services.core.unit_of_work import release
from services.guidance.imanage_errors import Activity, remote_refusal
from services.guidance.outcomes import twin_sentence
from services.servers import server_facts, transport
from services.transfers import links, signed_rows
from services.transfers.twin_states import TwinFacts, TwinState

T = TypeVar("T")
Kind = Literal[
    "workspace", "folder", "read_only_folder", "favourites_category", "matters_category", "document"
]
Shelf = Literal["recent", "mine", "favourites"]
Purpose = Literal["get", "folder", "document"]
"""What is chosen: documents to get, a folder for a new document, or a document for a new version."""
Rows = Page[Container] | Page[RemoteDocument] | Page[Container | RemoteDocument]

PAGE_SIZE = 100
WORKSPACES_BESIDE_DOCUMENTS = 20
SHELVES: tuple[Shelf, ...] = ("recent", "mine", "favourites")
FOLDER_TYPES = frozenset({"regular", "tab", "search", "category"})
"""Those whose meaning is known; a folder of another type is tried."""
NOT_WRITABLE = frozenset({"no_access", "read", "view"})
"""Other words for the access to a folder are not known to forbid anything: iManage decides when it is tried."""
CATEGORIES: dict[Kind, CategoryType] = {
    "favourites_category": "my_favorites",
    "matters_category": "my_matters",
}
SEARCHABLE = frozenset({"workspace", "folder", "read_only_folder"})
MOST_NAMED = 5


@dataclass(frozen=True)
class Step:
    """One step of a path: a category, a workspace, a folder, or a document with its versions.

    This person cannot save into a read-only folder.
    """

    kind: Kind
    id: str
    name: str


@dataclass(frozen=True)
class Location:
    """What a list shows: a shelf of workspaces, the last step of a path, or the results of a search there."""

    steps: tuple[Step, ...] = ()
    text: str = ""
    shelf: Shelf = "recent"
    offset: int = 0
    purpose: Purpose = "get"


@dataclass(frozen=True)
class ContainerRow:
    """A workspace or folder."""

    step: Step
    client: str
    matter: str
    edited_at: datetime | None


@dataclass(frozen=True)
class DocumentRow:
    """A version in iManage; `called` is its signed row (services.transfers.signed_rows)."""

    id: VersionId
    name: str
    type: str
    author: str
    edited_at: datetime | None
    size: int | None
    checked_out_by: str
    workspace: str
    note: str
    here: TwinFacts | None
    label: str
    called: str

    @property
    def relation(self) -> str:
        """Compared with the newest version that was here: "newer", "same" or "older"; empty if there is none."""
        if self.here is None:
            return ""
        if self.id.version == self.here.had:
            return "same"
        return "newer" if self.id.version > self.here.had else "older"

    @property
    def twin_state(self) -> TwinState | None:
        """An older version has one only if it is the one here."""
        if self.here is None:
            return None
        if self.id.version == self.here.latest:
            return self.here.state
        return TwinState.SAME if self.id.version == self.here.held else None

    @property
    def description(self) -> str:
        """The same as a sentence."""
        if self.here is None:
            return ""
        if self.id.version == self.here.latest:
            return twin_sentence(self.here, self.label)
        if self.id.version == self.here.held:
            return f"This is version {self.here.here} here, the current version."
        return "Older than the copy here." if self.relation == "older" else ""


@dataclass(frozen=True)
class Listing:
    """Up to a hundred rows, and the offset of the next hundred."""

    location: Location
    containers: tuple[ContainerRow, ...]
    documents: tuple[DocumentRow, ...]
    total: int | None
    next_offset: int | None
    unreadable: int = 0
    missing: tuple[str, ...] = ()
    is_cut: bool = False
    """Whether iManage has more rows and no way to list them."""

    @property
    def left_out(self) -> str:
        """Says that some items are not shown; empty if all are."""
        return left_out(self.unreadable)

    @property
    def not_included(self) -> str:
        """Says which libraries are missing; empty if none is."""
        return not_included(self.missing)

    @property
    def documents_in_all(self) -> int | None:
        """The number of documents, including those not shown; None if iManage did not count them.

        Subfolders come first, so a list that shows documents shows all subfolders.
        """
        if self.next_offset is None and self.location.offset == 0:
            return len(self.documents)
        in_folder = not self.location.text and bool(self.location.steps)
        return self.total - len(self.containers) if self.total and in_folder else self.total

    @property
    def is_empty(self) -> bool:
        has_rows = self.containers or self.documents or self.unreadable
        return not (has_rows or self.missing) and self.location.offset == 0


def left_out(unreadable: int) -> str:
    """A sentence with the number of items that cannot be shown."""
    if not unreadable:
        return ""
    items = "1 item" if unreadable == 1 else f"{unreadable:,} items"
    return f"{items} could not be shown."


def not_included(missing: Sequence[str]) -> str:
    """A sentence with the libraries that are not part of a list."""
    if not missing:
        return ""
    named = ", ".join(visible(name) for name in missing[:MOST_NAMED])
    more = f" and {len(missing) - MOST_NAMED} more" if len(missing) > MOST_NAMED else ""
    return f"Not included: {'library' if len(missing) == 1 else 'libraries'} {named}{more}."


def list_location(actor: Actor, matter_id: uuid.UUID, server_id: uuid.UUID, location: Location) -> Listing:
    """The contents of a location. One remote call; two for a search from the top (workspaces and documents).

    Lists that only libraries have take one call for each library.
    """
    permissions.require_transfer(actor, matter_id)
    if location.text and not _searched(location):
        location = replace(location, steps=())  # a category has no search of its own
    home = tokens.home_of(actor.id, server_id)
    pages = call_imanage(actor, server_id, lambda client: _fetch(client, location, home), activity(location))
    items = [item for page in pages for item in page.items]
    facts = server_facts.last_used(server_id)
    found = list({item.id: item for item in items if isinstance(item, RemoteDocument)}.values())
    last = pages[-1]
    return Listing(
        location=location,
        containers=tuple(
            _container_row(item, location, facts) for item in items if isinstance(item, Container)
        ),
        documents=document_rows(actor, matter_id, server_id, found),
        total=last.total,
        next_offset=last.next_offset,
        unreadable=sum(page.unreadable for page in pages),
        missing=tuple(dict.fromkeys(name for page in pages for name in page.missing)),
        is_cut=any(page.is_cut for page in pages),
    )


def document_rows(
    actor: Actor, matter_id: uuid.UUID, server_id: uuid.UUID, found: Sequence[RemoteDocument]
) -> tuple[DocumentRow, ...]:
    """The rows of these versions, signed for this member, with what the matter has of each. Two queries."""
    here, label = _twins_here(matter_id, server_id, found), known_to(actor).label(server_id)
    sign = signed_rows.signer(server_id, actor.id)
    return tuple(_document_row(sign, item, here.get(item.id.document), label) for item in found)


def activity(location: Location) -> Activity:
    """The activity that an error message names."""
    return "searching" if location.text else "reading"


def call_imanage(
    actor: Actor, server_id: uuid.UUID, call: Callable[[Client], T], activity: Activity = "reading"
) -> T:
    """Make calls as the member. Raises RemoteRefusedError, which names the server."""
    outbound = transport.outbound(require_use(actor.id, server_id), for_page=True)
    release()
    try:
        with bulkhead.slot(actor.id):
            return tokens.with_client(actor.id, server_id, call, outbound)
    except ImanageError as error:
        raise remote_refusal(error, known_to(actor).label(server_id), activity) from error


def _fetch(client: Client, location: Location, home: Home) -> tuple[Rows, ...]:
    if location.text:
        return _search(client, location, home)
    if location.steps:
        return (_children(client, location.steps[-1], location.offset, home),)
    return (_shelf(client, location.shelf, home),)


def _children(client: Client, step: Step, offset: int, home: Home) -> Rows:
    if step.kind == "document":
        versions = documents.versions(client, VersionId.parse(step.id))
        return replace(versions, items=versions.items[::-1])
    if step.kind in CATEGORIES:
        return containers.category_children(client, CATEGORIES[step.kind], step.id, home.user_id)
    if step.kind == "workspace":
        return containers.workspace_children(client, step.id, PAGE_SIZE, offset)
    return containers.folder_children(client, step.id, offset, PAGE_SIZE)


def _searched(location: Location) -> list[str]:
    """The containers that a search can be limited to, the innermost last."""
    return [step.id for step in location.steps if step.kind in SEARCHABLE]


def _search(client: Client, location: Location, home: Home) -> tuple[Rows, ...]:
    text, offset, preferred = location.text, location.offset, home.library
    if inside := _searched(location):
        return (documents.search(client, text, container_id=inside[-1], limit=PAGE_SIZE, offset=offset),)
    if location.purpose == "folder":
        return (
            containers.search_workspaces(client, text, limit=PAGE_SIZE, offset=offset, preferred=preferred),
        )
    found = documents.search(client, text, limit=PAGE_SIZE, offset=offset, preferred=preferred)
    if offset:
        return (found,)
    beside = WORKSPACES_BESIDE_DOCUMENTS
    return (containers.search_workspaces(client, text, limit=beside, preferred=preferred), found)


def _shelf(client: Client, shelf: Shelf, home: Home) -> Rows:
    if shelf == "recent":
        return containers.recent_workspaces(client, limit=PAGE_SIZE, preferred=home.library)
    if shelf == "mine":
        return containers.of_libraries(
            client, home.library, lambda library: containers.my_matters(client, library, home.user_id)
        )
    return containers.of_libraries(
        client, home.library, lambda library: containers.favourites(client, library)
    )


def _kind_of(item: Container, location: Location, facts: ServerFacts) -> Kind:
    if item.kind == "workspace":
        return "workspace"
    if item.kind == "category":
        for kind, category_type in CATEGORIES.items():
            if category_type == item.category_type:
                return kind
        around = location.steps[-1].kind if location.steps else None
        is_of_matters = around == "matters_category" or (around is None and location.shelf == "mine")
        return "matters_category" if is_of_matters else "favourites_category"
    folder_type = "search" if item.is_search else item.folder_type
    takes_none = folder_type in FOLDER_TYPES.difference(facts.document_containers)
    is_closed = takes_none or (item.access or "").lower() in NOT_WRITABLE
    return "read_only_folder" if is_closed else "folder"


def _container_row(item: Container, location: Location, facts: ServerFacts) -> ContainerRow:
    kind = _kind_of(item, location, facts)
    return ContainerRow(
        step=Step(kind, item.id, item.name or item.id),
        client=item.client or "",
        matter=item.matter or "",
        edited_at=item.edited_at,
    )


def _document_row(
    sign: signed_rows.Sign, item: RemoteDocument, here: TwinFacts | None, label: str
) -> DocumentRow:
    name = item.full_name or str(item.id)
    holder = item.in_use_by_name or item.in_use_by or "someone"
    return DocumentRow(
        id=item.id,
        name=visible(name),
        type="Email" if item.is_email else item.extension.upper() or item.type or "",
        author=item.author_name or item.author or "",
        edited_at=item.edited_at,
        size=item.size,
        checked_out_by=holder if item.is_checked_out else "",
        workspace=visible(item.workspace_name or ""),
        note=visible(item.comment or ""),
        here=here,
        label=label,
        called=sign(item),
    )


def _twins_here(
    matter_id: uuid.UUID, server_id: uuid.UUID, found: Sequence[RemoteDocument]
) -> dict[DocumentId, TwinFacts]:
    """The facts about the twin of each document found, given its latest version seen. One query."""
    known = links.in_matter(matter_id, server_id, {item.id.number for item in found})
    latest: dict[DocumentId, int] = {}
    for item in found:
        seen = max(item.id.version, item.latest or 0)
        latest[item.id.document] = max(seen, latest.get(item.id.document, 0))
    return {
        document: known[key].as_seen(version)
        for document, version in latest.items()
        if (key := (document.library.casefold(), document.number)) in known
    }
