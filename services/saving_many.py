"""Saving many documents of a matter at once: what becomes of each is shown, then one transfer carries all."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Row, exists, func, select

from imanage.ids import VersionId
from models import Document, Link, TransferItem, Version
from services import audit, connections, links, permissions
from services.actor import Actor
from services.errors import Invalid, NotFound
from services.file_names import split
from services.links import TwinStatus
from services.server_access import label_for, require_use
from services.transfer_states import WAITING
from services.transfers import (
    MOST_AT_ONCE,
    NEW_DOCUMENT,
    name_there,
    new_transfer,
    same_request,
    target_of,
)
from services.unit import session, unit
from transfers.items import NewVersion


@dataclass(frozen=True)
class Line:
    """One document, and where it has a twin on this server the version there that ours stands on.

    `is_there` where our current version is in iManage already.
    """

    document_id: uuid.UUID
    name: str
    version: Version
    twin: VersionId | None = None
    is_there: bool = False

    @property
    def becomes(self) -> str:
        if self.is_there:
            return "There already"
        return f"New version of {self.twin.number}" if self.twin else "New document"


@dataclass(frozen=True)
class SaveManyPicker:
    matter_id: uuid.UUID
    matter_name: str
    server_id: uuid.UUID
    label: str
    is_practice: bool
    most: int
    documents: tuple[tuple[uuid.UUID, str, str], ...]
    """Of each its id, its name, and what becomes of it where twins get new versions."""
    twins: int
    there: int
    left: int = 0
    """So many more the matter has than one transfer takes."""

    @property
    def without_twin(self) -> int:
        return len(self.documents) - self.twins


@dataclass(frozen=True)
class SaveManyCommand:
    """`onto_twins`: those with a twin become its next version. The others go into the folder."""

    request_key: uuid.UUID
    matter_id: uuid.UUID
    server_id: uuid.UUID
    document_ids: tuple[uuid.UUID, ...]
    onto_twins: bool
    folder_id: str = ""
    note: str = ""


def plan(
    actor: Actor, matter_id: uuid.UUID, server_id: uuid.UUID, document_ids: Sequence[uuid.UUID] | None
) -> SaveManyPicker:
    """What would become of these documents, or of the whole matter's. Raises SignInNeeded.

    Of a matter with more than one transfer takes those come first that are not in iManage as they are here.
    """
    matter = permissions.require_transfer(actor, matter_id)
    server = require_use(actor.id, server_id)
    connections.home_of(actor.id, server_id)
    if document_ids is None:
        rows, left = _whole(matter_id, server_id)
    else:
        rows, left = _chosen(matter_id, document_ids), 0
    lines = _lines(actor, server_id, rows)
    return SaveManyPicker(
        matter_id=matter_id,
        matter_name=matter.name,
        server_id=server_id,
        label=label_for(actor.id, server),
        is_practice=server.is_practice,
        most=MOST_AT_ONCE,
        documents=tuple((line.document_id, line.name, line.becomes) for line in lines),
        twins=sum(line.twin is not None for line in lines),
        there=sum(line.is_there for line in lines),
        left=left,
    )


def start(actor: Actor, command: SaveManyCommand) -> uuid.UUID:
    """Put one transfer with an item for each document on record and start it. The same form finds the same transfer."""
    with unit() as writing:
        matter = permissions.require_transfer(actor, command.matter_id)
        server = require_use(actor.id, command.server_id)
        if (known := same_request(actor, command.request_key)) is not None:
            return known
        lines = _lines(actor, server.id, _chosen(matter.id, command.document_ids))
        if command.onto_twins:
            lines = [line for line in lines if not line.is_there]
            if not lines:
                raise Invalid({"document": "Each of these is in iManage already, just as it is here."})
        folder = None
        needs_folder = not command.onto_twins or any(line.twin is None for line in lines)
        if needs_folder:
            if not command.folder_id:
                raise Invalid({"folder": "Choose a folder for those that become new documents."})
            folder = target_of(NEW_DOCUMENT, command.folder_id)
        transfer = new_transfer(actor, command.request_key, "save", matter.id, server)
        items = []
        for position, line in enumerate(lines, 1):
            onto = line.twin if command.onto_twins else None
            target = folder if onto is None else NewVersion(onto)
            assert target is not None
            items.append(
                TransferItem(
                    transfer=transfer,
                    position=position,
                    name=name_there(split(line.name).stem, line.version),
                    state=WAITING,
                    document_id=line.document_id,
                    version_id=line.version.id,
                    target=target.kind,
                    target_id=str(target),
                    note=command.note,
                    size=line.version.size,
                    sha256=line.version.sha256,
                    based_on=onto.version if onto else None,
                )
            )
        writing.add_all(items)
        writing.flush()
        audit.record(
            actor,
            "transfer.save_started",
            matter.name,
            subject_id=transfer.id,
            matter_id=matter.id,
            server_id=server.id,
            documents=[line.name for line in lines],
            folder=command.folder_id if needs_folder else "",
        )
        return transfer.id


_CURRENT = (
    select(Document, Version)
    .join(Version, Version.id == Document.current_version_id)
    .order_by(Document.name_key, Document.id)
)


def _chosen(matter_id: uuid.UUID, document_ids: Sequence[uuid.UUID]) -> Sequence[Row[Document, Version]]:
    """By name. Raises NotFound for one of another matter, Invalid for too many."""
    wanted = set(document_ids)
    if len(wanted) > MOST_AT_ONCE:
        raise Invalid({"document": f"Choose {MOST_AT_ONCE} documents or fewer at once."})
    rows = session().execute(_CURRENT.where(Document.matter_id == matter_id, Document.id.in_(wanted))).all()
    if len(rows) < len(wanted):
        raise NotFound("We could not find one of these documents.")
    return rows


def _whole(matter_id: uuid.UUID, server_id: uuid.UUID) -> tuple[Sequence[Row[Document, Version]], int]:
    """As many as one transfer takes, by name, and how many more there are."""
    total = session().scalar(select(func.count()).where(Document.matter_id == matter_id)) or 0
    is_there = exists().where(
        Link.version_id == Document.current_version_id, Link.server_id == server_id, Link.ended_at.is_(None)
    )
    first = (
        select(Document.id)
        .where(Document.matter_id == matter_id)
        .order_by(is_there, Document.name_key, Document.id)
        .limit(MOST_AT_ONCE)
    )
    rows = session().execute(_CURRENT.where(Document.id.in_(first))).all()
    return rows, total - len(rows)


def _lines(actor: Actor, server_id: uuid.UUID, rows: Sequence[Row[Document, Version]]) -> list[Line]:
    """In their order. One query, however many. Raises Invalid for none."""
    if not rows:
        raise Invalid({"document": "Choose at least one document."})
    twins = links.for_documents(actor, [document.id for document, _ in rows])
    return [
        _line(
            document,
            version,
            next((each for each in twins.get(document.id, ()) if each.twin.server_id == server_id), None),
        )
        for document, version in rows
    ]


def _line(document: Document, version: Version, status: TwinStatus | None) -> Line:
    if status is None:
        return Line(document.id, document.name, version)
    return Line(
        document_id=document.id,
        name=document.name,
        version=version,
        twin=status.onto,
        is_there=status.facts.has_nothing_to_save,
    )
