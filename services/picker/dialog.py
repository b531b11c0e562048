"""What the pop-ups of Get and Save show before asking iManage: the matter, the twin, and who would see it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from models import Server
from services.access import permissions
from services.access.server_access import label_for, require_use
from services.connections import tokens
from services.core.actor import Actor
from services.core.errors import NotFoundError
from services.core.text.file_names import split
from services.matters import documents, exposure
from services.transfers import links
from services.transfers.links import TwinStatus
from services.transfers.requests import MOST_DOCUMENTS

MANY_DOCUMENTS = 100
"""A get of more is worth a sentence where the server has no pace: firms watch for members who read a lot at once."""


@dataclass(frozen=True)
class GetPicker:
    """`document_name` is set if the selection becomes a new version of a document here. `pace`: the server's."""

    matter_id: uuid.UUID
    matter_name: str
    server_id: uuid.UUID
    label: str
    is_practice: bool
    most: int
    pace: int | None
    question: exposure.Question
    document_id: uuid.UUID | None = None
    document_name: str = ""

    @property
    def many(self) -> int:
        """From how many documents on the pop-up says what a get of so many means."""
        return (self.pace or MANY_DOCUMENTS) + 1


@dataclass(frozen=True)
class SavePicker:
    """`status` compares the twin with the version to be saved; None if there is no twin."""

    matter_id: uuid.UUID
    server_id: uuid.UUID
    label: str
    is_practice: bool
    document_id: uuid.UUID
    document_name: str
    stem: str
    extension: str
    version: int
    status: TwinStatus | None

    @property
    def may_go_onto_twin(self) -> bool:
        """Whether there is a twin that was visible at the last check."""
        return self.status is not None and not self.status.facts.is_out_of_reach


def for_get(
    actor: Actor, matter_id: uuid.UUID, server_id: uuid.UUID, document_id: uuid.UUID | None
) -> GetPicker:
    """Raises SignInNeededError if the member has no usable sign-in to this server."""
    matter = permissions.require_transfer(actor, matter_id)
    server = _usable(actor, server_id)
    document = documents.find(actor, document_id) if document_id else None
    if document and document.matter_id != matter_id:
        raise NotFoundError("We could not find this document.")
    return GetPicker(
        matter_id=matter_id,
        matter_name=matter.name,
        server_id=server_id,
        label=label_for(actor.id, server),
        is_practice=server.is_practice,
        most=1 if document else MOST_DOCUMENTS,
        pace=server.pace,
        question=exposure.question(actor, matter_id, [document_id] if document_id else ()),
        document_id=document_id,
        document_name=document.name if document else "",
    )


def for_save(actor: Actor, document_id: uuid.UUID, server_id: uuid.UUID) -> SavePicker:
    """Raises SignInNeededError if the member has no usable sign-in to this server."""
    document = documents.find(actor, document_id)
    permissions.require_transfer(actor, document.matter_id)
    server = _usable(actor, server_id)
    status = links.on_server(actor, [document_id], server_id).get(document_id)
    name = split(document.name)
    return SavePicker(
        matter_id=document.matter_id,
        server_id=server_id,
        label=label_for(actor.id, server),
        is_practice=server.is_practice,
        document_id=document_id,
        document_name=document.name,
        stem=name.stem,
        extension=name.extension,
        version=document.number,
        status=status,
    )


def _usable(actor: Actor, server_id: uuid.UUID) -> Server:
    server = require_use(actor.id, server_id)
    tokens.home_of(actor.id, server_id)
    return server
