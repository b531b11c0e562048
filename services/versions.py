"""Versions of a document: their history, their bytes, and which of them is current."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from models import Document, Version
from services import permissions
from services.actor import Actor
from services.errors import NotFound
from services.file_names import split
from services.unit import session

NOT_FOUND = "We could not find this version."


@dataclass(frozen=True)
class VersionView:
    """One version as this person may see it: a guest sees neither where it came from nor the note it came with."""

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

    @property
    def download_name(self) -> str:
        """The document's name, with the type that this version really has."""
        own, document = split(self.file_name), split(self.document_name)
        if own.extension.casefold() == document.extension.casefold() or not own.extension:
            return self.document_name
        return f"{document.stem}.{own.extension}"


def require(actor: Actor, version_id: uuid.UUID) -> VersionView:
    """The version, for somebody who takes part in its matter. To others it is not there."""
    version = session().get(Version, version_id)
    document = session().get(Document, version.document_id) if version else None
    if version is None or document is None or permissions.role_in(actor, document.matter_id) is None:
        raise NotFound(NOT_FOUND)
    return view(actor, document, version)


def view(actor: Actor, document: Document, version: Version) -> VersionView:
    hidden = actor.is_guest and version.origin != "upload"
    return VersionView(
        id=version.id,
        document_id=document.id,
        matter_id=document.matter_id,
        document_name=document.name,
        number=version.number,
        file_name=version.file_name,
        sha256=version.sha256,
        size=version.size,
        origin="" if hidden else version.origin,
        note="" if hidden else version.note,
        by=version.created_by.name,
        at=version.created_at,
        is_current=document.current_version_id == version.id,
    )
