"""Whether a transfer may go on: all that was asked at its start, asked again, for many transfers in one query."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, select

from models import Member, Participant, Server, Transfer
from services.access.allow_list import is_listed_at
from services.access.permissions import CHANGES_DOCUMENTS
from services.access.server_access import refusal_of
from services.access.server_policy import ServerUse, server_use_denial
from services.core.errors import RefusedError
from services.core.unit_of_work import release, session

ASK_SECONDS = 1.0
REMOVED = "server.removed"
_NEVER = float("-inf")
_ALL_ASKED_OF = (
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
    )
    .join(Member, Member.id == Transfer.member_id)
    .outerjoin(Server, Server.id == Transfer.server_id)
    .outerjoin(
        Participant,
        and_(Participant.matter_id == Transfer.matter_id, Participant.member_id == Transfer.member_id),
    )
)


class PausedError(Exception):
    """The person paused the transfer: the item waits, with what it has, until it goes on."""


@dataclass(frozen=True)
class Authorization:
    """How a transfer stood when it was asked. `refusal` is the first rule that stops it, cancelling aside."""

    cancelled_at: datetime | None
    paused_at: datetime | None
    refusal: RefusedError | None

    def require(self, *, is_stored: bool = False) -> None:
        """Raises the RefusedError that applies. What iManage has stored is put on record though it was cancelled."""
        if self.cancelled_at is not None and not is_stored:
            raise RefusedError("You cancelled it.", code="transfer.cancelled")
        if self.paused_at is not None and self.cancelled_at is None and not _is_removed(self.refusal):
            raise PausedError
        if self.refusal is not None:
            raise self.refusal


class AuthorizationSnapshot:
    """How the transfers of one load stand: asked for all of them together, and again when a second has passed."""

    def __init__(self, transfer_ids: Collection[uuid.UUID]) -> None:
        self._ids = frozenset(transfer_ids)
        self._lock = threading.Lock()
        self._found: Mapping[uuid.UUID, Authorization] = {}
        self._at = _NEVER

    def of(self, transfer_id: uuid.UUID) -> Authorization | None:
        """None where the transfer has gone with its matter."""
        with self._lock:
            if not self.is_recent():
                self._at, self._found = time.monotonic(), _ask(self._ids)
                release()
            return self._found.get(transfer_id)

    def is_recent(self) -> bool:
        """Whether all was asked so recently that it need not be asked again."""
        return time.monotonic() - self._at < ASK_SECONDS


def _ask(transfer_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Authorization]:
    rows = session().execute(_ALL_ASKED_OF.where(Transfer.id.in_(transfer_ids)))
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
        refusal = refusal_of(denial)
        return RefusedError(
            "You can no longer use this iManage server." if denial.is_secret else refusal.sentence,
            code=refusal.code,
            next_step=refusal.next_step,
            owner="your System Admin",
        )
    if row.role not in CHANGES_DOCUMENTS:
        return RefusedError("You can no longer change this matter's documents.", code="matter.role")
    return None


def removed() -> RefusedError:
    return RefusedError("The iManage server has been removed.", code=REMOVED)


def _is_removed(refusal: RefusedError | None) -> bool:
    return refusal is not None and refusal.code == REMOVED
