"""The audit trail: every write makes its event in the same commit, and refusals leave one too."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from models import AuditEvent
from services.actor import Actor, Who
from services.errors import Refusal
from services.unit import session, unit

PAGE = 50


@dataclass(frozen=True)
class EventView:
    id: uuid.UUID
    at: datetime
    action: str
    outcome: str
    actor: str
    address: str
    subject: str
    detail: dict[str, Any]


@dataclass(frozen=True)
class EventPage:
    events: tuple[EventView, ...]
    page: int
    has_next: bool


def record(
    who: Who,
    action: str,
    subject: str = "",
    *,
    subject_id: uuid.UUID | None = None,
    matter_id: uuid.UUID | None = None,
    server_id: uuid.UUID | None = None,
    outcome: str = "done",
    **detail: Any,
) -> None:
    """Add the event to the unit that is open. `detail` must hold no secret: names and numbers only."""
    session().add(
        AuditEvent(
            action=action,
            outcome=outcome,
            actor_id=who.id if isinstance(who, Actor) else None,
            actor_name=f"{who.name} <{who.email}>" if isinstance(who, Actor) else who.name,
            address=who.address,
            request_id=who.request_id,
            subject=subject[:400],
            subject_id=subject_id,
            matter_id=matter_id,
            server_id=server_id,
            detail=detail,
        )
    )


def record_refusal(who: Who, refusal: Refusal, attempted: str) -> None:
    """A refusal in a commit of its own: what it refused was rolled back."""
    with unit():
        record(
            who,
            "refused",
            attempted,
            outcome="refused",
            code=refusal.code,
            sentence=refusal.sentence,
        )


def events(page: int = 1) -> EventPage:
    """The newest events first, a page at a time."""
    rows = session().scalars(
        select(AuditEvent)
        .order_by(AuditEvent.at.desc(), AuditEvent.id)
        .offset((page - 1) * PAGE)
        .limit(PAGE + 1)
    )
    views = tuple(
        EventView(
            row.id, row.at, row.action, row.outcome, row.actor_name, row.address, row.subject, row.detail
        )
        for row in rows
    )
    return EventPage(views[:PAGE], page, len(views) > PAGE)
