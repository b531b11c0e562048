"""Who acts: the first argument of every service function."""

from __future__ import annotations

import uuid
from dataclasses import dataclass


@dataclass(frozen=True)
class Actor:
    """A signed-in person and where the request came from. A plain value: it holds no row and runs no query."""

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
    """A request without a signed-in person, or the installation itself."""

    name: str
    address: str = ""
    request_id: str = ""


SYSTEM = Nobody("Counterpart")
Who = Actor | Nobody
