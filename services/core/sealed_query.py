"""Search text, encrypted for use in a URL: it is often the name of a person or a client.

URLs are kept in browser histories and in the logs of every proxy on the way.
"""

from __future__ import annotations

import base64
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.core import encryption

PURPOSE = "search words"
NONCE_BYTES = 12


def seal(words: str) -> str:
    """Base64url text; empty for no words."""
    if not words:
        return ""
    nonce = os.urandom(NONCE_BYTES)
    sealed = AESGCM(encryption.derive(encryption.keys()[0], PURPOSE)).encrypt(nonce, words.encode(), None)
    return base64.urlsafe_b64encode(nonce + sealed).decode().rstrip("=")


def unseal(sealed: str) -> str:
    """The words; empty if none of our keys decrypts them."""
    try:
        raw = base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
    except ValueError:
        return ""
    ring = encryption.keys()
    for key in ring:
        try:
            return (
                AESGCM(encryption.derive(key, PURPOSE))
                .decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], None)
                .decode()
            )
        except (InvalidTag, ValueError):
            continue
    return ""
