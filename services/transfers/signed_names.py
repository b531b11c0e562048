"""Signed names of documents in iManage: the picker shows them, and its form sends them back with the ids.

So a transfer has names before it calls iManage. A name that this installation did not sign for the server is ignored.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable

from itsdangerous import BadSignature, URLSafeSerializer

from imanage.ids import VersionId
from services.core import encryption
from services.core.runtime import runtime

LONGEST = 300
Sign = Callable[[VersionId, str], str]
"""From id and name to the signed text."""


def signer(server_id: uuid.UUID) -> Sign:
    """Signs the names of one list; the keys are derived once for all of them."""
    keyed = _keyed(server_id)

    def sign(source: VersionId, name: str) -> str:
        return keyed.dumps([str(source), name[:LONGEST]])

    return sign


def read(server_id: uuid.UUID, given: Iterable[str]) -> dict[VersionId, str]:
    """The names by document id; texts with a wrong signature are ignored."""
    keyed, found = _keyed(server_id), dict[VersionId, str]()
    for each in given:
        try:
            source, name = keyed.loads(each)
        except BadSignature:
            continue
        found[VersionId.parse(source)] = name
    return found


def _keyed(server_id: uuid.UUID) -> URLSafeSerializer:
    """Signs with the newest key, and reads what any key has signed."""
    keys = [encryption.derive(key, "picked names") for key in reversed(runtime().settings.secret_keys)]
    return URLSafeSerializer(keys, salt=str(server_id))
