"""What a person loses who leaves a matter or is given a smaller role in it, known before it is done."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import func, select

from models import Member, Participant, Transfer
from services.access.permissions import CHANGES_DOCUMENTS, MANAGES_PEOPLE
from services.core.actor import Actor
from services.core.unit_of_work import session
from services.matters import participants

NAMED = 3


@dataclass(frozen=True)
class Leaving:
    """A participant and what hangs on their role: `leads` names the first of the `other_leads` of the matter,
    `transfers` counts those under way between the matter and iManage that they started.
    """

    person: participants.PersonRow
    leads: tuple[str, ...]
    other_leads: int
    transfers: int

    @property
    def is_last_lead(self) -> bool:
        """Whether the matter would be left without a lead, which is refused."""
        return self.person.role in MANAGES_PEOPLE and not self.other_leads

    def must_be_told(self, role: str) -> bool:
        """Whether this new role ends something: one's own lead, or transfers under way."""
        if self.is_last_lead or role not in participants.ROLES:
            return False
        gives_up_lead = (
            self.person.is_you and self.person.role in MANAGES_PEOPLE and role not in MANAGES_PEOPLE
        )
        return gives_up_lead or bool(self.transfers and role not in CHANGES_DOCUMENTS)


def leaving(actor: Actor, matter_id: uuid.UUID, member_id: uuid.UUID) -> Leaving:
    """For a lead who is about to change this participant's place. Raises as participants.person does."""
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
    under_way = select(func.count()).where(
        Transfer.matter_id == matter_id,
        Transfer.member_id == member_id,
        Transfer.finished_at.is_(None),
        Transfer.cancelled_at.is_(None),
    )
    return Leaving(person, names[:NAMED], len(names), session().scalar(under_way) or 0)
