"""Deactivating a member: out of everything at once. Taking him back restores nothing by itself."""

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

NAMED = 5


@dataclass(frozen=True)
class Consequences:
    """What deactivating would end, said before it is done. `leaderless` names matters that he alone leads."""

    matters: int
    connections: int
    invitations: int
    transfers: int
    leaderless: tuple[str, ...]
    more_leaderless: int


def refusal(actor: Actor, member_id: uuid.UUID) -> str | None:
    """Why this member cannot be deactivated by this person, None where he can."""
    if member_id == actor.id:
        return "You cannot deactivate yourself. Ask another System Admin."
    return "The last System Admin cannot be deactivated." if is_last_admin(member_id) else None


def is_last_admin(member_id: uuid.UUID) -> bool:
    """Whether no other System Admin is active."""
    others = select(Member.id).where(Member.is_admin, Member.is_active, Member.id != member_id)
    return session().scalar(others.limit(1)) is None


def lock_admins() -> None:
    """Lock the admins together, in the open unit, so that the last two cannot undo each other at one moment."""
    session().execute(select(Member.id).where(Member.is_admin).order_by(Member.id).with_for_update())


def consequences(actor: Actor, member_id: uuid.UUID) -> Consequences:
    require_member(actor, member_id)
    count = select(func.count())
    names = tuple(matter.name for matter in session().scalars(_led_alone_by(member_id)))
    return Consequences(
        matters=session().scalar(count.where(Participant.member_id == member_id)) or 0,
        connections=session().scalar(count.where(Connection.member_id == member_id)) or 0,
        invitations=session().scalar(count.where(*_open_invitations_of(member_id))) or 0,
        transfers=session().scalar(count.select_from(Transfer).where(*_running_of(member_id))) or 0,
        leaderless=names[:NAMED],
        more_leaderless=max(0, len(names) - NAMED),
    )


def deactivate(actor: Actor, member_id: uuid.UUID) -> None:
    """End his sessions and sign-ins to iManage, and take him out of every matter and every list."""
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
        leaderless = _leave_without_a_lead(member_id)
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
            leaderless=leaderless,
            connections=connections,
            transfers=stopped,
            invitations=invitations,
        )


def reactivate(actor: Actor, member_id: uuid.UUID) -> None:
    """Let him sign in again, with what he has then: no matter, no server, no connection."""
    with unit_of_work():
        member = require_member(actor, member_id)
        if member.is_active:
            return
        member.is_active = True
        member.deactivated_at = None
        audit.record(actor, "member.reactivated", member.name, subject_id=member_id)


def _led_alone_by(member_id: uuid.UUID) -> Select[Matter]:
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


def _leave_without_a_lead(member_id: uuid.UUID) -> int:
    """A System Admin finds them under Members, and appoints somebody. All his matters are locked for that.

    Of two leads who are deactivated at one moment the second is the last.
    """
    of_his = select(Participant.matter_id).where(
        Participant.member_id == member_id, Participant.role == "lead"
    )
    session().execute(
        select(Matter.id).where(Matter.id.in_(of_his)).order_by(Matter.id).with_for_update(key_share=True)
    )
    alone = session().scalars(_led_alone_by(member_id)).all()
    for matter in alone:
        matter.leaderless_since = utcnow()
    return len(alone)


def _stop_transfers(member_id: uuid.UUID) -> int:
    """What waits for him would otherwise go on by itself when he is taken back."""
    running = session().scalars(select(Transfer).where(*_running_of(member_id))).all()
    for transfer in running:
        lifecycle.call_off(transfer, "The person who started it was deactivated.", "member.inactive")
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
    """Nobody comes in by the word of somebody who has gone."""
    return _count(
        update(Invitation)
        .where(*_open_invitations_of(member_id))
        .values(ended_at=utcnow(), ended_as="withdrawn")
    )


def _count(statement: Delete | Update) -> int:
    """Carry it out; says how many rows it met."""
    result = session().execute(statement)
    return result.rowcount if isinstance(result, CursorResult) else 0
