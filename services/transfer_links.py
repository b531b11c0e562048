"""What a finished transfer keeps of the other side: the server's own word about the twin, and the link to it."""

from __future__ import annotations

from typing import Any

from imanage.ids import DocumentId
from imanage.links import document_link, id_link
from imanage.types import Document as RemoteDocument
from models import Link, Member, Server, Transfer, TransferItem, Version
from services import remote
from services.actor import Actor
from services.unit import session
from transfers.items import Present

Facts = dict[str, Any]
"""Of a document in iManage: id, library, number, version, latest, full_name and url, fit for JSON."""


def facts_of(server: Server, document: RemoteDocument) -> Facts:
    return {
        "id": document.id,
        "library": document.library,
        "number": document.number,
        "version": document.version,
        "latest": max(document.latest or 0, document.version),
        "full_name": document.full_name,
        "url": document_link(remote.endpoints(server), document),
    }


def facts_of_present(server: Server, present: Present) -> Facts:
    """The same from the engine's receipt, before the profile was read back."""
    document = DocumentId.parse(present.id)
    return {
        "id": present.id,
        "library": document.library,
        "number": document.number,
        "version": present.version,
        "latest": present.version,
        "full_name": f"{present.name}.{present.extension}".rstrip("."),
        "url": id_link(remote.endpoints(server), present.id),
    }


def link_to(item: TransferItem, server: Server, version: Version, direction: str, facts: Facts) -> None:
    """Keep which twin a version has, in the open unit."""
    library_key = facts["library"].casefold()
    session().add(
        Link(
            server_id=server.id,
            document_id=version.document_id,
            version_id=version.id,
            direction=direction,
            library=facts["library"],
            library_key=library_key,
            number=facts["number"],
            version=facts["version"],
            name=facts["full_name"][:300],
            checksum=item.sha256,
            url=facts["url"],
            member_id=item.transfer.member_id,
            latest_version=facts["latest"],
        )
    )


def member_of(transfer: Transfer) -> Actor:
    """Whoever asked for the transfer, for its audit events: a worker acts in his name and with his rights."""
    member = session().get_one(Member, transfer.member_id)
    return Actor(id=member.id, name=member.name, email=member.email, is_guest=member.is_guest)
