"""Who may see which document and which version, as SQL conditions. Every query that answers a person goes through them.

The firm's members in a matter see everything in it. Guests see documents that are for their organisation and have a
version that is not held, and of these the versions that are not held.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.elements import SQLCoreOperations

from models import Audience, AudienceOrganisation, Document, Matter, Version
from services.access.participation import in_matters
from services.core.actor import Actor

AUDIENCE_ID = Document.audience_id
"""The audience that counts for a document: its own, else that of its matter, which is everybody (None)."""


def documents(actor: Actor) -> ColumnElement[bool]:
    """Documents that the actor may see, in all their matters."""
    return and_(in_matters(actor, Document.matter_id), documents_of_matter(actor))


def documents_of_matter(actor: Actor) -> ColumnElement[bool]:
    """The same, of matters that the actor is known to be in."""
    if not actor.is_guest:
        return true()
    return and_(Document.guest_version_id.is_not(None), is_for(AUDIENCE_ID, actor.organisation_id))


def versions(actor: Actor) -> ColumnElement[bool]:
    """Versions that the actor may see, of documents that they may see."""
    return Version.held_at.is_(None) if actor.is_guest else true()


def current_version_id(actor: Actor) -> InstrumentedAttribute[uuid.UUID | None]:
    """The column of the version that is the current one for the actor."""
    return Document.guest_version_id if actor.is_guest else Document.current_version_id


def is_for(
    audience_id: SQLCoreOperations[uuid.UUID | None],
    organisation_id: SQLCoreOperations[uuid.UUID | None] | uuid.UUID | None,
) -> ColumnElement[bool]:
    """Whether an audience includes the guests of an organisation; None: those without one."""
    return or_(
        audience_id.is_(None),
        exists().where(Audience.id == audience_id, Audience.is_everybody).correlate_except(Audience),
        exists()
        .where(
            AudienceOrganisation.audience_id == audience_id,
            AudienceOrganisation.organisation_id == organisation_id,
        )
        .correlate_except(AudienceOrganisation),
    )


def shared_at() -> ColumnElement[datetime]:
    """When guests could first see a version: when it was released, else when it was added."""
    return func.coalesce(Version.released_at, Version.created_at)


def changed_at(actor: Actor) -> SQLCoreOperations[datetime]:
    """When a matter last changed; for guests, when a document was last shared with them."""
    if not actor.is_guest:
        return Matter.changed_at
    latest = (
        select(func.max(shared_at()))
        .join(Document, Document.guest_version_id == Version.id)
        .where(Document.matter_id == Matter.id, documents_of_matter(actor))
        .correlate(Matter)
        .scalar_subquery()
    )
    return func.coalesce(latest, Matter.created_at)
