"""The undertaking of a matter: a text that every guest accepts before they enter, and who has accepted which text."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, and_, func, select

from models import Acceptance, Matter, Member, Participant, Undertaking, utcnow
from services.access import permissions
from services.access.participation import has_access, require_access
from services.core import audit
from services.core.actor import Actor
from services.core.errors import ConflictError, InvalidError, NotFoundError
from services.core.pagination import Page, paginate
from services.core.text.csv import csv_lines
from services.core.unit_of_work import session, unit_of_work
from services.guidance.refusals import refusal
from services.matters.row_locks import locked_matter

LONGEST_TITLE, LONGEST_TEXT = 200, 20_000
PAGE = 50
HEADER = ("Name", "Email", "Organisation", "Accepted at", "Undertaking", "Version", "In force")


@dataclass(frozen=True)
class UndertakingView:
    """A text with its version number."""

    id: uuid.UUID
    number: int
    title: str
    text: str
    by: str
    at: datetime


@dataclass(frozen=True)
class InForce(UndertakingView):
    """`accepted` of the `guests` who have access have accepted it."""

    accepted: int
    guests: int


@dataclass(frozen=True)
class Offer:
    """What a guest is asked to accept; `undertaking` is None where nothing is asked, or they have accepted."""

    matter_name: str
    undertaking: UndertakingView | None


@dataclass(frozen=True)
class AcceptanceRow:
    name: str
    email: str
    organisation: str
    at: datetime
    title: str
    number: int
    is_in_force: bool


def in_force(actor: Actor, matter_id: uuid.UUID) -> InForce | None:
    """The text that guests have to accept, for people of the firm."""
    permissions.require_matter(actor, matter_id)
    row = _row(matter_id)
    if row is None or actor.is_guest:
        return None
    accepted = and_(Acceptance.member_id == Participant.member_id, Acceptance.undertaking_id == row.id)
    counts = (
        select(func.count(), func.count(Acceptance.member_id))
        .select_from(Participant)
        .join(Member, Member.id == Participant.member_id)
        .outerjoin(Acceptance, accepted)
        .where(Participant.matter_id == matter_id, Member.is_guest, Member.is_active, has_access())
    )
    guests, have_accepted = session().execute(counts).one()
    return InForce(**vars(_view(row)), accepted=have_accepted, guests=guests)


def offer(actor: Actor, matter_id: uuid.UUID) -> Offer:
    """What the guest has to accept before they enter. Raises as permissions.require_matter does."""
    matter, row = _require_guest(actor, matter_id)
    accepted = row is not None and session().get(Acceptance, (row.id, actor.id)) is not None
    return Offer(matter.name, None if row is None or accepted else _view(row))


def accept(actor: Actor, matter_id: uuid.UUID, undertaking_id: uuid.UUID) -> None:
    """Record that the guest accepts this text. Raises ConflictError if it is no longer the one in force."""
    with unit_of_work() as writing:
        _require_guest(actor, matter_id)
        locked_matter(writing, matter_id, even_closed=True)
        matter, row = _require_guest(actor, matter_id)  # it may have been changed before the lock
        if row is None or row.id != undertaking_id:
            raise refusal(ConflictError, "undertaking.changed")
        if writing.get(Acceptance, (row.id, actor.id)) is not None:
            return
        member = writing.get_one(Member, actor.id)
        details = {"name": member.name, "email": member.email, "organisation": member.organisation}
        writing.add(Acceptance(undertaking_id=row.id, member_id=actor.id, **details))
        audit.record(
            actor,
            "undertaking.accepted",
            row.title,
            subject_id=row.id,
            matter_id=matter.id,
            version=row.number,
            organisation=member.organisation,
        )


def change(actor: Actor, matter_id: uuid.UUID, title: str, text: str) -> None:
    """Put a text in force, which all guests are asked to accept. The same text again changes nothing."""
    text = "\n".join(line.rstrip() for line in text.strip().splitlines())
    if not text or len(text) > LONGEST_TEXT:
        raise InvalidError(
            {"text": f"Use {LONGEST_TEXT:,} characters or fewer." if text else "Enter the text."}
        )
    with unit_of_work() as writing:
        permissions.require_change_matter(actor, matter_id)
        locked_matter(writing, matter_id)
        before = _row(matter_id)
        if before is not None:
            if (before.title, before.text) == (title, text):
                return
            before.ended_at = utcnow()
            writing.flush()
        last = writing.scalar(select(func.max(Undertaking.number)).where(Undertaking.matter_id == matter_id))
        row = Undertaking(
            matter_id=matter_id, number=(last or 0) + 1, title=title, text=text, created_by_id=actor.id
        )
        writing.add(row)
        writing.flush()
        audit.record(
            actor, "undertaking.changed", title, subject_id=row.id, matter_id=matter_id, version=row.number
        )


def withdraw(actor: Actor, matter_id: uuid.UUID) -> None:
    """Let guests enter without accepting anything. What they have accepted stays on the list."""
    with unit_of_work() as writing:
        permissions.require_change_matter(actor, matter_id)
        locked_matter(writing, matter_id)
        row = _row(matter_id)
        if row is not None:
            row.ended_at = utcnow()
            audit.record(
                actor,
                "undertaking.withdrawn",
                row.title,
                subject_id=row.id,
                matter_id=matter_id,
                version=row.number,
            )


def acceptances(actor: Actor, matter_id: uuid.UUID, page: int = 1) -> Page[AcceptanceRow]:
    """Who accepted what, newest first, for leads."""
    permissions.require_lead(actor, matter_id)
    found = paginate(_acceptances(matter_id), page, PAGE)
    return found.with_rows(map(_acceptance, found.rows))


def acceptances_csv(actor: Actor, matter_id: uuid.UUID) -> str:
    permissions.require_lead(actor, matter_id)
    return "".join(csv_lines(HEADER, _cells(map(_acceptance, session().scalars(_acceptances(matter_id))))))


def _cells(rows: Iterator[AcceptanceRow]) -> Iterator[tuple[object, ...]]:
    for row in rows:
        at, state = row.at.isoformat(timespec="seconds"), "Yes" if row.is_in_force else "No"
        yield row.name, row.email, row.organisation, at, row.title, row.number, state


def _acceptances(matter_id: uuid.UUID) -> Select[Acceptance]:
    return (
        select(Acceptance)
        .join(Undertaking, Undertaking.id == Acceptance.undertaking_id)
        .where(Undertaking.matter_id == matter_id)
        .order_by(Acceptance.accepted_at.desc(), Acceptance.member_id)
    )


def _acceptance(row: Acceptance) -> AcceptanceRow:
    text = row.undertaking
    return AcceptanceRow(
        row.name,
        row.email,
        row.organisation,
        row.accepted_at,
        text.title,
        text.number,
        text.ended_at is None,
    )


def _require_guest(actor: Actor, matter_id: uuid.UUID) -> tuple[Matter, Undertaking | None]:
    matter, participant = permissions.require_participant(actor, matter_id)
    require_access(matter, participant)
    if not actor.is_guest:
        raise NotFoundError()
    return matter, _row(matter_id)


def _row(matter_id: uuid.UUID) -> Undertaking | None:
    """The text in force."""
    return session().scalar(
        select(Undertaking).where(Undertaking.matter_id == matter_id, Undertaking.ended_at.is_(None))
    )


def _view(row: Undertaking) -> UndertakingView:
    return UndertakingView(row.id, row.number, row.title, row.text, row.created_by.name, row.created_at)
