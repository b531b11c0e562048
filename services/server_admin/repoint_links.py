"""The links of a re-point: which move, which can go back, and moving them. Callers hold the locks of both servers."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Select,
    String,
    Update,
    Uuid,
    and_,
    cast,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.orm import Session, aliased

from imanage.documents import id_link
from imanage.ids import VersionId
from models import Document, Link, Matter, Repoint, RepointedLink, Server
from services.core.unit_of_work import session
from services.servers import transport
from services.transfers.twin_states import MOVED

NAMED = 10


@dataclass(frozen=True)
class Named:
    """Documents by name and matter: the first NAMED, and the number of all."""

    names: tuple[str, ...]
    count: int

    @property
    def more(self) -> int:
        return self.count - len(self.names)


def live(server_id: uuid.UUID) -> ColumnElement[bool]:
    return and_(Link.server_id == server_id, Link.ended_at.is_(None))


def linked_on(server_id: uuid.UUID, since: datetime | None = None) -> Select[uuid.UUID]:
    """The documents that are linked on this server, or have been since."""
    other = aliased(Link)
    found = select(other.document_id).where(other.server_id == server_id, other.ended_at.is_(None))
    return found if since is None else found.where(other.created_at > since)


def conflicting(source_id: uuid.UUID, target_id: uuid.UUID) -> ColumnElement[bool]:
    """Links on the source of documents that are linked on the target already."""
    return and_(live(source_id), Link.document_id.in_(linked_on(target_id)))


def movable(source_id: uuid.UUID, target_id: uuid.UUID, keys: Mapping[str, str]) -> ColumnElement[bool]:
    """Links in these libraries, except those of documents that are linked on the target already."""
    linked = Link.document_id.in_(linked_on(target_id))
    return and_(live(source_id), Link.library_key.in_(keys), ~linked)


def moved_by(row: Repoint) -> ColumnElement[bool]:
    return Link.id.in_(select(RepointedLink.link_id).where(RepointedLink.repoint_id == row.id))


def returnable(row: Repoint) -> ColumnElement[bool]:
    """A link that is where it moved to, whose document was neither got nor saved on either server since."""
    newer = aliased(Link)
    used = exists().where(
        newer.server_id == row.target_id,
        newer.library_key == Link.library_key,
        newer.number == Link.number,
        newer.document_id == Link.document_id,
        newer.created_at > row.moved_at,
    )
    linked_again = Link.document_id.in_(linked_on(row.source_id, row.moved_at))
    return and_(live(row.target_id), ~used, ~linked_again)


def library_counts(source_id: uuid.UUID, *where: ColumnElement[bool]) -> tuple[tuple[str, str, int], ...]:
    """By library of the links that have not ended: folded name, name, and number of links."""
    rows = session().execute(
        select(Link.library_key, func.max(Link.library), func.count())
        .where(live(source_id), *where)
        .group_by(Link.library_key)
        .order_by(Link.library_key)
    )
    return tuple((key, name, count) for key, name, count in rows)


def count(*where: ColumnElement[bool]) -> int:
    return session().scalar(select(func.count()).select_from(Link).where(*where)) or 0


def documents_of(*where: ColumnElement[bool]) -> Named:
    """The documents of these links."""
    found = select(Link.document_id).where(*where).distinct().subquery()
    count = session().scalar(select(func.count()).select_from(found)) or 0
    if not count:
        return Named((), 0)
    rows = session().execute(
        select(Document.name, Matter.name)
        .join(found, found.c.document_id == Document.id)
        .join(Matter, Matter.id == Document.matter_id)
        .order_by(Matter.name, Document.name, Document.id)
        .limit(NAMED)
    )
    return Named(tuple(f"{name} in “{matter}”" for name, matter in rows), count)


def move(writing: Session, row: Repoint, target: Server) -> int:
    """The number of links moved. The number of statements depends on that of the libraries only."""
    before = select(
        Link.id,
        literal(row.id, Uuid()),
        Link.library,
        Link.library_key,
        Link.url,
        Link.state,
    ).where(movable(row.source_id, row.target_id, row.libraries))
    writing.execute(
        insert(RepointedLink).from_select(
            ["link_id", "repoint_id", "library", "library_key", "url", "state"], before
        )
    )
    return sum(
        _changed(
            writing,
            update(Link)
            .where(moved_by(row), live(row.source_id), Link.library_key == key)
            .values(
                server_id=target.id,
                library=name,
                library_key=name.casefold(),
                url=_url(target, name),
                state=MOVED,
            ),
        )
        for key, name in row.libraries.items()
    )


def give_back(writing: Session, row: Repoint) -> int:
    """The number of links that went back."""
    before = {
        name: select(getattr(RepointedLink, name))
        .where(RepointedLink.link_id == Link.id, RepointedLink.repoint_id == row.id)
        .scalar_subquery()
        for name in ("library", "library_key", "url")
    }
    returned = _changed(
        writing,
        update(Link)
        .where(moved_by(row), returnable(row))
        .values(server_id=row.source_id, state=MOVED, **before),
    )
    writing.execute(delete(RepointedLink).where(RepointedLink.repoint_id == row.id))
    return returned


def _changed(writing: Session, statement: Update) -> int:
    result = writing.execute(statement, execution_options={"synchronize_session": False})
    return result.rowcount if isinstance(result, CursorResult) else 0


def _url(target: Server, library: str) -> ColumnElement[str]:
    """The links of a library to the web client of the target, as SQL."""
    before = id_link(transport.endpoints(target), VersionId(library, 1, 1)).removesuffix("1.1")
    return literal(before) + cast(Link.number, String) + "." + cast(Link.version, String)
