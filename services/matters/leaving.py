"""The consequences of removing a participant or reducing their role, known beforehand."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import func, select

from models import Member, Participant, Transfer
from services.access.permissions import CHANGES_DOCUMENTS, MANAGES_PEOPLE
from services.access.roles import ROLES
from services.core.actor import Actor
from services.core.unit_of_work import session
from services.matters import participants

MAX_NAMED = 3


@dataclass(frozen=True)
class Leaving:
    """A participant and what depends on their role: `leads` names the first of the `other_leads` of the matter,
    `transfers` counts the transfers in progress that they started in it.
    """

    person: participants.PersonRow
    leads: tuple[str, ...]
    other_leads: int
    transfers: int

    @property
    def is_last_lead(self) -> bool:
        """Whether the matter would be left without a lead, which is refused."""
        return self.person.role in MANAGES_PEOPLE and not self.other_leads

    def needs_confirmation(self, role: str) -> bool:
        """Whether the new role has consequences: the actor stops being a lead, or transfers stop."""
        if self.is_last_lead or role not in ROLES:
            return False
        gives_up_lead = (
            self.person.is_you and self.person.role in MANAGES_PEOPLE and role not in MANAGES_PEOPLE
        )
        return gives_up_lead or bool(self.transfers and role not in CHANGES_DOCUMENTS)


def leaving(actor: Actor, matter_id: uuid.UUID, member_id: uuid.UUID) -> Leaving:
    """The consequences for a participant. Raises as participants.person does."""
    person = participants.person(actor, matter_id, member_id)
    others = (
        select(Member.name)
        .join(Participant, Participant.member_id == Member.id)
        .where(
            Participant.matter_id == matter_id,
            Participant.role.in_(MANAGES_PEOPLE),
            Participant.member_id != member_id,
        )
        .order_by(Member.name_key, Member.id)
    )
    names = tuple(session().scalars(others))
    in_progress = select(func.count()).where(
        Transfer.matter_id == matter_id,
        Transfer.member_id == member_id,
        Transfer.finished_at.is_(None),
        Transfer.cancelled_at.is_(None),
    )
    return Leaving(person, names[:MAX_NAMED], len(names), session().scalar(in_progress) or 0)
