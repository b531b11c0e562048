"""The names of documents in iManage that a person was shown, signed: a transfer can show them before it has asked.

The page sends them back with the ids. What this installation has not signed for the same server is no name.
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
"""(id, name) -> both of them, signed."""


def signer(server_id: uuid.UUID) -> Sign:
    """For the documents of one list: its keys are made once."""
    keyed = _keyed(server_id)

    def sign(source: VersionId, name: str) -> str:
        return keyed.dumps([str(source), name[:LONGEST]])

    return sign


def read(server_id: uuid.UUID, given: Iterable[str]) -> dict[VersionId, str]:
    """Names by the ids of their documents, of all that we signed."""
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
