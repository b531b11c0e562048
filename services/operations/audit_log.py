"""Reading the audit log, for System Admins."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from models import AuditEvent
from services.access import permissions
from services.core.actor import Actor
from services.core.pagination import Page, paginate
from services.core.text.file_names import visible
from services.core.text.normalise import ESCAPE, like_pattern, search_words

PAGE = 50
OUTCOMES = ("done", "refused", "failed")


@dataclass(frozen=True)
class EventView:
    id: uuid.UUID
    at: datetime
    action: str
    outcome: str
    actor: str
    address: str
    request_id: str
    subject: str
    detail: dict[str, Any]


def events(actor: Actor, *, text: str = "", outcome: str = "", page: int = 1) -> Page[EventView]:
    """Events, newest first, searched by person, action, subject, address and request id."""
    permissions.require_admin(actor)
    query = select(AuditEvent)
    if outcome in OUTCOMES:
        query = query.where(AuditEvent.outcome == outcome)
    for word in search_words(text):
        query = query.where(AuditEvent.search_key.like(like_pattern(word), escape=ESCAPE))
    found = paginate(query.order_by(AuditEvent.at.desc(), AuditEvent.id), page, PAGE, text)
    return found.with_rows(
        EventView(
            id=row.id,
            at=row.at,
            action=row.action,
            outcome=row.outcome,
            actor=row.actor_name,
            address=row.address,
            request_id=row.request_id,
            subject=visible(row.subject),
            detail=row.detail,
        )
        for row in found.rows
    )
