"""Who acts: a frozen value that every service function takes first."""

from __future__ import annotations

import uuid
from dataclasses import dataclass


@dataclass(frozen=True)
class Actor:
    """A signed-in person and where the request came from. Holds no row and asks nothing."""

    id: uuid.UUID
    name: str
    email: str
    is_admin: bool = False
    is_guest: bool = False
    session_id: uuid.UUID | None = None
    address: str = ""
    request_id: str = ""


@dataclass(frozen=True)
class Nobody:
    """A request without a signed-in person, or the installation itself acting."""

    name: str
    address: str = ""
    request_id: str = ""


SYSTEM = Nobody("Counterpart")
Who = Actor | Nobody
