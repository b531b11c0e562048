"""Reading the audit log, for System Admins."""

from __future__ import annotations

from sqlalchemy import select

from models import AuditEvent
from services.access import permissions
from services.core.actor import Actor
from services.core.pagination import Page, paginate
from services.core.text.normalise import ESCAPE, like_pattern, search_words

PAGE = 50
OUTCOMES = ("done", "refused", "failed")


def events(actor: Actor, *, text: str = "", outcome: str = "", page: int = 1) -> Page[AuditEvent]:
    """Events, newest first, searched by person, action, subject, address and request id."""
    permissions.require_admin(actor)
    query = select(AuditEvent)
    if outcome in OUTCOMES:
        query = query.where(AuditEvent.outcome == outcome)
    for word in search_words(text):
        query = query.where(AuditEvent.search_key.like(like_pattern(word), escape=ESCAPE))
    return paginate(query.order_by(AuditEvent.at.desc(), AuditEvent.id), page, PAGE, text)
