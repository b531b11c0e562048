"""Browsers that have signed in before: a signed cookie says to which accounts, as OWASP describes device cookies.

It opens nothing. A browser that shows it is only counted by itself when passwords are guessed (see guessing).
"""

from __future__ import annotations

import secrets
import uuid
from datetime import timedelta

from itsdangerous import BadData, URLSafeTimedSerializer

from services.core import encryption

LIFE = timedelta(days=365)
MOST_ACCOUNTS = 5
PURPOSE = "device"


def nonce_for(cookie: str, member_id: uuid.UUID) -> str | None:
    """What tells this browser from others of the same person; None where it has not signed in to this account."""
    return _read(cookie).get(member_id.hex)


def remember(cookie: str, member_id: uuid.UUID) -> str:
    """The cookie of a browser that has just signed in to this account; of others it knew it keeps the newest."""
    known = _read(cookie)
    known.pop(member_id.hex, None)
    kept = dict(list(known.items())[-(MOST_ACCOUNTS - 1) :])
    return _signer().dumps({**kept, member_id.hex: secrets.token_urlsafe(16)})


def _read(cookie: str) -> dict[str, str]:
    if not cookie:
        return {}
    try:
        said = _signer().loads(cookie, max_age=int(LIFE.total_seconds()))
    except BadData:
        return {}
    return {str(each): str(nonce) for each, nonce in said.items()} if isinstance(said, dict) else {}


def _signer() -> URLSafeTimedSerializer:
    """Signs with the newest key, and takes what an older one has signed."""
    keys = [encryption.derive(key, PURPOSE).hex() for key in reversed(encryption.keys())]
    return URLSafeTimedSerializer(keys, salt=PURPOSE)
