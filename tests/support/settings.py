"""The installation's settings, changed while a test runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from services.core import runtime


def change_settings(**changed: Any) -> None:
    """Continue as after a restart with other settings. The caller restores the runtime."""
    usual = runtime.runtime()
    runtime.bind(replace(usual, settings=replace(usual.settings, **changed)))
