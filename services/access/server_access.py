"""Which servers a person may use or know of, and what each is called on their screen. Checked at every use.

Outside the Admin System, `known_to` decides what is shown of a server (its name, its contents, its errors): a person
who may not know of it reads "iManage" and nothing else.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select

from models import Member, Server
from services.access.allow_list import is_listed, servers_of
from services.access.server_policy import Rule, ServerUse, server_use_denial
from services.core.actor import Actor
from services.core.errors import ConflictError, NotFoundError, RefusedError
from services.core.unit_of_work import session
from services.guidance.refusals import refusal

ONLY_SERVER = "iManage"
PRACTICE = "Practice"


@dataclass(frozen=True)
class ServerLabel:
    """A server as members see it: "iManage" if it is the only one they can use. `pace`: documents a minute."""

    id: uuid.UUID
    label: str
    url: str
    is_practice: bool = False
    pace: int | None = None


@dataclass(frozen=True)
class KnownServers:
    """The servers that one viewer may know of now. `usable`: enabled and open to them; `off`: disabled."""

    usable: tuple[ServerLabel, ...] = ()
    off: tuple[ServerLabel, ...] = ()

    def of(self, server_id: uuid.UUID | None) -> ServerLabel | None:
        """None if the server is gone or this viewer must not know of it: the two look the same."""
        return next((each for each in (*self.usable, *self.off) if each.id == server_id), None)

    def label(self, server_id: uuid.UUID | None) -> str:
        """What the server is called on this viewer's screen."""
        known = self.of(server_id)
        return known.label if known else ONLY_SERVER

    def may_use(self, server_id: uuid.UUID | None) -> bool:
        """Whether its libraries, document numbers, people and addresses may be shown."""
        return any(each.id == server_id for each in self.usable)

    def may_know(self, server_id: uuid.UUID | None) -> bool:
        """Whether its name and its errors may be shown."""
        return self.of(server_id) is not None


def known_to(actor: Actor) -> KnownServers:
    """The servers that this person may know of now. One query."""
    return KnownServers() if actor.is_guest else _known(actor.id)


def available_to(actor: Actor) -> tuple[ServerLabel, ...]:
    """The servers that this person can use now, by name. One query."""
    return known_to(actor).usable


def label_for(member_id: uuid.UUID, server: Server) -> str:
    """What this server is called on this member's screen."""
    return _known(member_id).label(server.id)


def _known(member_id: uuid.UUID) -> KnownServers:
    """A disabled server is known to those who could use it if it were enabled."""
    listed = servers_of(member_id)
    rows = session().scalars(
        select(Server)
        .where(or_(Server.is_restricted.is_(False), Server.id.in_(listed)))
        .order_by(Server.name_key)
    )
    known = rows.all()
    on = [row for row in known if row.is_enabled]
    off = [row for row in known if not row.is_enabled]
    alone = len(on) <= 1  # names are needed only if there is a choice
    return KnownServers(_labels(on, alone=alone), _labels(off, alone=alone))


def _labels(servers: Sequence[Server], *, alone: bool) -> tuple[ServerLabel, ...]:
    return tuple(
        ServerLabel(row.id, _label(row, alone), row.url, row.is_practice, row.pace) for row in servers
    )


def _label(server: Server, alone: bool) -> str:
    """The practice server is always marked as such, so that it never passes for the firm's own."""
    if server.is_practice:
        return server.name if PRACTICE in server.name else f"{server.name} ({PRACTICE})"
    return ONLY_SERVER if alone else server.name


def facts_of(member_id: uuid.UUID, server: Server) -> ServerUse:
    """The facts that the rules need about this member and this server now."""
    member = session().get(Member, member_id)
    return ServerUse(
        member_is_active=member is not None and member.is_active,
        member_is_guest=member is None or member.is_guest,
        server_is_enabled=server.is_enabled,
        server_is_restricted=server.is_restricted,
        member_is_listed=server.is_restricted and is_listed(member_id, server.id),
    )


def use_denial(member_id: uuid.UUID, server: Server) -> Rule | None:
    """The first rule that denies this member this server; None if they may use it."""
    return server_use_denial(facts_of(member_id, server))


def require_use(member_id: uuid.UUID, server_id: uuid.UUID) -> Server:
    """The server, for use by this member now.

    Raises NotFoundError if they must not know of it, ConflictError if it is disabled.
    """
    server = session().get(Server, server_id)
    if server is None:
        raise NotFoundError()
    denial = use_denial(member_id, server)
    if denial is not None:
        raise refusal_of(denial)
    return server


def refusal_of(denial: Rule) -> RefusedError:
    """The refusal that the member reads: it reveals nothing of a server that they must not know of."""
    return NotFoundError() if denial.is_secret else refusal(ConflictError, denial.code)
