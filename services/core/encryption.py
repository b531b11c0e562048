"""Secrets at rest: AES-256-GCM, bound to the row and column that they stand in, under a ring of keys.

A sealed text reads `v1.<key id>.<nonce and ciphertext, base64url>`. A sealed text that was moved to another row
does not open, which Fernet's would.
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
# (table, column) -> whether its values are over within minutes. What is not here is never sealed.
PLACES = {
    ("server", "client_secret"): False,
    ("connection", "access_token"): False,
    ("connection", "refresh_token"): False,
    ("oauth_state", "verifier"): True,
    ("application_package", "sealed"): True,
}

_newer: tuple[str, ...] = ()
_sealing: str | None = None


class DecryptionError(Exception):
    """The key is gone, or the text is not the one that was sealed for this place."""


class StaleKeysError(Exception):
    """The keys have been changed since this process was started, and it has not got the new one."""


@lru_cache(maxsize=64)
def derive(key: str, purpose: str) -> bytes:
    """A 32-byte key for one purpose, so that a session's signature never uses a token's key."""
    return HKDF(
        algorithm=hashes.SHA256(), length=32, salt=None, info=f"counterpart {purpose}".encode()
    ).derive(key.encode())


def fingerprint(key: str) -> str:
    """What tells one key from another and tells nothing of either: its first eight digits stand in what it sealed."""
    return hashlib.sha256(derive(key, "vault")).hexdigest()


def key_id(mark: str) -> str:
    """The part of a fingerprint that a sealed text names its key by."""
    return mark[:ID_LENGTH]


def keys() -> tuple[str, ...]:
    """All that this process has, newest first."""
    return tuple(dict.fromkeys((*_newer, *runtime().settings.secret_keys)))


def seal_with(mark: str) -> None:
    """From now on, this process seals with the key of this fingerprint: the one that all processes have."""
    global _sealing
    _sealing = mark


def read_newer() -> bool:
    """Look whether the key file has keys that this process was not started with; True where it has."""
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
    if (table, column) not in PLACES:
        raise ValueError(f"{table}.{column} is not among PLACES: its values would never be sealed anew.")
    ring = _ring()
    chosen = key_id(_sealing or "")
    if chosen not in ring:
        chosen = next(iter(ring))
    nonce = os.urandom(NONCE_BYTES)
    sealed = nonce + AESGCM(ring[chosen]).encrypt(nonce, text.encode(), _place(table, row, column))
    return f"{VERSION}.{chosen}.{base64.urlsafe_b64encode(sealed).decode()}"


def unseal(sealed: str, table: str, row: uuid.UUID, column: str) -> str:
    """Raises DecryptionError, and StaleKeysError where other processes can open it and this one cannot."""
    version, _, rest = sealed.partition(".")
    named, _, body = rest.partition(".")
    key = _ring().get(named)
    if key is None and named and read_newer():
        key = _ring().get(named)
    if version != VERSION or key is None:
        if named and key_id(session().scalar(select(Installation.sealing_key)) or "") == named:
            raise StaleKeysError("This process was started with older keys than the installation has.")
        raise DecryptionError("The key that sealed this is not among COUNTERPART_SECRET_KEYS.")
    try:
        raw = base64.urlsafe_b64decode(body)
        return AESGCM(key).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], _place(table, row, column)).decode()
    except (InvalidTag, ValueError) as error:
        raise DecryptionError("This was not sealed for the place that it stands in.") from error


def is_sealed_with(mark: str, sealed: str) -> bool:
    return sealed.startswith(prefix(mark))


def prefix(mark: str) -> str:
    """How every text begins that the key of this fingerprint has sealed."""
    return f"{VERSION}.{key_id(mark)}."


def _ring() -> dict[str, bytes]:
    return {key_id(fingerprint(key)): derive(key, "vault") for key in keys()}


def _place(table: str, row: uuid.UUID, column: str) -> bytes:
    return f"{table}:{row}:{column}".encode()
