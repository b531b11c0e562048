"""Documents of a matter: listed, added and renamed."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import aliased

from models import Document, Link, Matter, Member, Participant, Version, utcnow
from services.access import participation, permissions
from services.access.server_access import available_to
from services.core import audit
from services.core.actor import Actor
from services.core.errors import InvalidError, NotFoundError
from services.core.pagination import Page, paginate_sorted
from services.core.text.file_names import clean_file_name, same_name_key, search_key, split
from services.core.text.normalise import ESCAPE, like_pattern, search_words
from services.core.unit_of_work import session, unit_of_work
from services.matters import adding, visibility
from services.matters.row_locks import locked_document, locked_matter
from services.matters.uploads import receive, reserve_space

PAGE = 40
LONGEST_NUMBER = 15
_for_guests = aliased(Version)


@dataclass(frozen=True)
class DocumentRow:
    """A document in a list. `at` and `by` belong to its current version, which may be held: `guest_number` is the
    number of the version that guests see meanwhile.
    """

    id: uuid.UUID
    name: str
    number: int
    extension: str
    size: int
    by: str
    at: datetime
    is_held: bool = False
    guest_number: int | None = None
    matter_id: uuid.UUID | None = None
    matter_name: str = ""


@dataclass(frozen=True)
class DocumentView:
    """The header of a document's page, with the actor's permissions. `added_by` and `added_at`: its current version."""

    id: uuid.UUID
    matter_id: uuid.UUID
    matter_name: str
    name: str
    version_id: uuid.UUID
    number: int
    size: int
    added_by: str
    added_at: datetime
    is_held: bool
    guest_number: int | None
    may_control_exposure: bool
    may_change_documents: bool
    may_transfer: bool
    may_remove: bool
    is_archived: bool

    @property
    def stem(self) -> str:
        return split(self.name).stem

    @property
    def suffix(self) -> str:
        """The last dot and what follows it, which a rename keeps."""
        return self.name.removeprefix(self.stem)


def of_matter(
    actor: Actor,
    matter_id: uuid.UUID,
    search: str = "",
    page: int = 1,
    among: Collection[uuid.UUID] | None = None,
    sort: str = "",
) -> Page[DocumentRow]:
    """Documents of a matter that match the search, most recently changed first unless sorted otherwise.

    `among` limits them to these ids. Empty for people who are not in the matter.
    """
    where = [Document.matter_id == matter_id]
    return _listed(actor, search, page, sort, where if among is None else [*where, Document.id.in_(among)])


def in_all_matters(actor: Actor, search: str, page: int = 1, sort: str = "") -> Page[DocumentRow]:
    """The same, of all matters that the actor may enter, each row with its matter."""
    return _listed(actor, search, page, sort, ())


def _listed(
    actor: Actor, search: str, page: int, sort: str, where: Sequence[ColumnElement[bool]]
) -> Page[DocumentRow]:
    """Guests see neither held versions nor when documents changed otherwise."""
    shown_at = visibility.shared_at() if actor.is_guest else Document.changed_at
    query = (
        select(Document.id, Document.name, Version, Member.name, _for_guests.number, Matter.id, Matter.name)
        .join(Version, Version.id == visibility.current_version_id(actor))
        .join(Member, Member.id == Version.created_by_id)
        .join(Matter, Matter.id == Document.matter_id)
        .outerjoin(_for_guests, _for_guests.id == Document.guest_version_id)
        .where(visibility.documents(actor), *where, *_matching(actor, search))
    )
    columns = {
        "name": Document.name_key,
        "version": Version.number,
        "size": Version.size,
        "changed": shown_at,
        "matter": Matter.search_key,
    }
    found = paginate_sorted(query, page, PAGE, search, sort, columns, "-changed", last=Document.id)
    return found.with_rows(
        DocumentRow(
            id=document_id,
            name=name,
            number=version.number,
            extension=split(version.file_name).extension,
            size=version.size,
            by=by,
            at=shown_since(actor, version),
            is_held=version.held_at is not None,
            guest_number=guest_number,
            matter_id=matter_id,
            matter_name=matter_name,
        )
        for document_id, name, version, by, guest_number, matter_id, matter_name in found.rows
    )


def _matching(actor: Actor, search: str) -> list[ColumnElement[bool]]:
    """Every word is in the document's name, with its type, or in the name of its author; or it is the number of a twin
    on a server that the actor can use.
    """
    words = search_words(search)
    numbers = {word for word in words if word.isdecimal() and len(word) <= LONGEST_NUMBER}
    servers = [each.id for each in available_to(actor)] if numbers and not actor.is_guest else []
    found = []
    for word in words:
        pattern = like_pattern(word)
        ways: list[ColumnElement[bool]] = [
            Document.name_key.like(pattern, escape=ESCAPE),
            Member.name_key.like(pattern, escape=ESCAPE),
        ]
        if servers and word in numbers:
            twins = exists().where(
                Link.document_id == Document.id,
                Link.ended_at.is_(None),
                Link.server_id.in_(servers),
                Link.number == int(word),
            )
            ways.append(twins.correlate(Document))
        found.append(or_(*ways))
    return found


def find(actor: Actor, document_id: uuid.UUID) -> DocumentView:
    """One document. Raises NotFoundError, also for people who are not in its matter, and as require_entry does."""
    found = (
        session()
        .execute(
            select(Document, Version, Matter, Participant, _for_guests.number)
            .join(Version, Version.id == visibility.current_version_id(actor))
            .join(Matter, Matter.id == Document.matter_id)
            .join(Participant, Participant.matter_id == Matter.id)
            .outerjoin(_for_guests, _for_guests.id == Document.guest_version_id)
            .where(
                Document.id == document_id,
                participation.own(actor),
                visibility.documents_of_matter(actor),
            )
        )
        .one_or_none()
    )
    if found is None:
        raise NotFoundError("We could not find this document.")
    document, current, matter, participant, guest_number = found
    role = participation.require_entry(actor, matter, participant)
    return DocumentView(
        id=document.id,
        matter_id=matter.id,
        matter_name=matter.name,
        name=document.name,
        version_id=current.id,
        number=current.number,
        size=current.size,
        added_by=current.created_by.name,
        added_at=shown_since(actor, current),
        is_held=current.held_at is not None,
        guest_number=guest_number,
        may_control_exposure=permissions.may_control_exposure(actor, role),
        may_change_documents=permissions.may_change_documents(actor, role),
        may_transfer=permissions.may_transfer(actor, role),
        may_remove=permissions.may_remove_documents(actor, role),
        is_archived=matter.archived_at is not None,
    )


def shown_since(actor: Actor, version: Version) -> datetime:
    """When a version was added; for guests, when it was shared with them."""
    return (version.released_at if actor.is_guest else None) or version.created_at


def add(
    actor: Actor, matter_id: uuid.UUID, file_name: str, stream: IO[bytes], *, is_held: bool = False
) -> uuid.UUID:
    """Add a file to a matter as a new document with one version. Guests do not see it while it `is_held`."""
    permissions.require_change_documents(actor, matter_id)
    name = clean_file_name(file_name)
    blob = receive(actor, stream, matter_id, name.full)
    with unit_of_work() as writing:
        matter = permissions.require_change_documents(actor, matter_id)
        locked_matter(writing, matter.id)
        adding.require_free(writing, actor, matter.id, name.full, "file")
        reserve_space(actor, matter.id, blob.size)
        added = adding.add(
            writing,
            matter.id,
            actor.id,
            name.full,
            blob.sha256,
            blob.size,
            origin="upload",
            is_held=is_held,
            is_free=True,
        )
        audit.record(
            actor,
            "document.added",
            added.document_name,
            subject_id=added.document_id,
            matter_id=matter.id,
            version=added.number,
            size=blob.size,
            sha256=blob.sha256,
            held=is_held,
        )
        return added.document_id


def rename(actor: Actor, document_id: uuid.UUID, stem: str) -> str:
    """Rename a document, keeping its extension. Returns the full new name."""
    if not stem.strip():
        raise InvalidError({"name": "Enter a name."})
    old = find(actor, document_id)
    extension = split(old.name).extension
    with unit_of_work() as writing:
        matter = permissions.require_change_documents(actor, old.matter_id)
        locked_matter(writing, matter.id)
        document = locked_document(writing, matter.id, document_id)
        name = clean_file_name(f"{stem}.{extension}" if extension else stem, "name").full
        before = document.name
        if name == before:
            return name
        if same_name_key(name) != same_name_key(before):
            adding.require_free(writing, actor, matter.id, name, "name")
        document.name, document.name_key = name, search_key(name)
        document.changed_at = matter.changed_at = utcnow()
        audit.record(
            actor, "document.renamed", name, subject_id=document.id, matter_id=matter.id, before=before
        )
        return name
