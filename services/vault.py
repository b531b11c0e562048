"""Secrets at rest: AES-256-GCM, bound to the row and column that they stand in, under a ring of keys.

A sealed text reads `v1.<key id>.<nonce and ciphertext, base64url>`. A sealed text that was moved to another row
does not open, which Fernet's would.
"""

from __future__ import annotations

import base64
import hashlib
import os
import uuid

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from services.house import house

VERSION = "v1"
NONCE_BYTES = 12


class CannotOpen(Exception):
    """The key is gone, or the text is not the one that was sealed for this place."""


def derive(key: str, purpose: str) -> bytes:
    """A 32-byte key for one purpose, so that a session's signature never uses a token's key."""
    return HKDF(
        algorithm=hashes.SHA256(), length=32, salt=None, info=f"counterpart {purpose}".encode()
    ).derive(key.encode())


def _ring() -> dict[str, bytes]:
    keys = [derive(key, "vault") for key in house().settings.secret_keys]
    return {hashlib.sha256(key).hexdigest()[:8]: key for key in keys}


def _place(table: str, row: uuid.UUID, column: str) -> bytes:
    return f"{table}:{row}:{column}".encode()


def seal(text: str, table: str, row: uuid.UUID, column: str) -> str:
    key_id, key = next(iter(_ring().items()))
    nonce = os.urandom(NONCE_BYTES)
    sealed = nonce + AESGCM(key).encrypt(nonce, text.encode(), _place(table, row, column))
    return f"{VERSION}.{key_id}.{base64.urlsafe_b64encode(sealed).decode()}"


def unseal(sealed: str, table: str, row: uuid.UUID, column: str) -> str:
    """Raises CannotOpen."""
    version, _, rest = sealed.partition(".")
    key_id, _, body = rest.partition(".")
    key = _ring().get(key_id)
    if version != VERSION or key is None:
        raise CannotOpen("The key that sealed this is not among COUNTERPART_SECRET_KEYS.")
    try:
        raw = base64.urlsafe_b64decode(body)
        return AESGCM(key).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], _place(table, row, column)).decode()
    except (InvalidTag, ValueError) as error:
        raise CannotOpen("This was not sealed for the place that it stands in.") from error
