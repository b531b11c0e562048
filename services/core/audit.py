"""The audit log: every write records its event in the same commit, and every refusal records one too."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from models import AuditEvent, db, utcnow
from services.core.actor import Actor, Who
from services.core.errors import RefusedError
from services.core.text.normalise import search_fold
from services.core.unit_of_work import session, unit_of_work

Event = dict[str, Any]
MAX_KEY_LENGTH = 1500
_INSERT = db.metadata.tables[AuditEvent.__tablename__].insert()


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
    """Add an event to the open unit of work. `detail` must hold no secret: names and numbers only."""
    values = event(
        who,
        action,
        subject,
        subject_id=subject_id,
        matter_id=matter_id,
        server_id=server_id,
        outcome=outcome,
        **detail,
    )
    session().add(AuditEvent(**values))


def record_all(events: Sequence[Event]) -> None:
    """Add many events to the open unit of work in one statement."""
    if events:
        session().connection().execute(_INSERT, events)


def event(
    who: Who,
    action: str,
    subject: str = "",
    *,
    subject_id: uuid.UUID | None = None,
    matter_id: uuid.UUID | None = None,
    server_id: uuid.UUID | None = None,
    outcome: str = "done",
    **detail: Any,
) -> Event:
    """An event for record_all()."""
    if isinstance(who, Actor) and who.viewer is not None:
        detail, who = {**detail, "viewed_as": f"{who.name} <{who.email}>"}, who.viewer
    by = f"{who.name} <{who.email}>" if isinstance(who, Actor) else who.name
    return {
        "action": action,
        "outcome": outcome,
        "actor_id": who.id if isinstance(who, Actor) else None,
        "actor_name": by,
        "address": who.address,
        "request_id": who.request_id,
        "subject": subject[:400],
        "search_key": key_of(by, subject[:400], action, who.address, who.request_id),
        "subject_id": subject_id,
        "matter_id": matter_id,
        "server_id": server_id,
        "detail": detail,
    }


def count_in_last_minute(actor: Actor, action: str) -> int:
    since = utcnow() - timedelta(minutes=1)
    events = select(func.count()).where(
        AuditEvent.at > since, AuditEvent.actor_id == actor.id, AuditEvent.action == action
    )
    return session().scalar(events) or 0


def key_of(*searched: str) -> str:
    """The search key of an event: who, what, the action, the address and the request id."""
    return search_fold(" ".join(searched))[:MAX_KEY_LENGTH]


def record_refusal(who: Who, refusal: RefusedError, attempted: str) -> None:
    """Record a refusal in a commit of its own: the refused change was rolled back."""
    with unit_of_work():
        record(
            who,
            "refused",
            attempted,
            outcome="refused",
            code=refusal.code,
            sentence=refusal.sentence,
        )
