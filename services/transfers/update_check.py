"""Checks twins in iManage: what is the latest version there, and can it be seen."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import requests
from sqlalchemy import select, update

from imanage import documents as remote_documents
from imanage.client import Client
from imanage.errors import ForbiddenError, ImanageError, NotFoundError
from imanage.ids import DocumentId, VersionId
from imanage.types import Document as RemoteDocument
from models import CHECK_EVERY, Document, Link, Server, utcnow
from services.access import permissions
from services.access.server_access import available_to
from services.connections import tokens
from services.core import audit, bulkhead
from services.core.actor import Actor
from services.core.unit_of_work import release, session, unit_of_work
from services.guidance.imanage_errors import remote_refusal
from services.servers import transport
from services.transfers import links
from services.transfers.links import TwinStatus
from services.transfers.twin_states import FORBIDDEN, GONE, VISIBLE, TwinState

SECONDS = 10.0


@dataclass(frozen=True)
class Twin:
    """A document in iManage; `known` is a version id to request it by."""

    server_id: uuid.UUID
    document: DocumentId
    known: VersionId = field(compare=False)


@dataclass(frozen=True)
class TwinCheck:
    """iManage's answer about a twin: whether the member can see it, and if so its latest version's profile.

    `checksum`: of its bytes; empty if iManage does not say, or stores files otherwise than they are sent.
    """

    access: str
    document: RemoteDocument | None = None
    checksum: str = ""

    @property
    def latest(self) -> int | None:
        return max(self.document.latest or 0, self.document.version) if self.document else None


@dataclass(frozen=True)
class Checked:
    """The states of the twins checked. `left` were not checked in time.

    `name` and `says` belong to the document if only one was checked.
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
            return f"{self.name}: {state.label}. {self.says}{rest}"
        return f"{self.looked_at} twins checked: {', '.join(self.counted)}.{rest}"

    @property
    def counted(self) -> list[str]:
        return [f"{count} {state.label}" for state, count in self.counts.items()]


def check(actor: Actor, matter_id: uuid.UUID, document_id: uuid.UUID | None = None) -> Checked:
    """Check each twin in iManage, least recently checked first, for up to ten seconds."""
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
            checks = fetch(actor, twin)
        except ImanageError as error:
            raise remote_refusal(error, labels[twin.server_id]) from error
        store(matter.id, twin, checks, actor.id)
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
    """The states of the documents whose twins were checked."""
    statuses = [each for each in _statuses(actor, matter_id, document_id) if twin_of(each) in looked_at]
    counts = Counter(each.state for each in statuses)
    in_order = {state: counts[state] for state in TwinState if counts[state]}
    if len(statuses) != 1:
        return Checked(in_order, left)
    (only,) = statuses
    return Checked(in_order, left, session().get_one(Document, only.twin.document_id).name, only.sentence)


def _twins(actor: Actor, matter_id: uuid.UUID, document_id: uuid.UUID | None) -> list[Twin]:
    """Distinct twins, least recently checked first."""
    statuses = _statuses(actor, matter_id, document_id)
    return list(dict.fromkeys(twin_of(each) for each in sorted(statuses, key=lambda each: each.checked_at)))


def _statuses(actor: Actor, matter_id: uuid.UUID, document_id: uuid.UUID | None) -> list[TwinStatus]:
    documents = select(Document.id).where(Document.matter_id == matter_id)
    if document_id is not None:
        documents = documents.where(Document.id == document_id)
    return [each for of_one in links.for_documents(actor, documents).values() for each in of_one]


def twin_of(status: TwinStatus) -> Twin:
    return Twin(status.twin.server_id, status.onto.document, status.onto)


def fetch(actor: Actor, twin: Twin) -> TwinCheck:
    """Fetch the latest version's profile as the member, for a page. One remote call. Raises ImanageError."""
    outbound = transport.outbound(session().get_one(Server, twin.server_id), for_page=True)
    release()
    with bulkhead.slot(actor.id):
        return ask(actor.id, twin, outbound)


def ask(member_id: uuid.UUID, twin: Twin, outbound: requests.Session | None = None) -> TwinCheck:
    """The same with the session of transfers, unless another is given."""

    def call(client: Client) -> TwinCheck:
        document = remote_documents.profile(client, twin.known, latest=True)
        checksum = document.checksum if client.facts.stores_as_sent else None
        return TwinCheck(VISIBLE, document, checksum or "")

    try:
        return tokens.with_client(member_id, twin.server_id, call, outbound)
    except NotFoundError:
        return TwinCheck(GONE)
    except ForbiddenError:
        return TwinCheck(FORBIDDEN)


def store(
    matter_id: uuid.UUID,
    twin: Twin,
    checks: TwinCheck,
    checked_by: uuid.UUID,
    again_after: timedelta | None = None,
) -> None:
    """Store the result on every link of the matter's documents to this twin.

    `again_after`: when it is checked next in the background; by default soon where the person could not see it, because
    others may.
    """
    now = utcnow()
    usual = CHECK_EVERY if checks.document else timedelta(0)
    values: dict[str, object] = {
        "checked_at": now,
        "checked_by_id": checked_by,
        "check_at": now + (usual if again_after is None else again_after),
        "state": checks.access,
    }
    if checks.latest is not None:
        values |= {"latest_version": checks.latest, "latest_checksum": checks.checksum, "told_at": None}
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
