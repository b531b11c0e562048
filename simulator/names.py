"""Validates names. No limits are published by iManage, so they are settings."""

from __future__ import annotations

import unicodedata
from typing import Any

from simulator.web import invalid, state


def checked_name(given: Any, field: str) -> str:
    """The name to store: as given, cleaned or refused, by the setting `name_rule`."""
    settings = state().settings
    if not isinstance(given, str) or not given.strip():
        raise invalid(field, f"{field} is required")
    if settings.name_rule == "keep":
        return given
    bad = [char for char in given if char in settings.name_forbidden or unicodedata.category(char) == "Cc"]
    if settings.name_rule == "replace":
        cleaned = "".join("_" if char in bad else char for char in given)
        return cleaned[: settings.name_max].strip()
    if bad:
        raise invalid(field, f"{field} must not contain {bad[0]!r}")
    if len(given) > settings.name_max:
        raise invalid(field, f"{field} must not be longer than {settings.name_max} characters")
    return given
