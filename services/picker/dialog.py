"""What the pop-ups of Get and Save show before asking iManage: the matter, the twin, and outside readers."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import func, select

from models import Member, Participant, Server
from services.access import permissions
from services.access.participation import has_access
from services.access.server_access import label_for, require_use
from services.connections import tokens
from services.core.actor import Actor
from services.core.errors import NotFoundError
from services.core.text.file_names import split
from services.core.unit_of_work import session
from services.matters import documents
from services.transfers import links
from services.transfers.links import TwinStatus
from services.transfers.requests import MOST_DOCUMENTS


@dataclass(frozen=True)
class OutsideReaders:
    """The guests of a matter: their number, and by organisation."""

    guests: int
    organisations: tuple[tuple[str, int], ...]

    @property
    def sentence(self) -> str:
        if not self.guests:
            return "Nobody outside the firm is in this matter."
        people = "1 person" if self.guests == 1 else f"{self.guests} people"
        if len(self.organisations) == 1:
            named = self.organisations[0][0]
        else:
            named = ", ".join(f"{name} ({count})" for name, count in self.organisations)
        return f"{people} outside the firm will see what you get: {named}."


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
    outside: OutsideReaders
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
        outside=outside_readers(matter_id),
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


def outside_readers(matter_id: uuid.UUID) -> OutsideReaders:
    """The active guests of a matter by organisation. One query."""
    rows = session().execute(
        select(Member.organisation, func.count())
        .join(Participant, Participant.member_id == Member.id)
        .where(Participant.matter_id == matter_id, has_access(), Member.is_guest, Member.is_active)
        .group_by(Member.organisation)
        .order_by(Member.organisation)
    )
    organisations = tuple((name or "no organisation", count) for name, count in rows)
    return OutsideReaders(sum(count for _, count in organisations), organisations)


def _usable(actor: Actor, server_id: uuid.UUID) -> Server:
    server = require_use(actor.id, server_id)
    tokens.home_of(actor.id, server_id)
    return server
