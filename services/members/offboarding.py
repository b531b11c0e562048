"""Deactivating a member removes all access at once. Reactivating restores none of it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import ColumnElement, CursorResult, Delete, Select, Update, delete, func, select, update
from sqlalchemy.orm import aliased

from models import (
    Connection,
    GroupMember,
    Invitation,
    Matter,
    Member,
    OAuthState,
    Participant,
    ServerMember,
    Transfer,
    utcnow,
)
from services.auth import sessions
from services.core import audit
from services.core.actor import Actor
from services.core.errors import ConflictError
from services.core.unit_of_work import session, unit_of_work
from services.directory.people import require_member
from services.transfers import lifecycle

MAX_NAMED = 5


@dataclass(frozen=True)
class Consequences:
    """What deactivating would end, for the confirmation. `orphaned` names matters that have no other lead."""

    matters: int
    connections: int
    invitations: int
    transfers: int
    orphaned: tuple[str, ...]
    more_orphaned: int


def refusal(actor: Actor, member_id: uuid.UUID) -> str | None:
    """Why this person cannot deactivate this member; None if they can."""
    if member_id == actor.id:
        return "You cannot deactivate yourself. Ask another System Admin."
    return "The last System Admin cannot be deactivated." if is_last_admin(member_id) else None


def is_last_admin(member_id: uuid.UUID) -> bool:
    """Whether no other System Admin is active."""
    others = select(Member.id).where(Member.is_admin, Member.is_active, Member.id != member_id)
    return session().scalar(others.limit(1)) is None


def lock_admins() -> None:
    """Lock all System Admins, in the open unit of work, so that the last two cannot remove each other at once."""
    session().execute(select(Member.id).where(Member.is_admin).order_by(Member.id).with_for_update())


def consequences(actor: Actor, member_id: uuid.UUID) -> Consequences:
    require_member(actor, member_id)
    count = select(func.count())
    names = tuple(matter.name for matter in session().scalars(_only_led_by(member_id)))
    return Consequences(
        matters=session().scalar(count.where(Participant.member_id == member_id)) or 0,
        connections=session().scalar(count.where(Connection.member_id == member_id)) or 0,
        invitations=session().scalar(count.where(*_open_invitations_of(member_id))) or 0,
        transfers=session().scalar(count.select_from(Transfer).where(*_running_of(member_id))) or 0,
        orphaned=names[:MAX_NAMED],
        more_orphaned=max(0, len(names) - MAX_NAMED),
    )


def deactivate(actor: Actor, member_id: uuid.UUID) -> None:
    """End a member's sessions and sign-ins to iManage, and remove them from every matter, group and server list."""
    with unit_of_work():
        lock_admins()
        member = require_member(actor, member_id)
        if sentence := refusal(actor, member_id):
            raise ConflictError(sentence)
        if not member.is_active:
            return
        member.is_active = False
        member.deactivated_at = utcnow()
        sessions.end_all(member_id)
        stopped = _stop_transfers(member_id)
        orphaned = _orphan_matters(member_id)
        matters = _count(delete(Participant).where(Participant.member_id == member_id))
        connections = _count(delete(Connection).where(Connection.member_id == member_id))
        _count(delete(OAuthState).where(OAuthState.member_id == member_id))
        _count(delete(ServerMember).where(ServerMember.member_id == member_id))
        _count(delete(GroupMember).where(GroupMember.member_id == member_id))
        invitations = _withdraw_invitations(member_id)
        audit.record(
            actor,
            "member.deactivated",
            member.name,
            subject_id=member_id,
            matters=matters,
            orphaned=orphaned,
            connections=connections,
            transfers=stopped,
            invitations=invitations,
        )


def reactivate(actor: Actor, member_id: uuid.UUID) -> None:
    """Let a member sign in again, without any matter, server or sign-in to iManage."""
    with unit_of_work():
        member = require_member(actor, member_id)
        if member.is_active:
            return
        member.is_active = True
        member.deactivated_at = None
        audit.record(actor, "member.reactivated", member.name, subject_id=member_id)


def _only_led_by(member_id: uuid.UUID) -> Select[Matter]:
    another = aliased(Participant)
    other = select(another.member_id).where(
        another.matter_id == Matter.id, another.role == "lead", another.member_id != member_id
    )
    return (
        select(Matter)
        .join(Participant, Participant.matter_id == Matter.id)
        .where(Participant.member_id == member_id, Participant.role == "lead", ~other.exists())
        .order_by(Matter.name, Matter.id)
    )


def _orphan_matters(member_id: uuid.UUID) -> int:
    """Mark the matters that lose their last lead; System Admins find them under Members. Returns how many.

    All matters that the member leads are locked, so that of two leads deactivated at once one is the last.
    """
    led = select(Participant.matter_id).where(Participant.member_id == member_id, Participant.role == "lead")
    session().execute(
        select(Matter.id).where(Matter.id.in_(led)).order_by(Matter.id).with_for_update(key_share=True)
    )
    alone = session().scalars(_only_led_by(member_id)).all()
    for matter in alone:
        matter.orphaned_since = utcnow()
    return len(alone)


def _stop_transfers(member_id: uuid.UUID) -> int:
    """Otherwise waiting transfers would resume when the member is reactivated."""
    running = session().scalars(select(Transfer).where(*_running_of(member_id))).all()
    for transfer in running:
        lifecycle.cancel_items(transfer, "member.inactive")
    return len(running)


def _running_of(member_id: uuid.UUID) -> tuple[ColumnElement[bool], ...]:
    return (
        Transfer.member_id == member_id,
        Transfer.finished_at.is_(None),
        Transfer.cancelled_at.is_(None),
    )


def _open_invitations_of(member_id: uuid.UUID) -> tuple[ColumnElement[bool], ...]:
    return (Invitation.invited_by_id == member_id, Invitation.ended_at.is_(None))


def _withdraw_invitations(member_id: uuid.UUID) -> int:
    """Withdraw the open invitations that the member sent."""
    return _count(
        update(Invitation)
        .where(*_open_invitations_of(member_id))
        .values(ended_at=utcnow(), ended_as="withdrawn")
    )


def _count(statement: Delete | Update) -> int:
    """Execute the statement; returns the number of rows."""
    result = session().execute(statement)
    return result.rowcount if isinstance(result, CursorResult) else 0
