"""The key pair that signs receipts: made when the first one is issued, replaced on request.

Its private part is encrypted like all secrets. Public parts are kept for good and shown to everybody.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Installation, SigningKey, new_id, utcnow
from services.core import audit, encryption
from services.core.actor import SYSTEM, Who
from services.core.errors import RefusedError
from services.core.unit_of_work import session, unit_of_work
from services.guidance.refusals import refusal
from services.receipts.form import public_part

ROW = 1


@dataclass(frozen=True)
class PublicKey:
    """`key` is base64. `retired_at`: None for the one that signs."""

    key: str
    created_at: datetime
    retired_at: datetime | None


def public_keys() -> tuple[PublicKey, ...]:
    """All keys that ever signed, newest first."""
    rows = session().scalars(select(SigningKey).order_by(SigningKey.created_at.desc(), SigningKey.id))
    return tuple(PublicKey(row.public_key, row.created_at, row.retired_at) for row in rows)


def current(writing: Session) -> Ed25519PrivateKey:
    """The key that signs now, made if there is none. Raises RefusedError if it cannot be decrypted.

    For use inside the caller's unit of work.
    """
    row = _row(writing)
    if row is None or not row.private_key:
        if row is not None:
            row.retired_at = utcnow()
        return _make(writing, SYSTEM)
    try:
        text = encryption.unseal(row.private_key, "signing_key", row.id, "private_key")
    except (encryption.DecryptionError, encryption.StaleKeysError) as error:
        raise refusal(RefusedError, "receipt.key") from error
    return Ed25519PrivateKey.from_private_bytes(b64decode(text))


def rotate(who: Who) -> str:
    """Sign with a new key from now on, and erase the private part of the old one. Returns the new public key."""
    with unit_of_work() as writing:
        row = _row(writing)
        if row is not None:
            row.private_key, row.retired_at = None, utcnow()
        return public_part(_make(writing, who))


def _row(writing: Session) -> SigningKey | None:
    """The row of the key that signs; the installation is locked, so that two processes never make two."""
    writing.get(Installation, ROW, with_for_update=True)
    return writing.scalar(select(SigningKey).where(SigningKey.retired_at.is_(None)))


def _make(writing: Session, who: Who) -> Ed25519PrivateKey:
    key, id = Ed25519PrivateKey.generate(), new_id()
    text = b64encode(key.private_bytes_raw()).decode()
    public = public_part(key)
    sealed = encryption.seal(text, "signing_key", id, "private_key")
    writing.add(SigningKey(id=id, public_key=public, private_key=sealed))
    audit.record(who, "receipt_key.made", public, subject_id=id)
    return key
