"""Twins: which document in iManage a version here was got from or saved to. Hidden from guests altogether."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import aliased

from imanage.ids import VersionId
from models import Document, Link, Member, Version, utcnow
from services.access.server_access import ServerLabel, available_to
from services.core.actor import Actor
from services.core.unit_of_work import session
from services.guidance.outcomes import twin_sentence
from services.transfers import twin_states
from services.transfers.twin_states import Copy, KnownCopy, TwinFacts, TwinState


@dataclass(frozen=True)
class TwinView:
    """One link as a member sees it."""

    id: uuid.UUID
    document_id: uuid.UUID
    server_id: uuid.UUID
    server_label: str
    library: str
    number: int
    version: int
    name: str
    direction: str
    url: str
    at: datetime
    by: str
    is_practice: bool = False

    @property
    def reference(self) -> str:
        return f"{self.library} {self.number} v{self.version}"


@dataclass(frozen=True)
class TwinStatus:
    """A document's twin on one server, and how it compares with the document's current version.

    `twin` is the link to the version there with the current version's bytes, else to the last known one.
    """

    twin: TwinView
    facts: TwinFacts
    checked_at: datetime

    @property
    def state(self) -> TwinState:
        return self.facts.state

    @property
    def onto(self) -> VersionId:
        """The newest version there that was got or saved here: a save onto the twin is based on it."""
        return VersionId(self.twin.library, self.twin.number, self.facts.had)

    @property
    def sentence(self) -> str:
        return twin_sentence(self.facts, self.twin.server_label)


def for_documents(
    actor: Actor,
    document_ids: Collection[uuid.UUID] | Select[uuid.UUID],
    usable: Sequence[ServerLabel] | None = None,
) -> dict[uuid.UUID, tuple[TwinStatus, ...]]:
    """By document id, its twin on each server that this person can use, the newest first. One query of the links.

    `usable` are those servers, where the caller has asked for them already.
    """
    labels = {server.id: server for server in (available_to(actor) if usable is None else usable)}
    if not labels:
        return {}
    known_links = _known_links(Link.document_id.in_(document_ids), Link.server_id.in_(labels))
    of_server: dict[tuple[uuid.UUID, uuid.UUID], list[_Known]] = defaultdict(list)
    for known in known_links:
        of_server[known.link.document_id, known.link.server_id].append(known)
    found: dict[uuid.UUID, list[TwinStatus]] = defaultdict(list)
    for (document_id, server_id), links in of_server.items():
        found[document_id].append(_status(links, labels[server_id]))
    return {
        document_id: tuple(sorted(statuses, key=lambda each: each.twin.at, reverse=True))
        for document_id, statuses in found.items()
    }


def on_server(
    actor: Actor, document_ids: Collection[uuid.UUID], server_id: uuid.UUID | None
) -> dict[uuid.UUID, TwinStatus]:
    """By document id, its twin on this server, if this person can use it."""
    found = for_documents(actor, document_ids).items()
    return {id: each for id, statuses in found for each in statuses if each.twin.server_id == server_id}


def in_matter(
    matter_id: uuid.UUID, server_id: uuid.UUID, numbers: Collection[int]
) -> dict[tuple[str, int], TwinFacts]:
    """How documents with these numbers on a server compare with the matter's copies, by folded library and number.

    If several documents here come from one there, the last transfer counts. One query.
    """
    of_twin: dict[tuple[str, int], list[_Known]] = defaultdict(list)
    for known in _known_links(
        Document.matter_id == matter_id, Link.server_id == server_id, Link.number.in_(numbers)
    ):
        of_twin[known.document].append(known)
    return {
        twin: _facts([each for each in links if each.link.document_id == links[-1].link.document_id])
        for twin, links in of_twin.items()
    }


def _known_links(*where: ColumnElement[bool]) -> list[_Known]:
    """Links that have not ended, oldest first, each with its version and the document's current one."""
    current = aliased(Version)
    rows = session().execute(
        select(
            Link,
            Member.name,
            Version.number,
            Version.sha256,
            current.number.label("current_number"),
            current.sha256.label("current_sha256"),
        )
        .join(Member, Member.id == Link.member_id)
        .join(Version, Version.id == Link.version_id)
        .join(Document, Document.id == Link.document_id)
        .join(current, current.id == Document.current_version_id)
        .where(Link.ended_at.is_(None), *where)
        .order_by(Link.created_at, Link.id)
    )
    return [
        _Known(link, name, Copy(number, sha256), Copy(current_number, current_sha256))
        for link, name, number, sha256, current_number, current_sha256 in rows
    ]


def _facts(twin: Sequence[_Known]) -> TwinFacts:
    return twin_states.facts_of(
        twin[-1].current, [known_copy(each.link, each.copy) for each in twin], utcnow()
    )


@dataclass(frozen=True)
class _Known:
    link: Link
    member_name: str
    copy: Copy
    current: Copy

    @property
    def document(self) -> tuple[str, int]:
        """The document in iManage: folded library and number."""
        return self.link.library_key, self.link.number

    @property
    def is_current(self) -> bool:
        return self.copy.sha256 == self.current.sha256


def _status(links: list[_Known], server: ServerLabel) -> TwinStatus:
    """The twin that last had the current version's bytes, else the last one: there can be several on a server."""
    chosen = next((each for each in reversed(links) if each.is_current), links[-1])
    twin = [each for each in links if each.document == chosen.document]
    facts = _facts(twin)
    shown = next(
        (each for each in reversed(twin) if each.link.version == (facts.held or facts.base)), twin[-1]
    )
    return TwinStatus(
        twin=_view(shown.link, shown.member_name, server),
        facts=facts,
        checked_at=max(each.link.checked_at for each in twin),
    )


def known_copy(link: Link, here: Copy) -> KnownCopy:
    """The twin according to a link; `here` is the linked version."""
    return KnownCopy(
        here=here,
        version=link.version,
        was_saved=link.direction == "saved",
        latest=link.latest_version,
        access=link.state,
        checked_at=link.checked_at,
        checksum=link.checksum,
        told=link.latest_checksum,
        is_identical=link.direction != "linked" or link.checksum == here.sha256,
    )


def for_document(
    actor: Actor, document_id: uuid.UUID, usable: Sequence[ServerLabel] | None = None
) -> dict[uuid.UUID, list[TwinView]]:
    """The live twins of each version of a document, newest first, by version id."""
    labels = {server.id: server for server in (available_to(actor) if usable is None else usable)}
    if not labels:
        return {}
    rows = session().execute(
        select(Link, Member.name)
        .join(Member, Member.id == Link.member_id)
        .where(Link.document_id == document_id, Link.server_id.in_(labels), Link.ended_at.is_(None))
        .order_by(Link.created_at.desc(), Link.id)
    )
    by_version: dict[uuid.UUID, list[TwinView]] = defaultdict(list)
    for link, name in rows:
        by_version[link.version_id].append(_view(link, name, labels[link.server_id]))
    return dict(by_version)


def _view(link: Link, member_name: str, server: ServerLabel) -> TwinView:
    return TwinView(
        id=link.id,
        document_id=link.document_id,
        server_id=link.server_id,
        server_label=server.label,
        library=link.library,
        number=link.number,
        version=link.version,
        name=link.name,
        direction=link.direction,
        url=link.url,
        at=link.created_at,
        by=member_name,
        is_practice=server.is_practice,
    )
