"""The menu as data; templates render it."""

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


PACKAGE = (
    "integrations.application_package",
    "integrations.make_package",
    "integrations.package",
)
# section, label, endpoint, icon, endpoint prefixes of its pages
MEMBER_ITEMS = (
    ("Work", "Matters", "matters.index", "briefcase", ("matters.", "drift.")),
    ("Work", "Search", "matters.search", "search", ("matters.search",)),
)
STAFF_ITEMS = (("Work", "Transfers", "transfers.index", "arrows-exchange", ("transfers.",)),)
ADMIN_ITEMS = (
    ("Integrations", "iManage", "integrations.index", "plug", ("integrations.",)),
    ("Integrations", "Application package", "integrations.application_package", "package", PACKAGE),
    ("Integrations", "Troubleshooting", "troubleshooting.index", "info-circle", ("troubleshooting.",)),
    ("People", "Members", "members.index", "users", ("members.",)),
    ("People", "Groups", "groups.index", "folders", ("groups.",)),
    ("Records", "Audit log", "audit.index", "list-details", ("audit.",)),
)


def _items(rows: tuple[tuple[str, str, str, str, tuple[str, ...]], ...]) -> list[NavItem]:
    """The longest prefix wins: a page within a blueprint can have a menu item of its own."""
    endpoint = request.endpoint or ""
    fits = [max((len(each) for each in row[4] if endpoint.startswith(each)), default=0) for row in rows]
    return [
        NavItem(label, url_for(target), icon, fit > 0 and fit == max(fits), section)
        for fit, (section, label, target, icon, _) in zip(fits, rows, strict=True)
    ]


def _context() -> dict[str, object]:
    if not current_user.is_authenticated:
        return {"nav": [], "admin_nav": [], "in_admin": False}
    admin = _items(ADMIN_ITEMS) if current_user.is_admin else []
    member = MEMBER_ITEMS if current_user.is_guest else MEMBER_ITEMS + STAFF_ITEMS
    return {"nav": _items(member), "admin_nav": admin, "in_admin": any(item.current for item in admin)}


def init_app(app: Flask) -> None:
    app.context_processor(_context)
