"""Whether iManage holds a newer version of a twin: looked up when a person asks, never by itself."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass

from sqlalchemy import select, update

from imanage import documents as remote_documents
from imanage.client import Client
from imanage.errors import Forbidden, ImanageError, NotFound
from models import Document, Link, Server, utcnow
from services import audit, connections, permissions, remote
from services.actor import Actor
from services.remote_errors import remote_refusal
from services.server_access import available_to
from services.unit import release, session, unit

SECONDS = 10.0
LIVE, LOST, FORBIDDEN = "live", "lost", "forbidden"


@dataclass(frozen=True)
class Twin:
    server_id: uuid.UUID
    library: str
    library_key: str
    number: int
    version: int


@dataclass(frozen=True)
class Checked:
    """How many twins were looked at, of how many, and how many have a newer version."""

    looked_at: int
    of: int
    newer: int

    @property
    def sentence(self) -> str:
        if not self.of:
            return "No document here has a twin in iManage yet."
        rest = (
            ""
            if self.looked_at == self.of
            else f" {self.of - self.looked_at} are left; check again to go on."
        )
        if not self.newer:
            return f"{self.looked_at} of {self.of} checked. None has a newer version in iManage.{rest}"
        noun = "document has" if self.newer == 1 else "documents have"
        return f"{self.looked_at} of {self.of} checked. {self.newer} {noun} a newer version in iManage.{rest}"


def check(actor: Actor, matter_id: uuid.UUID, document_id: uuid.UUID | None = None) -> Checked:
    """Ask iManage for the newest version of each twin, those that were checked longest ago first, for ten seconds."""
    matter = permissions.require_transfer(actor, matter_id)
    labels = {server.id: server.label for server in available_to(actor)}
    twins = _twins(matter.id, document_id, set(labels))
    subject = matter.name
    release()
    deadline = time.monotonic() + SECONDS
    looked_at = newer = 0
    for twin in twins:
        if looked_at and time.monotonic() > deadline:
            break
        try:
            latest, state = _latest(actor, twin)
        except ImanageError as error:
            raise remote_refusal(error, labels[twin.server_id]) from error
        _keep(matter.id, twin, latest, state)
        looked_at += 1
        newer += latest is not None and latest > twin.version
    with unit():
        audit.record(actor, "links.checked", subject, matter_id=matter_id, looked_at=looked_at, newer=newer)
    return Checked(looked_at, len(twins), newer)


def _twins(matter_id: uuid.UUID, document_id: uuid.UUID | None, servers: set[uuid.UUID]) -> list[Twin]:
    query = (
        select(Link)
        .join(Document, Document.id == Link.document_id)
        .where(Document.matter_id == matter_id, Link.server_id.in_(servers), Link.ended_at.is_(None))
        .order_by(Link.checked_at)
    )
    if document_id is not None:
        query = query.where(Link.document_id == document_id)
    newest: dict[tuple[uuid.UUID, str, int], Twin] = {}
    for link in session().scalars(query):
        key = (link.server_id, link.library_key, link.number)
        known = newest.get(key)
        if known is None or link.version > known.version:
            newest[key] = Twin(link.server_id, link.library, link.library_key, link.number, link.version)
    return list(newest.values())


def _latest(actor: Actor, twin: Twin) -> tuple[int | None, str]:
    document_id = f"{twin.library}!{twin.number}.{twin.version}"

    def look(client: Client) -> int:
        found = remote_documents.profile(client, document_id, latest=True)
        return max(found.latest or 0, found.version)

    outbound = remote.outbound(session().get_one(Server, twin.server_id), for_page=True)
    try:
        return connections.with_client(actor.id, twin.server_id, look, outbound), LIVE
    except NotFound:
        return None, LOST
    except Forbidden:
        return None, FORBIDDEN


def _keep(matter_id: uuid.UUID, twin: Twin, latest: int | None, state: str) -> None:
    values: dict[str, object] = {"checked_at": utcnow(), "state": state}
    if latest is not None:
        values["latest_version"] = latest
    documents = select(Document.id).where(Document.matter_id == matter_id)
    with unit() as writing:
        writing.execute(
            update(Link)
            .where(
                Link.server_id == twin.server_id,
                Link.library_key == twin.library_key,
                Link.number == twin.number,
                Link.document_id.in_(documents),
            )
            .values(**values)
        )
