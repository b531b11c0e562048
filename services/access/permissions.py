"""Permissions in pairs: `may_x` answers for the page, `require_x` raises for the service."""

from __future__ import annotations

import uuid

from sqlalchemy import select

from models import Matter, Participant
from services.access.participation import own, require_entry
from services.access.roles import RULES, Right, allows
from services.core.actor import Actor
from services.core.errors import ConflictError, ForbiddenError, NotFoundError, RefusedError
from services.core.unit_of_work import session
from services.guidance.refusals import refusal

CHANGES_DOCUMENTS = RULES[Right.CHANGE_DOCUMENTS].roles
MANAGES_PEOPLE = RULES[Right.MANAGE_PEOPLE].roles


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
    """The role that applies in the matter now; None for a person who may not enter it."""
    try:
        return require_matter(actor, matter_id)[1]
    except RefusedError:
        return None


def may(actor: Actor, role: str | None, right: Right) -> bool:
    return allows(right, role, is_guest=actor.is_guest)


def may_change_documents(actor: Actor, role: str | None) -> bool:
    return may(actor, role, Right.CHANGE_DOCUMENTS)


def may_remove_documents(actor: Actor, role: str | None) -> bool:
    return may(actor, role, Right.REMOVE_DOCUMENTS)


def may_manage_people(actor: Actor, role: str | None) -> bool:
    return may(actor, role, Right.MANAGE_PEOPLE)


def may_change_matter(actor: Actor, role: str | None) -> bool:
    return may(actor, role, Right.CHANGE_MATTER)


def may_see_twins(actor: Actor) -> bool:
    """Whether a person in a matter sees anything of iManage: never guests."""
    return not actor.is_guest


def require_see_twins(actor: Actor, matter_id: uuid.UUID) -> Matter:
    """For the twins of a matter. Raises NotFoundError for guests."""
    if not may_see_twins(actor):
        raise NotFoundError()
    return require_matter(actor, matter_id)[0]


def may_see_index(actor: Actor) -> bool:
    """Whether a person in a matter sees its closing index, which names documents that guests may not know of."""
    return not actor.is_guest


def require_see_index(actor: Actor, matter_id: uuid.UUID) -> tuple[Matter, str]:
    """The matter and the person's role. Raises NotFoundError for guests."""
    if not may_see_index(actor):
        raise NotFoundError()
    return require_matter(actor, matter_id)


def may_change_index(actor: Actor, role: str | None) -> bool:
    return may(actor, role, Right.CHANGE_INDEX)


def may_control_exposure(actor: Actor, role: str | None) -> bool:
    return may(actor, role, Right.CONTROL_EXPOSURE)


def may_view_as(actor: Actor, role: str | None) -> bool:
    return may(actor, role, Right.VIEW_AS)


def may_transfer(actor: Actor, role: str | None) -> bool:
    """Whether the page shows iManage actions at all: never to guests."""
    return may(actor, role, Right.TRANSFER)


def require_participant(actor: Actor, matter_id: uuid.UUID | None) -> tuple[Matter, Participant]:
    """The matter, in whatever state it is, and the person's row in it. Raises NotFoundError."""
    query = (
        select(Matter, Participant)
        .join(Participant, Participant.matter_id == Matter.id)
        .where(Matter.id == matter_id, own(actor))
    )
    found = session().execute(query).one_or_none()
    if found is None:
        raise NotFoundError("We could not find this matter.")
    return found[0], found[1]


def require_matter(actor: Actor, matter_id: uuid.UUID | None) -> tuple[Matter, str]:
    """The matter and the person's role in it now.

    Raises NotFoundError for a matter that they take no part in, and as participation.require_entry does.
    `matter_id` is None for a document in the bin.
    """
    matter, participant = require_participant(actor, matter_id)
    return matter, require_entry(actor, matter, participant)


def require_lead(actor: Actor, matter_id: uuid.UUID) -> Matter:
    """The matter for one of its leads, also an archived one or one in the bin."""
    matter, participant = require_participant(actor, matter_id)
    if not may_change_matter(actor, participant.role):
        if matter.binned_at is not None:
            raise NotFoundError("We could not find this matter.")
        raise refusal(ForbiddenError, "forbidden", Right.CHANGE_MATTER)
    return matter


def require(actor: Actor, matter_id: uuid.UUID, right: Right) -> Matter:
    """The matter, for a person whose role has the right. Raises as require_matter, ForbiddenError or ConflictError."""
    matter, role = require_matter(actor, matter_id)
    if may(actor, role, right):
        return matter
    if matter.archived_at is not None:
        raise refusal(ConflictError, "matter.archived")
    raise refusal(ForbiddenError, "forbidden", right)


def require_change_documents(actor: Actor, matter_id: uuid.UUID) -> Matter:
    return require(actor, matter_id, Right.CHANGE_DOCUMENTS)


def require_remove_documents(actor: Actor, matter_id: uuid.UUID) -> Matter:
    return require(actor, matter_id, Right.REMOVE_DOCUMENTS)


def require_manage_people(actor: Actor, matter_id: uuid.UUID) -> Matter:
    return require(actor, matter_id, Right.MANAGE_PEOPLE)


def require_change_matter(actor: Actor, matter_id: uuid.UUID) -> Matter:
    return require(actor, matter_id, Right.CHANGE_MATTER)


def require_control_exposure(actor: Actor, matter_id: uuid.UUID) -> Matter:
    """Raises NotFoundError for guests, who do not learn that anything is held."""
    return _require_of_member(actor, matter_id, Right.CONTROL_EXPOSURE)


def require_change_index(actor: Actor, matter_id: uuid.UUID) -> Matter:
    """Raises NotFoundError for guests."""
    return _require_of_member(actor, matter_id, Right.CHANGE_INDEX)


def require_view_as(actor: Actor, matter_id: uuid.UUID) -> Matter:
    """Raises NotFoundError for guests."""
    return _require_of_member(actor, matter_id, Right.VIEW_AS)


def require_transfer(actor: Actor, matter_id: uuid.UUID) -> Matter:
    """For everything between a matter and iManage. Raises NotFoundError for guests."""
    return _require_of_member(actor, matter_id, Right.TRANSFER)


def _require_of_member(actor: Actor, matter_id: uuid.UUID, right: Right) -> Matter:
    """As require(), for what guests do not even know of."""
    if actor.is_guest:
        require_matter(actor, matter_id)
        raise NotFoundError()
    return require(actor, matter_id, right)
