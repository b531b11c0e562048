"""Templates in tests are strict: Jinja takes an attribute that an object of ours does not have for empty, silently."""

from __future__ import annotations

from typing import Any

from jinja2 import Undefined
from jinja2.utils import missing

OURS = ("blueprints", "services", "jinja2.environment")
"""Modules whose objects templates read; the last is that of imported templates, whose attributes are macros."""


class StrictUndefined(Undefined):
    """Raises AttributeError for an attribute that is missing on one of our objects. Variables may still be unset."""

    def __init__(
        self, hint: str | None = None, obj: Any = missing, name: str | None = None, *more: Any
    ) -> None:
        super().__init__(hint, obj, name, *more)
        kind = type(obj)
        if obj is not missing and kind.__module__.startswith(OURS) and not hasattr(obj, "widget"):
            raise AttributeError(f"A template reads {kind.__module__}.{kind.__qualname__}.{name}")
