"""How each failure is told: what was found, what it means, what to do next, and whose step that is."""

from __future__ import annotations

from dataclasses import dataclass

from services.core.errors import Owner

YOU: Owner = "you"
IMANAGE_ADMIN: Owner = "your iManage admin"
NETWORK_TEAM: Owner = "your network team"


@dataclass(frozen=True)
class Advice:
    """What a failure means to the people who run the installation."""

    sentence: str
    cause: str
    next_step: str
    owner: Owner
