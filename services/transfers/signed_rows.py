"""Signed rows of iManage's lists: the picker shows them, and its form sends them back with the ids.

So a transfer has names before it calls iManage, and a get needs no profile where the list was complete. A row that this
installation did not sign for the server and the member is ignored.
"""

from __future__ import annotations

import time
import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer

from imanage.documents import link_path
from imanage.ids import VersionId
from imanage.types import Document
from services.core import encryption
from services.core.runtime import runtime

LONGEST = 300
LISTED_FOR = timedelta(minutes=5)
"""How long a row may take the place of the profile."""
Sign = Callable[[Document], str]
Facts = dict[str, Any]
"""Of a version as listed, fit for JSON: name, extension, size, sha256, latest, url (None where it follows from the id),
`at` (seconds since 1970) and `by` (the member's id)."""


@dataclass(frozen=True)
class Row:
    """What the page called a version. `facts` is None where the list lacked size, checksum or the latest version."""

    name: str
    facts: Facts | None = None

    @property
    def size(self) -> int | None:
        return self.facts["size"] if self.facts else None


def signer(server_id: uuid.UUID, member_id: uuid.UUID) -> Sign:
    """Signs the rows of one list; the keys are derived once for all of them."""
    keyed, at = _keyed(server_id, member_id), int(time.time())

    def sign(document: Document) -> str:
        return keyed.dumps([str(document.id), *_fields(document, at)])

    return sign


def read(server_id: uuid.UUID, member_id: uuid.UUID, given: Iterable[str]) -> dict[VersionId, Row]:
    """The rows by document id; texts with a wrong signature are ignored."""
    keyed, found = _keyed(server_id, member_id), dict[VersionId, Row]()
    for each in given:
        try:
            source, name, *fields = keyed.loads(each)
        except BadSignature:
            continue
        found[VersionId.parse(source)] = Row(name, _facts(name, fields, member_id) if fields else None)
    return found


def listed(id: VersionId, facts: Facts | None) -> Document | None:
    """The version as it was listed; None where that was too long ago, or not after all by this machine's clock."""
    if facts is None or not 0 <= time.time() - facts["at"] <= LISTED_FOR.total_seconds():
        return None
    return Document(
        id=id,
        name=facts["name"],
        extension=facts["extension"],
        size=facts["size"],
        checksum=facts["sha256"],
        latest=facts["latest"],
        url=facts["url"],
    )


def _fields(document: Document, at: int) -> list[Any]:
    """Short, because a page has a hundred of them: the SHA-256 in base64, the full name once, and no usual link."""
    name = document.full_name or str(document.id)
    if not document.size or document.checksum is None or document.latest is None or len(name) > LONGEST:
        return [name[:LONGEST]]
    sha256 = urlsafe_b64encode(bytes.fromhex(document.checksum)).decode().rstrip("=")
    is_usual = document.url is None or document.url.endswith(link_path(document.id))
    url = None if is_usual else document.url
    return [name, len(document.extension), document.size, sha256, document.latest, at, url]


def _facts(full_name: str, fields: list[Any], member_id: uuid.UUID) -> Facts:
    extension_length, size, sha256, latest, at, url = fields
    name = full_name[: -extension_length - 1] if extension_length else full_name
    return {
        "name": name,
        "extension": full_name[len(name) + 1 :],
        "size": size,
        "sha256": urlsafe_b64decode(f"{sha256}=").hex(),
        "latest": latest,
        "url": url,
        "at": at,
        "by": str(member_id),
    }


def _keyed(server_id: uuid.UUID, member_id: uuid.UUID) -> URLSafeSerializer:
    """Signs with the newest key, and reads what any key has signed."""
    keys = [encryption.derive(key, "picked names") for key in reversed(runtime().settings.secret_keys)]
    return URLSafeSerializer(keys, salt=f"{server_id} {member_id}")
