"""Who acts: the first argument of every service function."""

from __future__ import annotations

import uuid
from dataclasses import dataclass


@dataclass(frozen=True)
class Actor:
    """A signed-in person and where the request came from. A plain value: it holds no row and runs no query.

    Guests have an organisation. Where a member views one matter as a guest, the actor is that guest, in this matter
    only, who changes nothing; `viewer` is the member.
    """

    id: uuid.UUID
    name: str
    email: str
    is_admin: bool = False
    is_guest: bool = False
    organisation_id: uuid.UUID | None = None
    session_id: uuid.UUID | None = None
    address: str = ""
    request_id: str = ""
    viewed_as_id: uuid.UUID | None = None
    viewed_matter_id: uuid.UUID | None = None
    viewer: Actor | None = None

    @property
    def person_id(self) -> uuid.UUID:
        """Whose use counts: the member's who views as a guest, else the actor's own."""
        return (self.viewer or self).id


@dataclass(frozen=True)
class Nobody:
    """A request without a signed-in person, or the installation itself."""

    name: str
    address: str = ""
    request_id: str = ""


SYSTEM = Nobody("Counterpart")
Who = Actor | Nobody
