"""Who may enter a matter now: until their date, after its undertaking, and while it is not in the bin."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, exists, or_, select
from sqlalchemy.sql.elements import SQLCoreOperations

from models import Acceptance, Matter, Participant, Undertaking, utcnow
from services.access.roles import READER
from services.core.actor import Actor
from services.core.errors import ConflictError, ForbiddenError, NotFoundError, RefusedError
from services.core.unit_of_work import session
from services.guidance.refusals import refusal, worded


class UndertakingNeededError(RefusedError):
    """The guest has to accept the matter's undertaking first."""

    title = "Before you enter this matter"

    def __init__(self, matter_id: uuid.UUID) -> None:
        super().__init__(**worded("undertaking.needed"))
        self.matter_id = matter_id


def takes_part(actor: Actor) -> ColumnElement[bool]:
    """SQL condition of a query that joins Participant: the row is the actor's, and they may enter its matter now."""
    conditions = [
        own(actor),
        has_access(),
        Participant.matter.has(Matter.binned_at.is_(None)),
    ]
    if actor.is_guest:
        conditions.append(~exists().where(_to_accept(Participant.matter_id, actor.id)))
    return and_(*conditions)


def own(actor: Actor) -> ColumnElement[bool]:
    """SQL condition of a query that joins Participant: the row is the actor's; of a matter viewed as a guest only."""
    mine = Participant.member_id == actor.id
    return mine if actor.viewer is None else and_(mine, Participant.matter_id == actor.viewed_matter_id)


def in_matters(actor: Actor, matter_id: SQLCoreOperations[uuid.UUID]) -> ColumnElement[bool]:
    """SQL condition on the column of a matter's id: the actor may enter the matter now."""
    return matter_id.in_(select(Participant.matter_id).where(takes_part(actor)))


def has_access() -> ColumnElement[bool]:
    """SQL condition of a query that joins Participant: the access has not ended."""
    return or_(Participant.until.is_(None), Participant.until > utcnow())


def is_over(until: datetime | None) -> bool:
    return until is not None and until <= utcnow()


def last_day(until: datetime | None) -> date | None:
    """The last day, in UTC, of an access until this moment."""
    return until and (until - timedelta(microseconds=1)).date()


def require_access(matter: Matter, participant: Participant) -> None:
    """Raises NotFoundError for a matter in the bin, or ForbiddenError after the person's date."""
    if matter.binned_at is not None:
        raise NotFoundError("We could not find this matter.")
    if is_over(participant.until):
        raise refusal(ForbiddenError, "forbidden", "access_ended")


def require_entry(actor: Actor, matter: Matter, participant: Participant) -> str:
    """The role that applies now. Raises as require_access does, or UndertakingNeededError."""
    require_access(matter, participant)
    if actor.is_guest and session().scalar(exists().where(_to_accept(matter.id, actor.id)).select()):
        raise UndertakingNeededError(matter.id)
    return role_now(participant.role, matter)


def role_now(role: str, matter: Matter) -> str:
    """The role that applies now: everybody only reads an archived matter."""
    return role if matter.archived_at is None else READER


def require_open(matter: Matter | Row[*tuple[Any, ...]]) -> None:
    """Raises ConflictError where the matter, or a row with its two times, is archived or in the bin."""
    if matter.binned_at is not None:
        raise refusal(ConflictError, "matter.binned")
    if matter.archived_at is not None:
        raise refusal(ConflictError, "matter.archived")


def _to_accept(matter_id: object, member_id: uuid.UUID) -> ColumnElement[bool]:
    """Condition on Undertaking: it is in force in this matter, and the member has not accepted it."""
    accepted = exists().where(Acceptance.undertaking_id == Undertaking.id, Acceptance.member_id == member_id)
    return and_(Undertaking.matter_id == matter_id, Undertaking.ended_at.is_(None), ~accepted)
