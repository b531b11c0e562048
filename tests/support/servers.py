"""Servers written directly to the tables, and a resolver under the test's control."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Callable
from typing import Any

from models import Connection, Document, Link, Matter, Member, Server, ServerFact, Transfer, Version, utcnow
from services.core.text.normalise import fold
from services.core.unit_of_work import unit_of_work
from services.servers import transport


def make_server(name: str = "London DMS", **more: Any) -> Server:
    """An on-premise server, off, with credentials whose secret is sealed as the product seals it."""
    server_id = uuid.uuid4()
    values: dict[str, Any] = {
        "kind": transport.ON_PREMISE,
        "url": f"https://{server_id.hex[:12]}.firm.test",
        "client_id": "counterpart",
        "client_secret": transport.seal_secret(server_id, "the-first-secret"),
    } | more
    values.setdefault("api_url", values["url"])
    facts = values.pop("facts", {})
    with unit_of_work() as session:
        server = Server(id=server_id, name=name, name_key=fold(name), **values)
        session.add(server)
        session.flush()
        server.facts_changed_at = utcnow() if facts else None
        for fact, value in facts.items():
            session.add(ServerFact(server_id=server_id, fact=fact, value=value, source="told"))
    return server


def connect(server: Server, member: Member) -> Connection:
    """A member's sign-in to a server, as far as the admin's side looks at it."""
    with unit_of_work() as session:
        connection = Connection(
            server_id=server.id,
            member_id=member.id,
            access_token="sealed",
            imanage_user="someone",
            base_url=f"{server.api_url}/api/v2/customers/1",
        )
        session.add(connection)
    return connection


def make_link(server: Server, member: Member, name: str = "Lease.docx") -> Link:
    """A document in a matter, and its twin on the server."""
    with unit_of_work() as session:
        matter = Matter(name="Harlow v Finch", created_by_id=member.id)
        session.add(matter)
        session.flush()
        document = Document(matter_id=matter.id, name=name, created_by_id=member.id)
        session.add(document)
        session.flush()
        version = Version(
            document_id=document.id,
            number=1,
            sha256="0" * 64,
            size=1,
            file_name=name[:260],
            origin="imanage",
            created_by_id=member.id,
        )
        session.add(version)
        session.flush()
        link = Link(
            server_id=server.id,
            document_id=document.id,
            version_id=version.id,
            direction="got",
            library="Active",
            library_key="active",
            number=104512,
            version=3,
            name=name,
            url=f"{server.url}/work/link/d/Active!104512.3",
            member_id=member.id,
            latest_version=3,
        )
        session.add(link)
    return link


def make_running_transfer(server: Server, member: Member) -> Transfer:
    with unit_of_work() as session:
        matter = Matter(name="Harlow v Finch", created_by_id=member.id)
        session.add(matter)
        session.flush()
        transfer = Transfer(
            request_key=uuid.uuid4(),
            kind="get",
            matter_id=matter.id,
            server_id=server.id,
            server_name=server.name,
            member_id=member.id,
        )
        session.add(transfer)
    return transfer


class Names:
    """Stands in for the machine's name service: names that the test gives, and no others."""

    def __init__(self, known: dict[str, list[str]]) -> None:
        self.known = known
        self.asked: list[str] = []
        self.before_answer: Callable[[], object] = lambda: None

    def getaddrinfo(self, host: str, port: Any, *_arguments: Any, **_more: Any) -> list[Any]:
        self.asked.append(host)
        self.before_answer()
        if host not in self.known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                (address, port),
            )
            for address in self.known[host]
        ]
