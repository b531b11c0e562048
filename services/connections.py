"""A member's connections to servers: a client whose token is good, and what the account page shows of them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TypeVar

from imanage.client import Client
from imanage.errors import Unauthorised
from services.tokens import access_of, ended, renewed
from services.unit import release

T = TypeVar("T")


def client_for(member_id: uuid.UUID, server_id: uuid.UUID) -> Client:
    """A client for this member's calls to this server, its token fresh. Holds no database connection afterwards.

    Raises NotFound or Conflict (no longer his to use), SignInNeeded, RemoteRefusal and ImanageError.
    """
    access = access_of(member_id, server_id)
    if access.is_stale:
        access = renewed(member_id, server_id, access.token)
    release()
    return access.client()


def with_client(member_id: uuid.UUID, server_id: uuid.UUID, call: Callable[[Client], T]) -> T:
    """Make the call; where iManage answers 401 the token is renewed and the call made once more, never a third time."""
    access = access_of(member_id, server_id)
    if access.is_stale:
        access = renewed(member_id, server_id, access.token)
    release()
    try:
        return call(access.client())
    except Unauthorised:
        access = renewed(member_id, server_id, access.token)
    release()
    try:
        return call(access.client())
    except Unauthorised:
        raise ended(member_id, server_id, access.token, "refused") from None
