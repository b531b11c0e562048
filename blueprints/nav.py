"""The menu as data: templates draw it, nobody writes it twice."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, request, url_for
from flask_login import current_user


@dataclass(frozen=True)
class NavItem:
    label: str
    url: str
    icon: str
    current: bool
    section: str


# section, label, endpoint, icon, endpoints whose pages belong to it
MEMBER_ITEMS = (("Work", "Matters", "matters.index", "briefcase", ("matters.", "transfers.")),)
ADMIN_ITEMS = (
    ("Integrations", "iManage", "integrations.index", "plug", ("integrations.",)),
    ("People", "Members", "members.index", "users", ("members.",)),
    ("Records", "Audit", "audit.index", "list-details", ("audit.",)),
)


def _items(rows: tuple[tuple[str, str, str, str, tuple[str, ...]], ...]) -> list[NavItem]:
    endpoint = request.endpoint or ""
    return [
        NavItem(label, url_for(target), icon, endpoint.startswith(prefixes), section)
        for section, label, target, icon, prefixes in rows
    ]


def _context() -> dict[str, object]:
    if not current_user.is_authenticated:
        return {"nav": [], "admin_nav": [], "in_admin": False}
    admin = _items(ADMIN_ITEMS) if current_user.is_admin else []
    return {"nav": _items(MEMBER_ITEMS), "admin_nav": admin, "in_admin": any(item.current for item in admin)}


def init_app(app: Flask) -> None:
    app.context_processor(_context)
