"""Why can't X use it? The rules of a server's use, one after the other, for one member, as a System Admin reads them.

Whether a rule holds is asked of what enforces it: services.policies for the server, services.permissions for the
matter, the connection's own state for the sign-in. Here stand only the words beside.
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
from services.servers.registry import require_server

State = Literal["done", "fail", "skipped"]

MOST_FOUND = 20
MOST_MATTERS = 200
FORBIDDEN = "imanage.forbidden"

HOLDS = {
    "member.inactive": "The member is active.",
    "member.guest": "A member of the firm, no guest.",
    "server.disabled": "The server is on.",
}
MENDS = {
    "member.inactive": "Reactivate the member on the Members page.",
    "member.guest": "Nothing can be done: what a guest sees of a matter never shows where it came from.",
    "server.restricted": "Add the member under Who can use it and press Save, or lift the restriction.",
    "server.disabled": "Switch Enabled on, at the top of the server's page.",
}
ROLE_SENTENCES = {
    None: (
        "The member takes no part in this matter.",
        "Ask a lead of the matter to add the member as an editor.",
    ),
    "viewer": (
        "The member may only read in this matter.",
        "Ask a lead of the matter to make the member an editor.",
    ),
}


@dataclass(frozen=True)
class MatterChoice:
    id: uuid.UUID
    name: str


@dataclass(frozen=True)
class Step:
    """One rule. After the first that fails the others are skipped."""

    code: str
    question: str
    state: State
    sentence: str
    next_step: str = ""

    @property
    def text(self) -> str:
        return self.question

    @property
    def hint(self) -> str:
        return f"{self.sentence} {self.next_step}".strip()


@dataclass(frozen=True)
class Answer:
    """What keeps this member from this server, if anything does."""

    member_id: uuid.UUID
    name: str
    email: str
    server_name: str
    steps: tuple[Step, ...]
    matters: tuple[MatterChoice, ...]
    matter_id: uuid.UUID | None

    @property
    def problem(self) -> Step | None:
        return next((step for step in self.steps if step.state == "fail"), None)


def candidates(actor: Actor, server_id: uuid.UUID, text: str) -> tuple[Person, ...]:
    """People whom the explanation can be about: guests and inactive members too, since that may be the reason."""
    require_server(actor, server_id)
    found = search_by_name(text, EVERYONE, MOST_FOUND)
    return tuple(map(person_of, found.members))


def answer(
    actor: Actor, server_id: uuid.UUID, member_id: uuid.UUID, matter_id: uuid.UUID | None = None
) -> Answer:
    """Every rule up to the first that fails. The matter is asked about only where one is named."""
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
    return Answer(
        member.id, member.name, member.email, server.name, _up_to_the_first(steps), matters, matter_id
    )


def _of_server(member: Member, server: Server) -> list[Step]:
    facts = server_access.facts_of(member.id, server)
    steps = []
    for rule in server_policy.SERVER_USE:
        if rule.holds(facts):
            steps.append(Step(rule.code, rule.question, "done", _holding(rule, facts, member, server)))
        else:
            steps.append(Step(rule.code, rule.question, "fail", rule.sentence, MENDS[rule.code]))
    return steps


def _holding(rule: server_policy.Rule, facts: server_policy.ServerUse, member: Member, server: Server) -> str:
    if rule.code != "server.restricted":
        return HOLDS[rule.code]
    if not facts.server_is_restricted:
        return "The server is open to all members."
    return f"The member is listed: {' and '.join(allow_list.listings(member.id, server.id))}."


def _of_matter(member: Member, matter_id: uuid.UUID) -> Step:
    question = "May the member change documents in the matter?"
    place = session().get(Participant, (matter_id, member.id))
    role = place.role if place else None
    if permissions.may_transfer(Actor(member.id, member.name, member.email, is_guest=member.is_guest), role):
        return Step("matter.role", question, "done", f"The member is {role} of the matter.")
    sentence, next_step = ROLE_SENTENCES[None if role is None else "viewer"]
    return Step("matter.role", question, "fail", sentence, next_step)


def _of_sign_in(member: Member, server: Server) -> Step:
    question = "Is the member signed in to iManage?"
    row = tokens.row_of(member.id, server.id)
    if row is None:
        return Step(
            "sign_in.never",
            question,
            "fail",
            "The member has not signed in to this server yet.",
            "Ask the member to press Sign in under Connected accounts. Only the member can do that.",
        )
    if row.state != "connected":
        return Step(
            "sign_in.again",
            question,
            "fail",
            "The sign-in has ended and could not be renewed.",
            "Ask the member to press Sign in under Connected accounts.",
        )
    return Step("sign_in", question, "done", f"Signed in as {_account(row)}.")


def _of_imanage(member: Member, server: Server) -> Step:
    """iManage decides document by document. Its last refusal is all that can be told without asking as the member."""
    question = "Does iManage itself allow it?"
    refused = session().scalar(
        select(TransferItem)
        .join(Transfer, Transfer.id == TransferItem.transfer_id)
        .where(Transfer.member_id == member.id, Transfer.server_id == server.id)
        .order_by(TransferItem.state_at.desc())
        .limit(1)
    )
    if refused is not None and refused.error_code.startswith(FORBIDDEN):
        return Step(
            "imanage.right",
            question,
            "fail",
            "iManage refused the last document that the member asked for: no right to it there.",
            "Ask your iManage admin whether the member has access to that workspace.",
        )
    return Step(
        "imanage.right",
        question,
        "done",
        "iManage has refused nothing of late. It decides each document anew.",
    )


def _up_to_the_first(steps: list[Step]) -> tuple[Step, ...]:
    failed = next((number for number, step in enumerate(steps) if step.state == "fail"), len(steps))
    return tuple(
        step if number <= failed else Step(step.code, step.question, "skipped", "Not looked at yet.")
        for number, step in enumerate(steps)
    )


def _matters_of(member_id: uuid.UUID) -> tuple[MatterChoice, ...]:
    rows = session().execute(
        select(Matter.id, Matter.name)
        .join(Participant, Participant.matter_id == Matter.id)
        .where(Participant.member_id == member_id)
        .order_by(Matter.name)
        .limit(MOST_MATTERS)
    )
    return tuple(MatterChoice(row.id, row.name) for row in rows)


def _account(row: Connection) -> str:
    return f"{row.imanage_user} ({row.imanage_email})" if row.imanage_email else row.imanage_user
