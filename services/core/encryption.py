"""Secrets at rest: AES-256-GCM under a ring of keys, with the table, row and column as associated data.

A sealed text reads `v1.<key id>.<nonce and ciphertext, base64url>`. Unlike Fernet's, it cannot be decrypted after it
was copied to another row.
"""

from __future__ import annotations

import base64
import hashlib
import os
import uuid
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import select

import key_file
from models import Installation
from services.core.runtime import runtime
from services.core.unit_of_work import session

VERSION = "v1"
NONCE_BYTES = 12
ID_LENGTH = 8
# (table, column) -> whether its values expire within minutes. Key rotation covers these columns and no others.
SEALED_COLUMNS = {
    ("server", "client_secret"): False,
    ("connection", "access_token"): False,
    ("connection", "refresh_token"): False,
    ("oauth_state", "verifier"): True,
    ("application_package", "sealed"): True,
    ("signing_key", "private_key"): False,
}

_newer: tuple[str, ...] = ()
_sealing: str | None = None


class DecryptionError(Exception):
    """The key is gone, or the text was sealed for another row or column."""


class StaleKeysError(Exception):
    """The keys were rotated after this process started, and it does not have the new one."""


@lru_cache(maxsize=64)
def derive(key: str, purpose: str) -> bytes:
    """A 32-byte key for one purpose, so that a session's signature never uses a token's key."""
    return HKDF(
        algorithm=hashes.SHA256(), length=32, salt=None, info=f"counterpart {purpose}".encode()
    ).derive(key.encode())


def fingerprint(key: str) -> str:
    """A hash that identifies a key without revealing it; its first eight digits are the key id in sealed texts."""
    return hashlib.sha256(derive(key, "vault")).hexdigest()


def key_id(fingerprint: str) -> str:
    """The part of a fingerprint that sealed texts carry."""
    return fingerprint[:ID_LENGTH]


def keys() -> tuple[str, ...]:
    """The keys of this process, newest first."""
    return tuple(dict.fromkeys((*_newer, *runtime().settings.secret_keys)))


def seal_with(fingerprint: str) -> None:
    """Seal with the key of this fingerprint from now on: one that all processes have."""
    global _sealing
    _sealing = fingerprint


def reload_keys() -> bool:
    """Read the key file again; True if it has keys that this process was not started with."""
    global _newer, _sealing
    try:
        found = key_file.read(runtime().settings.data_dir / key_file.NAME)
    except key_file.KeyFileError:
        return False
    mine = keys()
    if not set(runtime().settings.secret_keys) & set(found) or not set(found) - set(mine):
        return False
    _newer, _sealing = found, None
    return True


def seal(text: str, table: str, row: uuid.UUID, column: str) -> str:
    if (table, column) not in SEALED_COLUMNS:
        raise ValueError(f"{table}.{column} is not in SEALED_COLUMNS, so key rotation would miss it.")
    ring = _ring()
    chosen = key_id(_sealing or "")
    if chosen not in ring:
        chosen = next(iter(ring))
    nonce = os.urandom(NONCE_BYTES)
    sealed = nonce + AESGCM(ring[chosen]).encrypt(nonce, text.encode(), _associated_data(table, row, column))
    return f"{VERSION}.{chosen}.{base64.urlsafe_b64encode(sealed).decode()}"


def unseal(sealed: str, table: str, row: uuid.UUID, column: str) -> str:
    """Raises DecryptionError, or StaleKeysError if only other processes have the key."""
    version, _, rest = sealed.partition(".")
    named, _, body = rest.partition(".")
    key = _ring().get(named)
    if key is None and named and reload_keys():
        key = _ring().get(named)
    if version != VERSION or key is None:
        if named and key_id(session().scalar(select(Installation.sealing_key)) or "") == named:
            raise StaleKeysError("This process was started with older keys than those of the installation.")
        raise DecryptionError("The key for this value is not in COUNTERPART_SECRET_KEYS.")
    try:
        raw = base64.urlsafe_b64decode(body)
        return (
            AESGCM(key)
            .decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], _associated_data(table, row, column))
            .decode()
        )
    except (InvalidTag, ValueError) as error:
        raise DecryptionError("This value was sealed for another row or column.") from error


def is_sealed_with(fingerprint: str, sealed: str) -> bool:
    return sealed.startswith(prefix(fingerprint))


def prefix(fingerprint: str) -> str:
    """The start of every text sealed with the key of this fingerprint."""
    return f"{VERSION}.{key_id(fingerprint)}."


def _ring() -> dict[str, bytes]:
    return {key_id(fingerprint(key)): derive(key, "vault") for key in keys()}


def _associated_data(table: str, row: uuid.UUID, column: str) -> bytes:
    return f"{table}:{row}:{column}".encode()
