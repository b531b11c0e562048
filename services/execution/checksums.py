"""Learns from saves that a server's checksums are not the SHA-256 of its files: they are then no longer compared.

A save knows its bytes: iManage sent them back as they were, so nothing on the way changes them. If a second document,
too, has a checksum that is not that of its bytes, checksums mean something else. Size and our own hash remain. A get
cannot tell another meaning from bytes that are changed on the way, so it teaches nothing.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from hashlib import sha256

from imanage import documents
from imanage.client import Client
from imanage.errors import ImanageError
from imanage.ids import VersionId
from imanage.types import Document
from services.core.unit_of_work import release
from services.servers import server_facts

MOST_SAMPLE_BYTES = 4 << 20
MOST_CANDIDATES = 20
AGAIN_SECONDS = 3600.0
"""How long a server whose second document was as listed, or that had none, is not sampled again."""

_sampled: dict[uuid.UUID, float] = {}


def is_ours_under_another_checksum(
    client: Client, server_id: uuid.UUID, id: VersionId, digest: str, size: int
) -> bool:
    """Whether iManage stored the bytes that it was sent, and its checksums have another meaning than their SHA-256.

    Then the server's facts say so from now on. No database connection is held during calls.
    """
    last = _sampled.get(server_id)
    is_sampled = last is not None and time.monotonic() - last < AGAIN_SECONDS
    if is_sampled or client.facts.checksum != "sha256":
        return False
    release()
    try:
        if _digest(client, id) != (digest, size):
            return False
        document = documents.profile(client, id)
    except ImanageError:
        return False
    if not _could_be_a_hash(document.checksum):
        return False
    if not _another_differs(client, document):
        _sampled[server_id] = time.monotonic()
        return False
    return server_facts.learn_from_use(
        server_id,
        "checksum",
        "other",
        "Found in use: the checksums of two documents are not those of their bytes.",
    )


def _another_differs(client: Client, document: Document) -> bool:
    try:
        sample = _second(client, document)
        if sample is None:
            return False
        digest, size = _digest(client, sample.id)
    except ImanageError:
        return False
    return size == sample.size and digest != sample.checksum


def _second(client: Client, document: Document) -> Document | None:
    """The smallest other version of the document, else the smallest document of its workspace."""
    found = _smallest(documents.versions(client, document.id).items, document)
    if found is None and document.workspace_id:
        page = documents.search(client, "", container_id=document.workspace_id, limit=MOST_CANDIDATES)
        found = _smallest(page.items, document)
    return found


def _smallest(found: Sequence[Document], document: Document) -> Document | None:
    usable = [
        each
        for each in found
        if each.id != document.id
        and each.checksum not in {None, document.checksum}
        and 0 < (each.size or 0) <= MOST_SAMPLE_BYTES
    ]
    return min(usable, key=lambda each: each.size or 0, default=None)


def _digest(client: Client, id: VersionId) -> tuple[str, int]:
    digest, size = sha256(), 0
    with documents.download(client, id) as stream:
        for chunk in stream.chunks():
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size


def _could_be_a_hash(checksum: str | None) -> bool:
    """A checksum of one repeated digit is a placeholder, which says nothing."""
    return checksum is not None and len(set(checksum)) > 1
