"""Matters, documents and twins made with the services, and a count of the queries that a page makes."""

from __future__ import annotations

import io
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from models import Document, Link, Member, Server, db
from services.core.actor import Actor
from services.core.text.normalise import fold
from services.core.unit_of_work import session, unit_of_work
from services.matters import documents, matters, participants


def open_matter(lead: Actor, name: str = "Project Heron", **people: Member) -> uuid.UUID:
    """A matter of this lead; further people as `role=member` (`viewer_2=member` for a second one)."""
    matter_id = matters.create(lead, matters.MatterDetails(name, "10482", "0007"))
    for role, member in people.items():
        participants.add(lead, matter_id, member.id, role.partition("_")[0])
    return matter_id


def add_document(
    actor: Actor, matter_id: uuid.UUID, name: str = "Lease.docx", content: bytes = b"lease"
) -> uuid.UUID:
    return documents.add(actor, matter_id, name, io.BytesIO(content))


def current_version(document_id: uuid.UUID) -> uuid.UUID:
    version_id = session().get_one(Document, document_id, populate_existing=True).current_version_id
    assert version_id is not None
    return version_id


def add_server(name: str = "London DMS", *, is_enabled: bool = True) -> uuid.UUID:
    host = fold(name).replace(" ", "-")
    with unit_of_work() as writing:
        server = Server(
            kind="cloud",
            name=name,
            name_key=fold(name),
            url=f"https://{host}.cloudimanage.com",
            api_url=f"https://{host}.cloudimanage.com",
            client_id="client",
            client_secret="sealed",
            is_enabled=is_enabled,
        )
        writing.add(server)
        writing.flush()
        return server.id


def add_twin(document_id: uuid.UUID, server_id: uuid.UUID, member_id: uuid.UUID, **more: int) -> None:
    """The current version was got from 104512 v3, or `version`; with `latest_version=4` iManage has a newer one."""
    with unit_of_work() as writing:
        writing.add(
            Link(
                server_id=server_id,
                document_id=document_id,
                version_id=current_version(document_id),
                direction="got",
                library="Active",
                library_key="active",
                number=more.get("number", 104512),
                version=more.get("version", 3),
                name="Lease of the wharf",
                url="https://london-dms.cloudimanage.com/work/link/d/Active!104512.3",
                member_id=member_id,
                latest_version=more.get("latest_version", 3),
            )
        )


@contextmanager
def counted_queries() -> Iterator[list[str]]:
    """The statements that the block sends to the database."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
