"""Why a member cannot use a server: each rule in order, up to the first that fails, for a System Admin.

The rules are evaluated by the modules that enforce them: access.server_policy for the server, access.permissions for
the matter, the stored sign-in for iManage. Only the sentences are here.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select

from models import Connection, Matter, Member, Participant, Server, Transfer, TransferItem
from services.access import allow_list, permissions, server_access, server_policy
from services.connections import tokens
from services.core.actor import Actor
from services.core.errors import NotFoundError
from services.core.unit_of_work import session
from services.directory.people import Person, person_of
from services.directory.search import EVERYONE, search_by_name
from services.guidance.access import ACCESS_ADVICE
from services.servers.registry import require_server

State = Literal["done", "fail", "skipped"]

MOST_CANDIDATES = 20
MOST_MATTERS = 200
FORBIDDEN = "imanage.forbidden"

PASSED = {
    "member.inactive": "The member is active.",
    "member.guest": "The member belongs to the firm and is not a guest.",
    "server.disabled": "The server is switched on.",
}


@dataclass(frozen=True)
class RuleResult:
    """One rule for this member. Rules after the first that fails are skipped."""

    code: str
    title: str
    state: State
    sentence: str
    next_step: str = ""

    @property
    def hint(self) -> str:
        return f"{self.sentence} {self.next_step}".strip()


@dataclass(frozen=True)
class Explanation:
    """All rules for one member and one server."""

    member_id: uuid.UUID
    name: str
    email: str
    steps: tuple[RuleResult, ...]
    matters: tuple[tuple[uuid.UUID, str], ...]
    matter_id: uuid.UUID | None

    @property
    def problem(self) -> RuleResult | None:
        return next((step for step in self.steps if step.state == "fail"), None)


def candidates(actor: Actor, server_id: uuid.UUID, text: str) -> tuple[Person, ...]:
    """People whom the explanation can be about: guests and inactive members too, since that may be the reason."""
    require_server(actor, server_id)
    found = search_by_name(text, EVERYONE, MOST_CANDIDATES)
    return tuple(map(person_of, found.members))


def explain(
    actor: Actor, server_id: uuid.UUID, member_id: uuid.UUID, matter_id: uuid.UUID | None = None
) -> Explanation:
    """Evaluate every rule; the member's role only where a matter is given."""
    server = require_server(actor, server_id)
    member = session().get(Member, member_id)
    if member is None:
        raise NotFoundError("We could not find this member.")
    matters = _matters_of(member_id)
    if matter_id is not None and session().get(Matter, matter_id) is None:
        raise NotFoundError("We could not find this matter.")
    steps = [*_of_server(member, server)]
    if matter_id is not None:
        steps.append(_of_matter(member, matter_id))
    steps += [_of_sign_in(member, server), _of_imanage(member, server)]
    return Explanation(member.id, member.name, member.email, _skip_after_failure(steps), matters, matter_id)


def _of_server(member: Member, server: Server) -> list[RuleResult]:
    facts = server_access.facts_of(member.id, server)
    steps = []
    for rule in server_policy.SERVER_USE:
        if rule.holds(facts):
            steps.append(RuleResult(rule.code, rule.question, "done", _passed(rule, facts, member, server)))
        else:
            steps.append(_failed(rule.code, rule.question))
    return steps


def _failed(code: str, question: str, variant: str = "") -> RuleResult:
    advice = ACCESS_ADVICE[f"{code}.{variant}".rstrip(".")]
    return RuleResult(code, question, "fail", advice.sentence, advice.next_step)


def _passed(rule: server_policy.Rule, facts: server_policy.ServerUse, member: Member, server: Server) -> str:
    if rule.code != "server.restricted":
        return PASSED[rule.code]
    if not facts.server_is_restricted:
        return "The server is open to all members."
    return f"The member is listed {' and '.join(allow_list.listings(member.id, server.id))}."


def _of_matter(member: Member, matter_id: uuid.UUID) -> RuleResult:
    question = "Can the member change documents in the matter?"
    person = Actor(member.id, member.name, member.email, is_guest=member.is_guest)
    role = permissions.role_in(person, matter_id)
    if permissions.may_transfer(person, role):
        return RuleResult("matter.role", question, "done", f"The member’s role in the matter is {role}.")
    return _failed("matter.role", question, "" if role is None else "viewer")


def _of_sign_in(member: Member, server: Server) -> RuleResult:
    question = "Is the member signed in to iManage?"
    row = tokens.row_of(member.id, server.id)
    if row is None:
        return _failed("sign_in.never", question)
    if row.state != "connected":
        return _failed("sign_in.again", question)
    return RuleResult("sign_in", question, "done", f"Signed in as {_account(row)}.")


def _of_imanage(member: Member, server: Server) -> RuleResult:
    """Judged by the member's last transfer: iManage decides for each document, and is not asked as the member."""
    question = "Does iManage allow it?"
    refused = session().scalar(
        select(TransferItem)
        .join(Transfer, Transfer.id == TransferItem.transfer_id)
        .where(Transfer.member_id == member.id, Transfer.server_id == server.id)
        .order_by(TransferItem.state_at.desc())
        .limit(1)
    )
    if refused is not None and refused.error_code.startswith(FORBIDDEN):
        return _failed("imanage.right", question)
    return RuleResult(
        "imanage.right",
        question,
        "done",
        "iManage has not refused anything recently. It decides for each document.",
    )


def _skip_after_failure(steps: list[RuleResult]) -> tuple[RuleResult, ...]:
    failed = next((number for number, step in enumerate(steps) if step.state == "fail"), len(steps))
    return tuple(
        step if number <= failed else RuleResult(step.code, step.title, "skipped", "Not checked yet.")
        for number, step in enumerate(steps)
    )


def _matters_of(member_id: uuid.UUID) -> tuple[tuple[uuid.UUID, str], ...]:
    rows = session().execute(
        select(Matter.id, Matter.name)
        .join(Participant, Participant.matter_id == Matter.id)
        .where(Participant.member_id == member_id)
        .order_by(Matter.name)
        .limit(MOST_MATTERS)
    )
    return tuple((row.id, row.name) for row in rows)


def _account(row: Connection) -> str:
    return f"{row.imanage_user} ({row.imanage_email})" if row.imanage_email else row.imanage_user
