"""Validates profile fields in requests and turns them into changes of a version."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from simulator.doctypes import CLASSES
from simulator.names import checked_name
from simulator.values import Email
from simulator.web import invalid, parsed_date, state

_PLAIN = {
    "class": "class_",
    "subclass": "subclass",
    "comment": "comment",
    "type": "type",
    "extension": "extension",
}
_CARRIED = re.compile(
    r"custom\d+(_description)?|author|operator|default_security|alias|subject|from|to|cc|bcc"
)
_IGNORED = frozenset(
    [
        "size",
        "checksum",
        "content_type",
        "file_create_date",
        "file_edit_date",
        "is_hipaa",
        "retain_days",
        "name",
        "author",
        "operator",
        "default_security",
        "sent_date",
        "received_date",
        "conversation_id",
        "conversation_name",
        "has_attachment",
        "user_trustees",
        "full_file_name",
    ]
)


def profile_changes(given: dict[str, Any]) -> dict[str, Any]:
    """The changes to a version; an unknown field is refused by name, or ignored if the server is lenient."""
    changes: dict[str, Any] = {}
    if "name" in given:
        changes["name"] = checked_name(given["name"], "name")
    for field, attribute in _PLAIN.items():
        if given.get(field) is not None:
            changes[attribute] = str(given[field]).strip()
    if "extension" in changes:
        changes["extension"] = changes["extension"].lstrip(".").lower()
    for attribute in ("type", "class_"):
        if attribute in changes:
            changes[attribute] = changes[attribute].upper()
    if changes.get("class_") and changes["class_"] not in CLASSES:
        raise invalid("class", f"There is no class {changes['class_']}")
    for person_field in ("author", "operator"):
        if given.get(person_field):
            user = state().world.user(str(given[person_field]))
            if user is None:
                raise invalid(person_field, f"There is no user {given[person_field]}")
            changes[person_field] = user.id
    if state().settings.lenient:
        return changes
    for field in given:
        if field not in _PLAIN and field not in _IGNORED and not _CARRIED.fullmatch(field):
            raise invalid(field, f"{field} is not a field of a document's profile")
    return changes


def email_of(given: dict[str, Any], at: datetime) -> Email | None:
    """The e-mail that a profile describes, if it has its headers."""
    if not given.get("from") and not given.get("sent_date"):
        return None
    texts = {name: str(given.get(name) or "") for name in ("from", "to", "cc", "bcc", "subject")}
    return Email(
        sender=texts["from"],
        to=texts["to"],
        subject=texts["subject"] or str(given.get("name") or ""),
        sent=_date(given, "sent_date") or at,
        received=_date(given, "received_date") or at,
        cc=texts["cc"],
        bcc=texts["bcc"],
        conversation=str(given.get("conversation_id") or ""),
        has_attachment=given.get("has_attachment") is True,
    )


def _date(given: dict[str, Any], field: str) -> datetime | None:
    return parsed_date(str(given[field]), field) if given.get(field) else None
