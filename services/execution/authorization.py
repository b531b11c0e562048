"""Whether a transfer may continue: the checks of its start, made again, for many transfers in one query."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, select

from models import Matter, Member, Participant, Server, Transfer
from services.access.allow_list import is_listed_at
from services.access.permissions import CHANGES_DOCUMENTS
from services.access.server_access import refusal_of
from services.access.server_policy import ServerUse, server_use_denial
from services.core.errors import RefusedError
from services.core.unit_of_work import release, session
from services.guidance.refusals import refusal

RECHECK_SECONDS = 1.0
"""How old an authorization may be when it is relied on. Each transfer is read again at most that often."""
REMOVED = "server.removed"
_NEVER = float("-inf")
_FACTS = (
    select(
        Transfer.id,
        Transfer.cancelled_at,
        Transfer.paused_at,
        Transfer.server_id,
        Server.is_enabled,
        Server.is_restricted,
        Member.is_active,
        Member.is_guest,
        is_listed_at(Server.id, Member.id).label("listed"),
        Participant.role,
        Matter.archived_at,
        Matter.binned_at,
    )
    .join(Member, Member.id == Transfer.member_id)
    .join(Matter, Matter.id == Transfer.matter_id)
    .outerjoin(Server, Server.id == Transfer.server_id)
    .outerjoin(
        Participant,
        and_(Participant.matter_id == Transfer.matter_id, Participant.member_id == Transfer.member_id),
    )
)


class PausedError(Exception):
    """The member paused the transfer: the item keeps what it has and waits until it is resumed."""


@dataclass(frozen=True)
class Authorization:
    """What applied to a transfer when it was read. `refusal` is the first rule against it, apart from cancelling."""

    cancelled_at: datetime | None
    paused_at: datetime | None
    refusal: RefusedError | None

    def require(self, *, is_stored: bool = False) -> None:
        """Raises the RefusedError or PausedError that applies. `is_stored`: recorded even where it was cancelled."""
        if self.cancelled_at is not None and not is_stored:
            raise refusal(RefusedError, "transfer.cancelled")
        if self.paused_at is not None and self.cancelled_at is None and not _is_removed(self.refusal):
            raise PausedError
        if self.refusal is not None:
            raise self.refusal


class AuthorizationSnapshot:
    """The authorizations of several transfers, read in one query and read again when they are a second old."""

    def __init__(self, transfer_ids: Collection[uuid.UUID]) -> None:
        self._ids = frozenset(transfer_ids)
        self._lock = threading.Lock()
        self._authorizations: Mapping[uuid.UUID, Authorization] = {}
        self._read_at = _NEVER

    def of(self, transfer_id: uuid.UUID) -> Authorization | None:
        """None where the transfer was deleted with its matter."""
        with self._lock:
            if not self.is_recent():
                self._read_at, self._authorizations = time.monotonic(), _read(self._ids)
                release()
            return self._authorizations.get(transfer_id)

    def is_recent(self) -> bool:
        """Whether they need not be read again yet."""
        return time.monotonic() - self._read_at < RECHECK_SECONDS


def _read(transfer_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Authorization]:
    rows = session().execute(_FACTS.where(Transfer.id.in_(transfer_ids)))
    return {row.id: Authorization(row.cancelled_at, row.paused_at, _refusal(row)) for row in rows}


def _refusal(row: Row[*tuple[Any, ...]]) -> RefusedError | None:
    if row.server_id is None:
        return removed()
    denial = server_use_denial(
        ServerUse(
            member_is_active=row.is_active,
            member_is_guest=row.is_guest,
            server_is_enabled=row.is_enabled,
            server_is_restricted=row.is_restricted,
            member_is_listed=bool(row.listed),
        )
    )
    if denial is not None:
        return refusal(RefusedError, "not_found", "server") if denial.is_secret else refusal_of(denial)
    if row.binned_at is not None or row.archived_at is not None:
        return refusal(RefusedError, "matter.archived" if row.binned_at is None else "matter.binned")
    if row.role not in CHANGES_DOCUMENTS:
        return refusal(RefusedError, "matter.role")
    return None


def removed() -> RefusedError:
    return refusal(RefusedError, REMOVED)


def _is_removed(refusal: RefusedError | None) -> bool:
    return refusal is not None and refusal.code == REMOVED
