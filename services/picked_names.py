"""The names of documents in iManage that a person was shown, signed: a transfer can show them before it has asked.

The page sends them back with the ids. What this installation has not signed for the same server is no name.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from itsdangerous import BadSignature, URLSafeSerializer

from services import vault
from services.house import house

LONGEST = 300


def signed(server_id: uuid.UUID, source: str, name: str) -> str:
    return _signer(server_id).dumps([source, name[:LONGEST]])


def read(server_id: uuid.UUID, given: Iterable[str]) -> dict[str, str]:
    """Names by the ids of their documents, of all that we signed."""
    signer, found = _signer(server_id), {}
    for each in given:
        try:
            source, name = signer.loads(each)
        except BadSignature:
            continue
        found[source] = name
    return found


def _signer(server_id: uuid.UUID) -> URLSafeSerializer:
    """Signs with the newest key, and reads what any key has signed."""
    keys = [vault.derive(key, "picked names") for key in reversed(house().settings.secret_keys)]
    return URLSafeSerializer(keys, salt=str(server_id))
