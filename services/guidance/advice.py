"""How each failure is told: what was found, what it means, what to do next, and whose step that is."""

from __future__ import annotations

from dataclasses import dataclass

YOU, IMANAGE_ADMIN, NETWORK_TEAM = "you", "imanage_admin", "network_team"


@dataclass(frozen=True)
class Advice:
    """`whose` is a key of OWNERS."""

    sentence: str
    cause: str
    next_step: str
    whose: str
