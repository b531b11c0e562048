"""Versions of a document: history, downloads, and which one is current."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from sqlalchemy import Select, select
from sqlalchemy.orm import aliased

from models import Document, Member, Participant, Version, utcnow
from services.access import participation, permissions
from services.core import audit
from services.core.actor import Actor
from services.core.errors import NotFoundError, RefusedError
from services.core.pagination import Page, paginate
from services.core.runtime import runtime
from services.core.text.file_names import FileName, clean_file_name, split
from services.core.unit_of_work import session, unit_of_work
from services.guidance.refusals import refusal
from services.matters import adding, exposure, visibility
from services.matters.documents import find, shown_since
from services.matters.row_locks import locked_document, locked_matter
from services.matters.uploads import receive, require_space, reserve_space
from storage import Blob, BlobDamagedError, BlobStream, StorageError

PAGE = 25
CHOICES = 200
COMPARABLE = frozenset({"docx", "docm", "dotx", "dotm", "pdf", "txt", "md", "csv"})
SHOWN = frozenset({"pdf", "png", "jpg", "jpeg", "gif", "webp", "tif", "tiff", "bmp"})
"""Extensions of files that the page compares, and previews."""
Stream = BlobStream


@dataclass(frozen=True)
class Stamp:
    """Who did something, and when."""

    by: str
    at: datetime


@dataclass(frozen=True)
class VersionView:
    """One version as the actor may see it. Guests see neither its origin nor its note, and only the document's name.

    `held`: by whom and since when guests do not see it; `released`: who let them see it, and when.
    """

    id: uuid.UUID
    document_id: uuid.UUID
    matter_id: uuid.UUID
    document_name: str
    number: int
    file_name: str
    sha256: str
    size: int
    origin: str
    note: str
    by: str
    at: datetime
    is_current: bool
    held: Stamp | None = None
    released: Stamp | None = None

    @property
    def download_name(self) -> str:
        return name_of(self.document_name, self.file_name)

    @property
    def may_compare(self) -> bool:
        return split(self.file_name).extension.casefold() in COMPARABLE

    @property
    def may_preview(self) -> bool:
        return split(self.file_name).extension.casefold() in SHOWN


@dataclass(frozen=True)
class Added:
    """A new version. `other_type`: its extension differs from that of the document's name."""

    number: int
    file_name: str
    document_name: str
    other_type: bool


@dataclass(frozen=True)
class SameBytes:
    """The existing version of the document that is identical to the upload."""

    version_id: uuid.UUID
    number: int
    is_current: bool
    file_name: str
    note: str


def require(actor: Actor, version_id: uuid.UUID) -> VersionView:
    """One version. Raises NotFoundError, also for people who are not in its matter, and as require_matter does."""
    found = session().execute(_readable(actor).where(Version.id == version_id)).one_or_none()
    if found is None:
        raise NotFoundError("We could not find this version.")
    permissions.require_matter(actor, found[1].matter_id)
    return _view(actor, *found)


def _view(
    actor: Actor, version: Version, document: Document, held_by: str | None, released_by: str | None
) -> VersionView:
    hidden = actor.is_guest and version.origin != "upload"
    return VersionView(
        id=version.id,
        document_id=document.id,
        matter_id=document.matter_id,
        document_name=document.name,
        number=version.number,
        file_name=name_of(document.name, version.file_name) if actor.is_guest else version.file_name,
        sha256=version.sha256,
        size=version.size,
        origin="" if hidden else version.origin,
        note="" if hidden else version.note,
        by=version.created_by.name,
        at=shown_since(actor, version),
        is_current=version.id
        == (document.guest_version_id if actor.is_guest else document.current_version_id),
        held=_stamp(actor, held_by, version.held_at),
        released=_stamp(actor, released_by, version.released_at),
    )


def _stamp(actor: Actor, by: str | None, at: datetime | None) -> Stamp | None:
    return Stamp(by, at) if by and at and not actor.is_guest else None


def name_of(document_name: str, file_name: str) -> str:
    """The document's name with the version's own extension."""
    own, document = split(file_name), split(document_name)
    if own.extension.casefold() == document.extension.casefold() or not own.extension:
        return document_name
    return f"{document.stem}.{own.extension}"


def history(actor: Actor, document_id: uuid.UUID, page: int = 1) -> Page[VersionView]:
    """A document's versions, newest first. Empty for people who are not in its matter."""
    query = _readable(actor).where(Document.id == document_id, participation.takes_part(actor))
    found = paginate(query.order_by(Version.number.desc()), page, PAGE)
    return found.with_rows(_view(actor, *row) for row in found.rows)


def add(
    actor: Actor,
    document_id: uuid.UUID,
    file_name: str,
    stream: IO[bytes],
    note: str,
    *,
    is_held: bool = False,
) -> Added | SameBytes:
    """Add a file as the next version, unless the document already has an identical one: then nothing is added.

    Guests do not see it while it `is_held`.
    """
    matter_id = _require_change(actor, document_id)
    name = clean_file_name(file_name)
    blob = receive(actor, stream, matter_id, name.full)
    same = _same_bytes(actor, document_id, blob, name, note)
    return same or _add(actor, matter_id, document_id, blob, name, note, is_held=is_held)


def add_again(
    actor: Actor, version_id: uuid.UUID, file_name: str, note: str, *, is_held: bool = False
) -> Added:
    """Add the bytes of a version again as the newest one, after add() reported them as identical."""
    version = require(actor, version_id)
    matter_id = _require_change(actor, version.document_id)
    name = clean_file_name(file_name)
    require_space(actor, matter_id, version.size, "file_name")
    blob = Blob(version.sha256, version.size)
    return _add(actor, matter_id, version.document_id, blob, name, note, "file_name", is_held=is_held)


def make_current(actor: Actor, version_id: uuid.UUID, *, is_held: bool | None = None) -> VersionView:
    """Make an older version current, and hold or release it if that is chosen. No version is lost."""
    asked = require(actor, version_id)
    with unit_of_work() as writing:
        permissions.require_change_documents(actor, asked.matter_id)
        if is_held is not None and is_held != (asked.held is not None):
            change = exposure.hold if is_held else exposure.release
            change(actor, asked.matter_id, [version_id])
        matter = locked_matter(writing, asked.matter_id)
        document = locked_document(writing, asked.matter_id, asked.document_id)
        asked = require(actor, version_id)  # it may have been held meanwhile
        if document.current_version_id != version_id:
            document.current_version_id = version_id
            if asked.held is None:
                document.guest_version_id = version_id
            document.changed_at = matter.changed_at = utcnow()
            audit.record(
                actor,
                "version.made_current",
                document.name,
                subject_id=document.id,
                matter_id=matter.id,
                version=asked.number,
            )
    return asked


def require_note(actor: Actor, version_id: uuid.UUID) -> VersionView:
    """A version whose note this person may change: guests only those whose note they see."""
    version = require(actor, version_id)
    if not version.origin:
        raise NotFoundError("We could not find this version.")
    permissions.require_change_documents(actor, version.matter_id)
    return version


def change_note(actor: Actor, version_id: uuid.UUID, note: str) -> VersionView:
    """Change a version's note. Returns the version as it was."""
    with unit_of_work() as writing:
        before = require_note(actor, version_id)
        document = locked_document(writing, before.matter_id, before.document_id)
        version = writing.get_one(Version, version_id, populate_existing=True)
        if version.note != note:
            audit.record(
                actor,
                "version.note_changed",
                document.name,
                subject_id=document.id,
                matter_id=before.matter_id,
                version=version.number,
                before=version.note,
                after=note,
            )
            version.note = note
    return before


def choices(actor: Actor, document_id: uuid.UUID) -> tuple[VersionView, ...]:
    """The newest versions of a document, for a choice of two. Raises NotFoundError if there are none to see."""
    query = _readable(actor).where(Document.id == document_id).order_by(Version.number.desc()).limit(CHOICES)
    found = tuple(_view(actor, *row) for row in session().execute(query))
    if not found:
        raise NotFoundError("We could not find this document.")
    return found


def send(actor: Actor, version: VersionView, start: int, stop: int) -> Stream:
    """A stream of the bytes from `start`, for a response that sends those before `stop`. Audits the download."""
    try:
        if runtime().blobs.size(version.sha256) != version.size:
            raise BlobDamagedError
        stream = runtime().blobs.stream(version.sha256, start)
    except StorageError as error:
        raise refusal(RefusedError, error.code) from error
    is_whole = (start, stop) == (0, version.size)
    try:
        with unit_of_work():
            audit.record(
                actor,
                "version.downloaded",
                version.document_name,
                subject_id=version.document_id,
                matter_id=version.matter_id,
                version=version.number,
                sha256=version.sha256,
                part="" if is_whole else f"bytes {start + 1} to {stop} of {version.size}",
            )
    except BaseException:
        stream.close()
        raise
    return stream


_held_by, _released_by = aliased(Member), aliased(Member)


def _readable(actor: Actor) -> Select[Version, Document, str | None, str | None]:
    """Versions that the actor may see, with their documents, and who held and who released them."""
    return (
        select(Version, Document, _held_by.name, _released_by.name)
        .join(Document, Document.id == Version.document_id)
        .outerjoin(_held_by, _held_by.id == Version.held_by_id)
        .outerjoin(_released_by, _released_by.id == Version.released_by_id)
        .join(Participant, Participant.matter_id == Document.matter_id)
        .where(participation.own(actor), visibility.documents_of_matter(actor), visibility.versions(actor))
    )


def _require_change(actor: Actor, document_id: uuid.UUID) -> uuid.UUID:
    matter_id = find(actor, document_id).matter_id
    permissions.require_change_documents(actor, matter_id)
    return matter_id


def _same_bytes(
    actor: Actor, document_id: uuid.UUID, blob: Blob, name: FileName, note: str
) -> SameBytes | None:
    """The version with these bytes that the actor may see: the current one if it is among them, else the newest."""
    document = session().get_one(Document, document_id)
    current_id = document.guest_version_id if actor.is_guest else document.current_version_id
    same = (
        session()
        .scalars(
            select(Version)
            .where(
                Version.document_id == document_id,
                Version.sha256 == blob.sha256,
                visibility.versions(actor),
            )
            .order_by((Version.id == current_id).desc(), Version.number.desc())
            .limit(1)
        )
        .first()
    )
    if same is None:
        return None
    return SameBytes(same.id, same.number, same.id == current_id, name.full, note)


def _add(
    actor: Actor,
    matter_id: uuid.UUID,
    document_id: uuid.UUID,
    blob: Blob,
    name: FileName,
    note: str,
    field: str = "file",
    *,
    is_held: bool = False,
) -> Added:
    with unit_of_work() as writing:
        permissions.require_change_documents(actor, matter_id)
        reserve_space(actor, matter_id, blob.size, field)
        added = adding.add(
            writing,
            matter_id,
            actor.id,
            name.full,
            blob.sha256,
            blob.size,
            document_id=document_id,
            origin="upload",
            note=note,
            is_held=is_held,
        )
        audit.record(
            actor,
            "version.added",
            added.document_name,
            subject_id=added.document_id,
            matter_id=matter_id,
            version=added.number,
            size=blob.size,
            sha256=blob.sha256,
            held=is_held,
        )
        other = split(added.document_name).extension.casefold() != name.extension.casefold()
        return Added(added.number, name.full, added.document_name, other)
