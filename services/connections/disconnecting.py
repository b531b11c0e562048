"""Ends sign-ins to iManage, here and there, and tells beforehand which transfers would wait."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass

from sqlalchemy import Select, and_, func, select

from imanage import oauth
from imanage.guard import Limits, build_session
from imanage.networks import AddressRules
from imanage.proxies import Proxy
from imanage.types import Endpoints
from models import Connection, Member, Server, Transfer
from services.access.permissions import require_admin
from services.access.server_access import known_to
from services.connections.tokens import decrypted_token
from services.core import audit
from services.core.actor import Actor
from services.core.unit_of_work import release, session, unit_of_work
from services.servers import transport

SignOut = tuple[AddressRules, str | None, Proxy | None, Endpoints, str]

# iManage is told of a sign-out within bounds, so that a slow server keeps nobody waiting.
SIGN_OUTS, SIGN_OUTS_AT_ONCE = 64, 8
SIGN_OUT_SECONDS = 8.0
SIGN_OUT_LIMITS = Limits(connect_seconds=3, read_seconds=5, total_seconds=5)


@dataclass(frozen=True)
class EndingSignIn:
    """A sign-in to be ended: member, server and how many running `transfers` need it.

    `can_sign_in_again`: the server is on and open to the member.
    """

    member: str
    server: str
    transfers: int
    can_sign_in_again: bool = True


def own(actor: Actor, server_id: uuid.UUID | None = None) -> tuple[EndingSignIn, ...]:
    """The member's own sign-in to one server, or all of them, with the servers' labels as they see them."""
    known = known_to(actor)
    return tuple(
        EndingSignIn(name, known.label(server.id), transfers, known.may_use(server.id))
        for name, server, transfers in _rows(actor.id, server_id)
    )


def of_member(actor: Actor, server_id: uuid.UUID, member_id: uuid.UUID) -> tuple[EndingSignIn, ...]:
    """One member's sign-in to one server, for a System Admin; empty where there is none."""
    require_admin(actor)
    return tuple(
        EndingSignIn(name, server.name, transfers, server.is_enabled)
        for name, server, transfers in _rows(member_id, server_id)
    )


def disconnect(actor: Actor, server_id: uuid.UUID | None = None) -> int:
    """End the member's sign-in to one server or to all, here and in iManage; returns how many."""
    query = select(Connection, Server).join(Server, Server.id == Connection.server_id)
    query = query.where(Connection.member_id == actor.id)
    return disconnect_these(actor, query if server_id is None else query.where(Server.id == server_id))


def disconnect_these(actor: Actor, query: Select[Connection, Server]) -> int:
    """End these sign-ins; returns how many. iManage is told of the first SIGN_OUTS; the others expire there."""
    sign_outs: list[SignOut] = []
    count = 0
    with unit_of_work() as writing:
        for row, server in writing.execute(query).all():
            if server.is_enabled and (token := decrypted_token(row)):
                sign_outs.append(
                    (
                        transport.rules_of(server),
                        server.ca_pem,
                        transport.proxy_of(server),
                        transport.endpoints(server),
                        token,
                    )
                )
            member = writing.get_one(Member, row.member_id)
            audit.record(
                actor,
                "connection.disconnected",
                f"{member.name} at {server.name}",
                subject_id=row.id,
                server_id=server.id,
                imanage_user=row.imanage_user,
            )
            writing.delete(row)
            count += 1
    release()
    if sign_outs:
        pool = ThreadPoolExecutor(SIGN_OUTS_AT_ONCE)
        wait([pool.submit(_sign_out, each) for each in sign_outs[:SIGN_OUTS]], SIGN_OUT_SECONDS)
        pool.shutdown(wait=False, cancel_futures=True)
    return count


def _sign_out(call: SignOut) -> None:
    rules, ca_pem, proxy, endpoints, token = call
    with build_session(rules, SIGN_OUT_LIMITS, ca_pem, proxy) as outbound:
        oauth.sign_out(outbound, endpoints, token)


def _rows(member_id: uuid.UUID, server_id: uuid.UUID | None) -> list[tuple[str, Server, int]]:
    under_way = and_(
        Transfer.member_id == Connection.member_id,
        Transfer.server_id == Connection.server_id,
        Transfer.finished_at.is_(None),
        Transfer.cancelled_at.is_(None),
    )
    count = select(func.count()).where(under_way).correlate(Connection).scalar_subquery()
    query = (
        select(Member.name, Server, count)
        .select_from(Connection)
        .join(Member, Member.id == Connection.member_id)
        .join(Server, Server.id == Connection.server_id)
        .where(Connection.member_id == member_id)
        .order_by(Server.name_key)
    )
    if server_id is not None:
        query = query.where(Server.id == server_id)
    return [(name, server, transfers) for name, server, transfers in session().execute(query)]
