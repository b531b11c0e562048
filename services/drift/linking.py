"""Links by hand: a document here and one in iManage are linked, unlinked, found again, and found in other matters."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import aliased

from imanage import documents as remote_documents
from imanage.errors import BadIdError
from imanage.ids import VersionId
from imanage.types import Document as RemoteDocument
from models import Document, DriftDecision, Link, Matter, Participant, Version, utcnow
from services.access import permissions
from services.access.participation import takes_part
from services.access.server_access import ServerLabel, label_for, require_use
from services.connections import tokens
from services.core import audit
from services.core.actor import Actor
from services.core.errors import InvalidError, NotFoundError
from services.core.text.file_names import split, visible
from services.core.unit_of_work import session, unit_of_work
from services.drift import board
from services.matters.row_locks import locked_document
from services.picker import pasted
from services.picker.browse import call_imanage
from services.servers import transport
from services.transfers import links
from services.transfers.link_facts import facts_of, link_values
from services.transfers.links import TwinStatus

MOST_FOUND = 20
MOST_ELSEWHERE = 20


@dataclass(frozen=True)
class LinkCommand:
    """`reference`: what a person entered: a link, `Library!number.version`, or a number of their own library."""

    document_id: uuid.UUID
    server_id: uuid.UUID
    reference: str


@dataclass(frozen=True)
class LinkForm:
    """What the pop-up shows: the document, its twin so far, and what iManage has of that name."""

    document_id: uuid.UUID
    matter_id: uuid.UUID
    name: str
    server_id: uuid.UUID
    label: str
    twin: TwinStatus | None

    @property
    def stem(self) -> str:
        """The last known name there, else the name here, without its extension: what to search for."""
        return split(self.twin.twin.name if self.twin else self.name).stem


@dataclass(frozen=True)
class Candidate:
    """A document in iManage that may be the twin. `is_identical`: it has the bytes of a version here."""

    id: VersionId
    name: str
    workspace: str
    author: str
    is_identical: bool

    @property
    def reference(self) -> str:
        return f"{self.id.library} {self.id.number} v{self.id.version}"


@dataclass(frozen=True)
class Linked:
    """The new twin. `is_identical`: a version here has its bytes; `ended`: the reference of the twin it replaces."""

    name: str
    reference: str
    is_identical: bool
    ended: str = ""


@dataclass(frozen=True)
class Elsewhere:
    """The same document of iManage in another matter of the actor's."""

    matter_id: uuid.UUID
    matter: str
    document_id: uuid.UUID
    document: str


def form(actor: Actor, document_id: uuid.UUID, server_id: uuid.UUID) -> LinkForm:
    """Raises SignInNeededError where iManage could not be asked."""
    document = _document(actor, document_id)
    server = require_use(actor.id, server_id)
    tokens.home_of(actor.id, server_id)
    return LinkForm(
        document_id=document.id,
        matter_id=document.matter_id,
        name=document.name,
        server_id=server_id,
        label=label_for(actor.id, server),
        twin=links.on_server(actor, [document_id], server_id).get(document_id),
    )


def search(actor: Actor, document_id: uuid.UUID, server_id: uuid.UUID, text: str) -> tuple[Candidate, ...]:
    """Documents in iManage that the member can see and whose profile or content has the text. One remote call."""
    own = _checksums(_document(actor, document_id).id)
    if not text.strip():
        return ()
    preferred = tokens.home_of(actor.id, server_id).library
    page = call_imanage(
        actor,
        server_id,
        lambda client: remote_documents.search(client, text, limit=MOST_FOUND, preferred=preferred),
        "searching",
    )
    found = [
        Candidate(
            id=each.id,
            name=visible(each.full_name or str(each.id)),
            workspace=visible(each.workspace_name or ""),
            author=visible(each.author_name or each.author or ""),
            is_identical=each.checksum is not None and each.checksum in own,
        )
        for each in page.items[:MOST_FOUND]
    ]
    return tuple(sorted(found, key=lambda each: not each.is_identical))


def link(actor: Actor, command: LinkCommand) -> Linked:
    """Link a document with one in iManage that the member can see, in place of its twin there. One remote call.

    The version here with the same bytes is linked, else the current one: then both count as changed since.
    """
    document = _document(actor, command.document_id)
    home = tokens.home_of(actor.id, command.server_id)
    host = transport.endpoints(require_use(actor.id, command.server_id)).browser.partition("://")[2]
    id, is_latest = _read(command.reference, home.library, host)
    there = call_imanage(
        actor, command.server_id, lambda client: remote_documents.profile(client, id, latest=is_latest)
    )
    with unit_of_work() as writing:
        matter = permissions.require_transfer(actor, document.matter_id)
        server = require_use(actor.id, command.server_id)
        document = locked_document(writing, matter.id, command.document_id)
        _require_free(matter.id, document.id, server.id, there.id)
        version, checksum = _same_version(document, there)
        ended = _end(document.id, server.id)
        facts = facts_of(transport.endpoints(server), there)
        values = link_values(
            "linked",
            facts,
            server_id=server.id,
            document_id=document.id,
            version_id=version.id,
            member_id=actor.id,
            checksum=checksum,
        )
        writing.add(Link(**values, latest_checksum=there.checksum or ""))
        linked = Linked(
            visible(there.full_name or str(there.id)),
            f"{there.id.library} {there.id.number} v{there.id.version}",
            checksum == version.sha256,
            ended,
        )
        audit.record(
            actor,
            "link.made",
            document.name,
            subject_id=document.id,
            matter_id=matter.id,
            server_id=server.id,
            twin=facts["id"],
            version=version.number,
            identical=linked.is_identical,
            before=ended,
        )
    return linked


def unlink(
    actor: Actor, matter_id: uuid.UUID, server_id: uuid.UUID, document_ids: tuple[uuid.UUID, ...]
) -> int:
    """End the links of these documents to their twins on a server. Nothing is deleted. Returns how many."""
    with unit_of_work():
        permissions.require_transfer(actor, matter_id)
        rows = board.rows_on(actor, matter_id, server_id, document_ids)
        if not rows:
            raise InvalidError({"document": "Choose at least one document that has a twin in iManage."})
        for row in rows:
            _end(row.document_id, server_id)
        audit.record_all(
            [
                audit.event(
                    actor,
                    "link.ended",
                    row.name,
                    subject_id=row.document_id,
                    matter_id=matter_id,
                    server_id=server_id,
                    twin=row.status.twin.reference,
                )
                for row in rows
            ]
        )
    return len(rows)


def elsewhere(actor: Actor, document_id: uuid.UUID, usable: Sequence[ServerLabel]) -> tuple[Elsewhere, ...]:
    """Where else in the actor's matters the twins of this document on these servers are. One query."""
    if not usable:
        return ()
    own, other = aliased(Link), aliased(Link)
    rows = session().execute(
        select(Matter.id, Matter.name, Document.id, Document.name)
        .select_from(own)
        .join(
            other,
            (other.server_id == own.server_id)
            & (other.library_key == own.library_key)
            & (other.number == own.number),
        )
        .join(Document, Document.id == other.document_id)
        .join(Matter, Matter.id == Document.matter_id)
        .join(Participant, Participant.matter_id == Matter.id)
        .where(
            own.document_id == document_id,
            own.server_id.in_([server.id for server in usable]),
            own.ended_at.is_(None),
            other.ended_at.is_(None),
            other.document_id != document_id,
            takes_part(actor),
        )
        .distinct()
        .order_by(Matter.name, Document.name)
        .limit(MOST_ELSEWHERE)
    )
    return tuple(Elsewhere(*row) for row in rows)


def _document(actor: Actor, document_id: uuid.UUID) -> Document:
    document = session().get(Document, document_id)
    if document is None:
        raise NotFoundError("We could not find this document.")
    permissions.require_transfer(actor, document.matter_id)
    return document


def _read(reference: str, library: str, host: str) -> tuple[VersionId, bool]:
    """The version that was entered, and whether the latest one is meant. Raises InvalidError.

    `library`: the member's own, of a number without one; `host`: that of the server's links.
    """
    found = pasted.parse(reference)
    number = found[0].number if len(found) == 1 else None
    named = found[0].library or library if number else ""
    if not named:
        raise InvalidError(
            {"reference": "Enter a link to the document in iManage, or its number, such as Active!104512."}
        )
    if found[0].host not in {"", host}:
        raise InvalidError({"reference": "This link leads to another iManage server."})
    try:
        return VersionId.parse(f"{named}!{number}", found[0].version or 1), found[0].version is None
    except BadIdError as error:
        raise InvalidError({"reference": "This is not the number of a document in iManage."}) from error


def _require_free(
    matter_id: uuid.UUID, document_id: uuid.UUID, server_id: uuid.UUID, there: VersionId
) -> None:
    """One document of iManage has one copy in a matter."""
    other = session().scalar(
        select(Document.name)
        .join(Link, Link.document_id == Document.id)
        .where(
            Document.matter_id == matter_id,
            Document.id != document_id,
            Link.server_id == server_id,
            Link.library_key == there.library_key,
            Link.number == there.number,
            Link.ended_at.is_(None),
        )
        .limit(1)
    )
    if other is not None:
        raise InvalidError({"reference": f"{visible(other)} in this matter is linked to it already."})


def _checksums(document_id: uuid.UUID) -> set[str]:
    return set(session().scalars(select(Version.sha256).where(Version.document_id == document_id)))


def _same_version(document: Document, there: RemoteDocument) -> tuple[Version, str]:
    """The version here to link, and the checksum there. Without a checksum, the size must do."""
    query = select(Version).where(Version.document_id == document.id).order_by(Version.number.desc())
    versions = session().scalars(query).all()
    current = next(each for each in versions if each.id == document.current_version_id)
    if there.checksum:
        same = [each for each in versions if each.sha256 == there.checksum]
        return (current if current in same or not same else same[0]), there.checksum
    return current, current.sha256 if there.size == current.size else ""


def _end(document_id: uuid.UUID, server_id: uuid.UUID) -> str:
    """End the links, in the open unit of work, with what was decided about them. Returns the last one's reference."""
    where = (
        Link.document_id == document_id,
        Link.server_id == server_id,
        Link.ended_at.is_(None),
    )
    last = session().scalar(select(Link).where(*where).order_by(Link.created_at.desc()).limit(1))
    if last is None:
        return ""
    reference = f"{last.library} {last.number} v{last.version}"
    session().execute(update(Link).where(*where).values(ended_at=utcnow()))
    if decision := session().get(DriftDecision, (document_id, server_id)):
        session().delete(decision)
    return reference
