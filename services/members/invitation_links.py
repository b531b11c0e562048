"""The link of an invitation, derived from this installation's key; only its hash is stored."""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid

from models import Invitation
from services.core import encryption
from services.core.runtime import runtime


def tokens_of(invitation_id: uuid.UUID) -> list[str]:
    """The token under each key, newest first: 256 bits derived from the row's id.

    So the worker can derive the same link later, and it is stored nowhere.
    """
    keys = [encryption.derive(key, "invitation") for key in runtime().settings.secret_keys]
    tokens = [hmac.digest(key, invitation_id.bytes, "sha256") for key in keys]
    return [base64.urlsafe_b64encode(each).decode().rstrip("=") for each in tokens]


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def link_of(row: Invitation) -> str | None:
    """The link of a row; None if its key is gone."""
    token = next((each for each in tokens_of(row.id) if hash_of(each) == row.token_hash), None)
    return f"{runtime().settings.public_url}/join/{token}" if token else None
