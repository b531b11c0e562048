"""The words of a search, sealed to travel in an address: they are often a person's or a client's name.

An address is kept in browsers' histories and in the logs of every proxy on the way.
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
    """Letters, digits, `-` and `_`; empty for no words."""
    if not words:
        return ""
    nonce = os.urandom(NONCE_BYTES)
    sealed = AESGCM(encryption.derive(encryption.keys()[0], PURPOSE)).encrypt(nonce, words.encode(), None)
    return base64.urlsafe_b64encode(nonce + sealed).decode().rstrip("=")


def unseal(sealed: str) -> str:
    """The words; empty for what none of our keys has sealed."""
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
