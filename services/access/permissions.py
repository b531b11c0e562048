"""Permissions in pairs: `may_x` answers for the page, `require_x` raises for the service."""

from __future__ import annotations

import uuid

from models import Matter, Participant
from services.core.actor import Actor
from services.core.errors import ForbiddenError, NotFoundError
from services.core.unit_of_work import session
from services.guidance.refusals import refusal

CHANGES_DOCUMENTS = frozenset({"lead", "editor"})
MANAGES_PEOPLE = frozenset({"lead"})


def may_administer(actor: Actor) -> bool:
    return actor.is_admin and not actor.is_guest


def require_admin(actor: Actor) -> None:
    if not may_administer(actor):
        raise refusal(ForbiddenError, "forbidden", "admin_system")


def may_create_matters(actor: Actor) -> bool:
    return not actor.is_guest


def require_create_matters(actor: Actor) -> None:
    if not may_create_matters(actor):
        raise refusal(ForbiddenError, "forbidden", "open_matter")


def role_in(actor: Actor, matter_id: uuid.UUID) -> str | None:
    """The person's role in the matter; None if they take no part in it."""
    participant = session().get(Participant, (matter_id, actor.id))
    return participant.role if participant else None


def may_change_documents(actor: Actor, role: str | None) -> bool:
    return role in CHANGES_DOCUMENTS


def may_manage_people(actor: Actor, role: str | None) -> bool:
    return role in MANAGES_PEOPLE and not actor.is_guest


def may_change_matter(actor: Actor, role: str | None) -> bool:
    return may_manage_people(actor, role)


def may_transfer(actor: Actor, role: str | None) -> bool:
    """Whether the page shows iManage actions at all: never to guests."""
    return not actor.is_guest and role in CHANGES_DOCUMENTS


def require_matter(actor: Actor, matter_id: uuid.UUID) -> tuple[Matter, str]:
    """The matter and the person's role in it. Raises NotFoundError for a matter that they take no part in."""
    matter = session().get(Matter, matter_id)
    role = role_in(actor, matter_id) if matter else None
    if matter is None or role is None:
        raise NotFoundError("We could not find this matter.")
    return matter, role


def require_change_documents(actor: Actor, matter_id: uuid.UUID) -> Matter:
    matter, role = require_matter(actor, matter_id)
    if not may_change_documents(actor, role):
        raise refusal(ForbiddenError, "forbidden", "change_documents")
    return matter


def require_manage_people(actor: Actor, matter_id: uuid.UUID) -> Matter:
    matter, role = require_matter(actor, matter_id)
    if not may_manage_people(actor, role):
        raise refusal(ForbiddenError, "forbidden", "manage_people")
    return matter


def require_change_matter(actor: Actor, matter_id: uuid.UUID) -> Matter:
    matter, role = require_matter(actor, matter_id)
    if not may_change_matter(actor, role):
        raise refusal(ForbiddenError, "forbidden", "change_matter")
    return matter


def require_transfer(actor: Actor, matter_id: uuid.UUID) -> Matter:
    """For everything between a matter and iManage. Raises NotFoundError for guests."""
    matter, role = require_matter(actor, matter_id)
    if actor.is_guest:
        raise NotFoundError()
    if not may_transfer(actor, role):
        raise refusal(ForbiddenError, "forbidden", "transfer")
    return matter
