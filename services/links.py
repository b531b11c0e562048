"""Twins: which document in iManage a version here was got from or saved to. Hidden from guests altogether."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select

from models import Link, Member
from services.actor import Actor
from services.server_access import ServerLabel, available_to
from services.unit import session


@dataclass(frozen=True)
class TwinView:
    """One link as a member sees it. `newer` means that iManage holds a later version than this one."""

    id: uuid.UUID
    document_id: uuid.UUID
    version_id: uuid.UUID
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
    latest_version: int
    checked_at: datetime
    state: str
    is_practice: bool = False

    @property
    def newer(self) -> bool:
        return self.latest_version > self.version

    @property
    def reference(self) -> str:
        return f"{self.library} {self.number} v{self.version}"


def for_documents(actor: Actor, document_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, TwinView]:
    """The newest live twin of each of these documents, by document id: what one page of a list shows."""
    newest: dict[uuid.UUID, TwinView] = {}
    for twin in _twins(actor, select(Link, Member.name).where(Link.document_id.in_(document_ids))):
        newest.setdefault(twin.document_id, twin)
    return newest


def for_document(actor: Actor, document_id: uuid.UUID) -> dict[uuid.UUID, list[TwinView]]:
    """The live twins of each version of a document, newest first, by version id."""
    by_version: dict[uuid.UUID, list[TwinView]] = defaultdict(list)
    for twin in _twins(actor, select(Link, Member.name).where(Link.document_id == document_id)):
        by_version[twin.version_id].append(twin)
    return dict(by_version)


def _twins(actor: Actor, query: Select[Link, str]) -> list[TwinView]:
    labels = {server.id: server for server in available_to(actor)}
    if not labels:
        return []
    rows = session().execute(
        query.join(Member, Member.id == Link.member_id)
        .where(Link.server_id.in_(labels), Link.ended_at.is_(None))
        .order_by(Link.created_at.desc(), Link.id)
    )
    return [_view(link, name, labels[link.server_id]) for link, name in rows]


def _view(link: Link, member_name: str, server: ServerLabel) -> TwinView:
    return TwinView(
        id=link.id,
        document_id=link.document_id,
        version_id=link.version_id,
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
        latest_version=link.latest_version,
        checked_at=link.checked_at,
        state=link.state,
        is_practice=server.is_practice,
    )
