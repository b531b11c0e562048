"""What is recorded of a document in iManage: its facts as JSON, and the row that links a version to its twin."""

from __future__ import annotations

import uuid
from typing import Any

from copying.values import Present
from imanage.documents import document_link, id_link
from imanage.ids import VersionId
from imanage.types import Document as RemoteDocument
from imanage.types import Endpoints
from models import Link, db

Facts = dict[str, Any]
"""Of a document in iManage: id, library, number, version, latest, full_name and url, fit for JSON."""

ADD_LINKS = db.metadata.tables[Link.__tablename__].insert()


def facts_of(endpoints: Endpoints, document: RemoteDocument) -> Facts:
    return {
        **_id(document.id),
        "latest": max(document.latest or 0, document.version),
        "full_name": document.full_name,
        "url": document_link(endpoints, document),
    }


def facts_of_present(endpoints: Endpoints, present: Present) -> Facts:
    """The same from the engine's receipt, before the profile was read back."""
    return {
        **_id(present.id),
        "latest": present.id.version,
        "full_name": f"{present.name}.{present.extension.lower()}".rstrip("."),
        "url": id_link(endpoints, present.id),
    }


def _id(id: VersionId) -> Facts:
    return {"id": str(id), "library": id.library, "number": id.number, "version": id.version}


def stored_id(facts: Facts) -> VersionId:
    """The version that the facts are of."""
    return VersionId(facts["library"], facts["number"], facts["version"])


def link_values(
    direction: str,
    facts: Facts,
    *,
    server_id: uuid.UUID,
    document_id: uuid.UUID,
    version_id: uuid.UUID,
    member_id: uuid.UUID,
    checksum: str,
) -> dict[str, Any]:
    """The row of a link that says which twin a version has."""
    return {
        "server_id": server_id,
        "document_id": document_id,
        "version_id": version_id,
        "direction": direction,
        "library": facts["library"],
        "library_key": facts["library"].casefold(),
        "number": facts["number"],
        "version": facts["version"],
        "name": facts["full_name"][:300],
        "checksum": checksum,
        "url": facts["url"],
        "member_id": member_id,
        "latest_version": facts["latest"],
    }
