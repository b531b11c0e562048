"""`GET /api` with a fresh token: the user, the customer and the base URL of the customer's API."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import requests

from .client import Client
from .errors import NotFoundError, NotIManageError, UnauthorisedError
from .guard import limits_of
from .profiles import text
from .server_facts import TokenHeader
from .types import Endpoints, Identity

_USUAL_PATH = "/work/api/v2"
_PATH = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")
_CUSTOMER = re.compile(r"[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,199}")


def discover(
    session: requests.Session,
    endpoints: Endpoints,
    access_token: str,
    header: TokenHeader = "x-auth-token",
) -> Identity:
    """Whose token this is and where the API is. Some servers answer only below `/work`."""
    client = Client(session, endpoints.api, access_token, header)
    cap = limits_of(session).single
    try:
        return identity_of(client.json("GET", "api", cap=cap), endpoints)
    except (NotFoundError, NotIManageError):
        pass
    try:
        return identity_of(client.json("GET", "work/api", cap=cap), endpoints)
    except NotFoundError as error:
        raise NotIManageError(status=error.status) from error


def identity_of(payload: Any, endpoints: Endpoints) -> Identity:
    """The user, customer and base URL of a response. Raises NotIManageError, UnauthorisedError."""
    data = payload.get("data") if isinstance(payload, dict) else None
    if not isinstance(data, dict):
        raise NotIManageError
    user, work = _part(data, "user"), _part(data, "work")
    user_id, customer = text(user, "id"), text(user, "customer_id")
    if user_id is None or customer is None:
        # The call also succeeds without a session and then reports that in `auth_status`.
        if text(data, "auth_status") not in {None, "authenticated"}:
            raise UnauthorisedError
        raise NotIManageError
    if not _CUSTOMER.fullmatch(customer):
        raise NotIManageError
    base = f"{endpoints.api}{_api_path(data.get('versions'))}/customers/{customer}"
    rows = work.get("libraries")
    named = (
        text(row, "alias", "id") for row in (rows if isinstance(rows, list) else []) if isinstance(row, dict)
    )
    return Identity(
        user_id=user_id,
        name=text(user, "name") or user_id,
        email=text(user, "email"),
        customer_id=customer,
        base_url=base,
        preferred_library=text(work, "preferred_library"),
        libraries=tuple(name for name in named if name),
        dms_version=text(data, "dms_version"),
    )


def _part(data: dict[str, Any], name: str) -> dict[str, Any]:
    part = data.get(name)
    return part if isinstance(part, dict) else {}


def _api_path(versions: Any) -> str:
    """The path of version 2. Only the path is used: the token is sent to no host but the one the administrator set."""
    for row in versions if isinstance(versions, list) else []:
        if not isinstance(row, dict):
            continue
        try:
            path = urlsplit(text(row, "url") or "").path.rstrip("/")
        except ValueError:
            continue
        if _PATH.fullmatch(path) and (text(row, "name") == "v2" or path.endswith("/v2")):
            return path
    return _USUAL_PATH
