"""What became of twins in iManage: looked up when a person asks, never by itself."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import select, update

from imanage import documents as remote_documents
from imanage.client import Client
from imanage.errors import ForbiddenError, ImanageError, NotFoundError
from imanage.ids import DocumentId, VersionId
from imanage.types import Document as RemoteDocument
from models import Document, Link, Server, utcnow
from services.access import permissions
from services.access.server_access import available_to
from services.connections import clients
from services.core import audit, bulkhead
from services.core.actor import Actor
from services.core.unit_of_work import release, session, unit_of_work
from services.guidance.imanage_errors import remote_refusal
from services.servers import transport
from services.transfers import links
from services.transfers.links import TwinStatus
from services.transfers.twin_states import BADGES, FORBIDDEN, GONE, LIVE, TwinState

SECONDS = 10.0


@dataclass(frozen=True)
class Twin:
    """A document there; `known` says only how to ask for it."""

    server_id: uuid.UUID
    document: DocumentId
    known: VersionId = field(compare=False)


@dataclass(frozen=True)
class Seen:
    """What iManage said of a twin: whether this person can see it, and its latest version's profile where they can."""

    access: str
    document: RemoteDocument | None = None

    @property
    def latest(self) -> int | None:
        return max(self.document.latest or 0, self.document.version) if self.document else None


@dataclass(frozen=True)
class Checked:
    """What the twins that were looked at are to the current versions here. `left` were not reached in time.

    `name` and `says` are those of the document where only one was looked at.
    """

    counts: Mapping[TwinState, int]
    left: int = 0
    name: str = ""
    says: str = ""

    @property
    def looked_at(self) -> int:
        return sum(self.counts.values())

    @property
    def sentence(self) -> str:
        """*Lease.docx: Lost. …* of one; of more, how many are what: *3 twins checked: 2 Same, 1 Lost.*"""
        if not self.looked_at:
            return "No document here has a twin in iManage yet."
        were = "was" if self.left == 1 else "were"
        rest = f" {self.left} {were} not checked in time. Check again to continue." if self.left else ""
        if self.name:
            (state,) = self.counts
            return f"{self.name}: {BADGES[state][0]}. {self.says}{rest}"
        return f"{self.looked_at} twins checked: {', '.join(self.counted)}.{rest}"

    @property
    def counted(self) -> list[str]:
        return [f"{count} {BADGES[state][0]}" for state, count in self.counts.items()]


def check(actor: Actor, matter_id: uuid.UUID, document_id: uuid.UUID | None = None) -> Checked:
    """Ask iManage about each twin, those that were checked longest ago first, for ten seconds."""
    matter = permissions.require_transfer(actor, matter_id)
    labels = {server.id: server.label for server in available_to(actor)}
    twins = _twins(actor, matter.id, document_id)
    subject = matter.name
    release()
    deadline = time.monotonic() + SECONDS
    looked_at: set[Twin] = set()
    for twin in twins:
        if looked_at and time.monotonic() > deadline:
            break
        try:
            seen = look(actor, twin)
        except ImanageError as error:
            raise remote_refusal(error, labels[twin.server_id]) from error
        keep(matter.id, twin, seen)
        looked_at.add(twin)
    checked = _outcome(actor, matter.id, document_id, looked_at, left=len(twins) - len(looked_at))
    with unit_of_work():
        audit.record(
            actor,
            "links.checked",
            checked.name or subject,
            matter_id=matter_id,
            looked_at=checked.looked_at,
            found=checked.counted,
            left=checked.left,
        )
    return checked


def _outcome(
    actor: Actor, matter_id: uuid.UUID, document_id: uuid.UUID | None, looked_at: set[Twin], left: int
) -> Checked:
    """What each document whose twin was looked at and that twin are to each other now."""
    statuses = [each for each in _statuses(actor, matter_id, document_id) if twin_of(each) in looked_at]
    counts = Counter(each.state for each in statuses)
    in_order = {state: counts[state] for state in TwinState if counts[state]}
    if len(statuses) != 1:
        return Checked(in_order, left)
    (only,) = statuses
    return Checked(in_order, left, session().get_one(Document, only.twin.document_id).name, only.sentence)


def _twins(actor: Actor, matter_id: uuid.UUID, document_id: uuid.UUID | None) -> list[Twin]:
    """Each once, those that were checked longest ago first."""
    statuses = _statuses(actor, matter_id, document_id)
    return list(dict.fromkeys(twin_of(each) for each in sorted(statuses, key=lambda each: each.checked_at)))


def _statuses(actor: Actor, matter_id: uuid.UUID, document_id: uuid.UUID | None) -> list[TwinStatus]:
    documents = select(Document.id).where(Document.matter_id == matter_id)
    if document_id is not None:
        documents = documents.where(Document.id == document_id)
    return [each for of_one in links.for_documents(actor, documents).values() for each in of_one]


def twin_of(status: TwinStatus) -> Twin:
    return Twin(status.twin.server_id, status.onto.document, status.onto)


def look(actor: Actor, twin: Twin) -> Seen:
    """Ask iManage for the latest version's profile, in the person's name. One call. Raises ImanageError."""

    def ask(client: Client) -> RemoteDocument:
        return remote_documents.profile(client, twin.known, latest=True)

    outbound = transport.outbound(session().get_one(Server, twin.server_id), for_page=True)
    release()
    try:
        with bulkhead.slot(actor.id):
            return Seen(LIVE, clients.with_client(actor.id, twin.server_id, ask, outbound))
    except NotFoundError:
        return Seen(GONE)
    except ForbiddenError:
        return Seen(FORBIDDEN)


def keep(matter_id: uuid.UUID, twin: Twin, seen: Seen) -> None:
    """What was seen, on every link of the matter's documents to this twin."""
    values: dict[str, object] = {"checked_at": utcnow(), "state": seen.access}
    if seen.latest is not None:
        values["latest_version"] = seen.latest
    documents = select(Document.id).where(Document.matter_id == matter_id)
    with unit_of_work() as writing:
        writing.execute(
            update(Link)
            .where(
                Link.server_id == twin.server_id,
                Link.library_key == twin.document.library_key,
                Link.number == twin.document.number,
                Link.document_id.in_(documents),
            )
            .values(**values)
        )
