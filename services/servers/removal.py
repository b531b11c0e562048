"""Removing a server: its links and sign-ins go, documents stay; the links can be downloaded as CSV afterwards."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import defer

from models import Document, Link, Matter, Member, Server, ServerRemoval, Transfer
from services.access import permissions
from services.core import audit
from services.core.actor import Actor
from services.core.errors import InvalidError, NotFoundError
from services.core.text.csv import csv_text
from services.core.text.normalise import clean_line
from services.core.unit_of_work import session, unit_of_work
from services.servers.registry import locked
from services.servers.views import Usage, usage_of

MOST_REMOVALS = 20
MOST_RUNNING = 10
RUNNING = {"get": "Get into “{}” by {}", "save": "Save from “{}” by {}"}
HEADER = (
    "Matter",
    "Client number",
    "Matter number",
    "Document",
    "Direction",
    "iManage library",
    "iManage number",
    "iManage version",
    "Name in iManage",
    "URL",
    "Linked by",
    "Linked at (UTC)",
    "Ended at (UTC)",
)
DIRECTIONS = {"got": "Got from iManage", "saved": "Saved to iManage", "linked": "Linked by hand"}


@dataclass(frozen=True)
class Removed:
    """The result of a removal."""

    name: str
    usage: Usage


def remove(actor: Actor, server_id: uuid.UUID, typed_name: str) -> Removed:
    """Remove a server permanently. If it has links, its name must have been typed."""
    permissions.require_admin(actor)
    with unit_of_work() as writing:
        row = locked(server_id)
        usage = usage_of(server_id)
        if usage.links and clean_line(typed_name) != row.name:
            raise InvalidError({"typed_name": f"Enter the server’s name exactly: {row.name}"})
        removal = ServerRemoval(
            name=row.name,
            url=row.url,
            removed_by=actor.name,
            link_count=usage.links,
            links_csv=_links_csv(row),
        )
        writing.add(removal)
        writing.delete(row)
        writing.flush()
        audit.record(
            actor,
            "server.removed",
            removal.name,
            subject_id=server_id,
            server_id=server_id,
            url=removal.url,
            links=usage.links,
            signed_in=usage.signed_in,
            running_transfers=usage.running,
            removal=str(removal.id),
        )
        return Removed(removal.name, usage)


def running_transfers(actor: Actor, server_id: uuid.UUID) -> tuple[str, ...]:
    """The oldest transfers that a removal would stop: kind, matter and member, in words."""
    permissions.require_admin(actor)
    rows = session().execute(
        select(Transfer.kind, Matter.name, Member.name)
        .join(Matter, Matter.id == Transfer.matter_id)
        .join(Member, Member.id == Transfer.member_id)
        .where(Transfer.server_id == server_id, Transfer.finished_at.is_(None))
        .order_by(Transfer.created_at, Transfer.id)
        .limit(MOST_RUNNING)
    )
    return tuple(RUNNING[kind].format(matter, member) for kind, matter, member in rows)


def recent_removals(actor: Actor) -> Sequence[ServerRemoval]:
    """The most recently removed servers, without their links."""
    permissions.require_admin(actor)
    newest = select(ServerRemoval).order_by(ServerRemoval.removed_at.desc(), ServerRemoval.id)
    return session().scalars(newest.limit(MOST_REMOVALS).options(defer(ServerRemoval.links_csv))).all()


def removed_links(actor: Actor, removal_id: uuid.UUID) -> tuple[str, str]:
    """The name of a removed server and the CSV of the links that went with it."""
    permissions.require_admin(actor)
    with unit_of_work() as writing:
        row = writing.get(ServerRemoval, removal_id)
        if row is None:
            raise NotFoundError("We could not find these links.")
        audit.record(actor, "server.removed_links_downloaded", row.name, subject_id=row.id)
        return row.name, row.links_csv


def _links_csv(row: Server) -> str:
    links = session().execute(
        select(Link, Document.name, Matter, Member.name)
        .join(Document, Document.id == Link.document_id)
        .join(Matter, Matter.id == Document.matter_id)
        .join(Member, Member.id == Link.member_id)
        .where(Link.server_id == row.id)
        .order_by(Matter.name, Document.name, Link.created_at, Link.id)
    )
    return csv_text(
        HEADER,
        (
            (
                matter.name,
                matter.client_number,
                matter.matter_number,
                document,
                DIRECTIONS[link.direction] + (" (practice)" if row.is_practice else ""),
                link.library,
                link.number,
                link.version,
                link.name,
                link.url,
                member,
                link.created_at.isoformat(timespec="seconds"),
                link.ended_at.isoformat(timespec="seconds") if link.ended_at else "",
            )
            for link, document, matter, member in links
        ),
    )
