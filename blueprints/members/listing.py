"""The list of members: search as you type, filters and pages."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from flask import render_template, request, url_for

from blueprints.authorization import actor, needs
from blueprints.htmx import is_htmx
from blueprints.members import bp
from blueprints.query_params import search_text
from services.core.sealed_query import seal
from services.directory import people
from services.directory.search import EVERYONE, MemberFilter
from services.mail import server_state
from services.members import orphaned_matters

STATES: dict[str, tuple[str, MemberFilter]] = {
    "": ("Everyone", EVERYONE),
    "active": ("Active", MemberFilter(is_active=True)),
    "guests": ("Guests", MemberFilter(is_active=True, is_guest=True)),
    "admins": ("System Admins", MemberFilter(is_active=True, is_admin=True)),
    "deactivated": ("Deactivated", MemberFilter(is_active=False)),
}


@dataclass(frozen=True)
class Tab:
    label: str
    url: str
    current: bool
    count: int | None = None


@bp.get("")
@needs("admin")
def index() -> str:
    text, state, wanted = filters()
    after, before = request.args.get("after", type=uuid.UUID), request.args.get("before", type=uuid.UUID)
    found = people.list_members(actor(), text, wanted, after=after, before=before)
    name = "members/_list.html" if is_htmx() else "members/index.html"
    orphaned = 0 if is_htmx() else orphaned_matters.count(actor())
    return render_template(
        name,
        found=found,
        text=text,
        state=state,
        tabs=_tabs(text, state),
        orphaned=orphaned,
        mail_failing=None if is_htmx() else server_state.failing(),
    )


def filters() -> tuple[str, str, MemberFilter]:
    """The search text, the name of the selected state, and its filter."""
    state = request.args.get("state", "")
    state = state if state in STATES else ""
    return search_text(), state, STATES[state][1]


def _tabs(text: str, state: str) -> list[Tab]:
    return [
        Tab(label, url_for(".index", state=name or None, s=seal(text) or None), name == state)
        for name, (label, _) in STATES.items()
    ]
