"""The link of an invitation: made by this installation's own key, of which only a hash is on record."""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid

from models import Invitation
from services.core import encryption
from services.core.runtime import runtime


def tokens_of(invitation_id: uuid.UUID) -> list[str]:
    """What the link holds, under each key there is, newest first: 256 bits that only this installation can make.

    Made from the row's id, so that the worker can mail the same link later without it being kept anywhere.
    """
    keys = [encryption.derive(key, "invitation") for key in runtime().settings.secret_keys]
    made = [hmac.digest(key, invitation_id.bytes, "sha256") for key in keys]
    return [base64.urlsafe_b64encode(each).decode().rstrip("=") for each in made]


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def link_of(row: Invitation) -> str | None:
    """The link of a row, None where the key that made it is gone."""
    token = next((each for each in tokens_of(row.id) if hash_of(each) == row.token_hash), None)
    return f"{runtime().settings.public_url}/join/{token}" if token else None
