"""Device cookies: a signed cookie says to which accounts this browser has signed in before.

It grants nothing. Failed sign-ins from a known browser are only counted separately (see login_throttle).
https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies
"""

from __future__ import annotations

import secrets
import uuid
from datetime import timedelta

from itsdangerous import BadData, URLSafeTimedSerializer

from services.core import encryption

MAX_AGE = timedelta(days=365)
MAX_ACCOUNTS = 5
PURPOSE = "device"


def nonce_for(cookie: str, member_id: uuid.UUID) -> str | None:
    """Identifies this browser for this account; None if it has not signed in to it."""
    return _read(cookie).get(member_id.hex)


def remember(cookie: str, member_id: uuid.UUID) -> str:
    """The cookie of a browser that has just signed in to this account; of other accounts, the newest are kept."""
    known = _read(cookie)
    known.pop(member_id.hex, None)
    kept = dict(list(known.items())[-(MAX_ACCOUNTS - 1) :])
    return _signer().dumps({**kept, member_id.hex: secrets.token_urlsafe(16)})


def _read(cookie: str) -> dict[str, str]:
    if not cookie:
        return {}
    try:
        data = _signer().loads(cookie, max_age=int(MAX_AGE.total_seconds()))
    except BadData:
        return {}
    return {str(each): str(nonce) for each, nonce in data.items()} if isinstance(data, dict) else {}


def _signer() -> URLSafeTimedSerializer:
    """Signs with the newest key and accepts signatures of older ones."""
    keys = [encryption.derive(key, PURPOSE).hex() for key in reversed(encryption.keys())]
    return URLSafeTimedSerializer(keys, salt=PURPOSE)
