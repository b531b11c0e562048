"""Looking around in iManage as oneself: workspaces, folders, documents and searches, a hundred rows a call."""

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
from imanage.types import Container, Page
from imanage.types import Document as RemoteDocument
from services.access import permissions
from services.access.server_access import known_to, label_for, require_use
from services.connections import clients
from services.connections.clients import Home
from services.core import bulkhead
from services.core.actor import Actor
from services.core.text.file_names import visible
from services.core.unit_of_work import release
from services.guidance.imanage_errors import Doing, remote_refusal
from services.servers import transport
from services.transfers import links, signed_names
from services.transfers.twin_states import BADGES, TwinFacts, TwinState, sentence

T = TypeVar("T")
Kind = Literal["workspace", "folder", "closed_folder", "document"]
Shelf = Literal["recent", "mine", "favourites"]
Rows = Page[Container] | Page[RemoteDocument] | Page[Container | RemoteDocument]

PAGE = 100
WORKSPACES_BESIDE_DOCUMENTS = 20
SHELVES: tuple[Shelf, ...] = ("recent", "mine", "favourites")
TAKES_NO_DOCUMENTS = frozenset({"search"})
MAY_WRITE = frozenset({"read_write", "full_access"})


@dataclass(frozen=True)
class Step:
    """A step of the way down: a workspace, a folder, or a document with its versions.

    Into a closed folder this person can save nothing.
    """

    kind: Kind
    id: str
    name: str


@dataclass(frozen=True)
class Where:
    """What the person looks at: a shelf of workspaces, the last step of a way, or what a text finds there."""

    steps: tuple[Step, ...] = ()
    text: str = ""
    shelf: Shelf = "recent"
    offset: int = 0
    for_saving: bool = False


@dataclass(frozen=True)
class PlaceRow:
    """A workspace or folder that can be opened."""

    step: Step
    client: str
    matter: str
    edited_at: datetime | None


@dataclass(frozen=True)
class FoundRow:
    """A version in iManage; `called` is its name, signed (picked_names)."""

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
    def standing(self) -> str:
        """Against the newest that we have had here: "newer", "same" or "older"; empty where there is none."""
        if self.here is None:
            return ""
        if self.id.version == self.here.had:
            return "same"
        return "newer" if self.id.version > self.here.had else "older"

    @property
    def badge(self) -> tuple[str, str] | None:
        """What it is to the copy here, in words and a tone; of versions that are not the latest only which is ours."""
        if self.here is None:
            return None
        if self.id.version == self.here.latest:
            return BADGES[self.here.state]
        return BADGES[TwinState.SAME] if self.id.version == self.here.held else None

    @property
    def said(self) -> str:
        """The same in a sentence."""
        if self.here is None:
            return ""
        if self.id.version == self.here.latest:
            return sentence(self.here, self.label)
        if self.id.version == self.here.held:
            return f"This is version {self.here.here} here, the current version."
        return "Older than the copy here." if self.standing == "older" else ""


@dataclass(frozen=True)
class Listing:
    """One answer of up to a hundred rows, and where the next hundred begin."""

    where: Where
    places: tuple[PlaceRow, ...]
    documents: tuple[FoundRow, ...]
    total: int | None
    next_offset: int | None
    unreadable: int = 0

    @property
    def left_out(self) -> str:
        """That something stands there that is not shown; empty where nothing is left out."""
        return left_out(self.unreadable)

    @property
    def documents_in_all(self) -> int | None:
        """How many documents there are, also beyond those shown; None where iManage did not count them.

        A folder's own folders come first, so that a list that shows documents shows all of them.
        """
        if self.next_offset is None and self.where.offset == 0:
            return len(self.documents)
        in_folder = not self.where.text and bool(self.where.steps)
        return self.total - len(self.places) if self.total and in_folder else self.total

    @property
    def is_empty(self) -> bool:
        return not (self.places or self.documents or self.unreadable) and self.where.offset == 0


def left_out(unreadable: int) -> str:
    """How many entries of a list of iManage's have no place on a page, in a sentence."""
    if not unreadable:
        return ""
    items = "1 item" if unreadable == 1 else f"{unreadable:,} items"
    return f"{items} could not be shown."


def look(actor: Actor, matter_id: uuid.UUID, server_id: uuid.UUID, where: Where) -> Listing:
    """What stands there. One remote call; a search from the top asks for workspaces and for documents."""
    permissions.require_transfer(actor, matter_id)
    home = clients.home_of(actor.id, server_id)
    pages = ask(actor, server_id, lambda client: _fetch(client, where, home), doing(where))
    items = [item for page in pages for item in page.items]
    found = list({item.id: item for item in items if isinstance(item, RemoteDocument)}.values())
    here = _twins_here(matter_id, server_id, found)
    label = known_to(actor).label(server_id)
    last = pages[-1]
    sign = signed_names.signer(server_id)
    return Listing(
        where=where,
        places=tuple(_place(item) for item in items if isinstance(item, Container)),
        documents=tuple(_found(sign, item, here.get(item.id.document), label) for item in found),
        total=last.total,
        next_offset=last.next_offset,
        unreadable=sum(page.unreadable for page in pages),
    )


def doing(where: Where) -> Doing:
    """What a refusal is about."""
    return "searching" if where.text else "reading"


def ask(actor: Actor, server_id: uuid.UUID, call: Callable[[Client], T], doing: Doing = "reading") -> T:
    """Make calls in the person's name.

    What goes wrong there comes out as a RemoteRefusedError with the server's name.
    """
    server = require_use(actor.id, server_id)
    label, outbound = label_for(actor.id, server), transport.outbound(server, for_page=True)
    release()
    try:
        with bulkhead.slot(actor.id):
            return clients.with_client(actor.id, server_id, call, outbound)
    except ImanageError as error:
        raise remote_refusal(error, label, doing) from error


def _fetch(client: Client, where: Where, home: Home) -> tuple[Rows, ...]:
    if where.text:
        return _search(client, where)
    if where.steps:
        return (_children(client, where.steps[-1], where.offset),)
    return (_shelf(client, where.shelf, home),)


def _children(client: Client, step: Step, offset: int) -> Rows:
    if step.kind == "document":
        versions = documents.versions(client, VersionId.parse(step.id))
        return replace(versions, items=versions.items[::-1])
    if step.kind == "workspace":
        return containers.workspace_children(client, step.id, PAGE, offset)
    return containers.folder_children(client, step.id, offset, PAGE)


def _search(client: Client, where: Where) -> tuple[Rows, ...]:
    inside = [step.id for step in where.steps if step.kind != "document"]
    if inside:
        return (
            documents.search(client, where.text, container_id=inside[-1], limit=PAGE, offset=where.offset),
        )
    if where.for_saving:
        return (containers.search_workspaces(client, where.text, limit=PAGE, offset=where.offset),)
    found = documents.search(client, where.text, limit=PAGE, offset=where.offset)
    if where.offset:
        return (found,)
    return (containers.search_workspaces(client, where.text, limit=WORKSPACES_BESIDE_DOCUMENTS), found)


def _shelf(client: Client, shelf: Shelf, home: Home) -> Rows:
    if shelf == "recent":
        return containers.recent_workspaces(client, limit=PAGE)
    library = home.library or next((each.id for each in containers.libraries(client) if not each.hidden), "")
    if shelf == "mine":
        return containers.my_matters(client, library, home.user_id)
    return containers.favourites(client, library)


def _place(item: Container) -> PlaceRow:
    closed = (item.access is not None and item.access not in MAY_WRITE) or (
        item.folder_type in TAKES_NO_DOCUMENTS
    )
    kind: Kind = "workspace" if item.kind == "workspace" else "closed_folder" if closed else "folder"
    return PlaceRow(
        step=Step(kind, item.id, item.name or item.id),
        client=item.client or "",
        matter=item.matter or "",
        edited_at=item.edited_at,
    )


def _found(sign: signed_names.Sign, item: RemoteDocument, here: TwinFacts | None, label: str) -> FoundRow:
    name = item.full_name or str(item.id)
    holder = item.in_use_by_name or item.in_use_by or "someone"
    return FoundRow(
        id=item.id,
        name=visible(name),
        type="E-mail" if item.is_email else item.extension.upper() or item.type or "",
        author=item.author_name or item.author or "",
        edited_at=item.edited_at,
        size=item.size,
        checked_out_by=holder if item.is_checked_out else "",
        workspace=visible(item.workspace_name or ""),
        note=visible(item.comment or ""),
        here=here,
        label=label,
        called=sign(item.id, name),
    )


def _twins_here(
    matter_id: uuid.UUID, server_id: uuid.UUID, found: Sequence[RemoteDocument]
) -> dict[DocumentId, TwinFacts]:
    """Of each document that was found, what it is to the copy here, now that its latest version is seen. One query."""
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
