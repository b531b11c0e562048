"""Connected accounts: a member's sign-ins to servers, as their account page lists them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from models import Connection, Server
from services.access.server_access import known_to
from services.connections.tokens import decrypted_token, sentence_for
from services.core.actor import Actor
from services.core.unit_of_work import session


@dataclass(frozen=True)
class ConnectedAccount:
    """A row of Connected accounts. `differs`: iManage has another email for the member.

    `state` is "never_connected", "connected" or "sign_in_again". `is_off`: the member cannot use the server now.
    """

    server_id: uuid.UUID
    label: str
    state: str
    sentence: str = ""
    imanage_name: str = ""
    imanage_email: str = ""
    differs: bool = False
    since: datetime | None = None
    renewable: bool = True
    is_off: bool = False


def of_member(actor: Actor) -> tuple[ConnectedAccount, ...]:
    """One row for each server that the member can use or is still signed in to."""
    if actor.is_guest:
        return ()
    rows = session().execute(
        select(Connection, Server)
        .join(Server, Server.id == Connection.server_id)
        .where(Connection.member_id == actor.id)
    )
    held = {server.id: (row, server) for row, server in rows}
    known = known_to(actor)
    accounts = [
        _account(actor, each.id, each.label, held[each.id][0] if each.id in held else None)
        for each in known.usable
    ]
    accounts += [
        _account(actor, server.id, known.label(server.id), row, is_off=True)
        for row, server in sorted(held.values(), key=lambda pair: pair[1].name_key)
        if not known.may_use(server.id)
    ]
    return tuple(accounts)


def differs(imanage_email: str, our_email: str) -> bool:
    """Whether iManage has another email for the member than we do. An empty one does not count."""
    return bool(imanage_email) and imanage_email.casefold() != our_email.casefold()


def _account(
    actor: Actor, server_id: uuid.UUID, label: str, row: Connection | None, *, is_off: bool = False
) -> ConnectedAccount:
    if row is None:
        return ConnectedAccount(server_id, label, "never_connected")
    lost = row.state == "connected" and decrypted_token(row) is None
    again = lost or row.state != "connected"
    reason = "could_not_refresh" if lost else row.reason
    return ConnectedAccount(
        server_id=server_id,
        label=label,
        state="sign_in_again" if again else "connected",
        sentence=sentence_for(reason, label) if again else "",
        imanage_name=row.imanage_name,
        imanage_email=row.imanage_email,
        differs=differs(row.imanage_email, actor.email),
        since=row.connected_at,
        renewable=row.refresh_token is not None or again,
        is_off=is_off,
    )
