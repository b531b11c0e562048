"""How this installation reaches one server: its two origins, its registration, and its one guarded session."""

from __future__ import annotations

import threading
import uuid
from dataclasses import replace
from datetime import datetime
from ipaddress import ip_network
from urllib.parse import urlsplit

from imanage.addresses import AddressRules
from imanage.guard import GuardedSession, Limits, build_session
from imanage.types import AppCredentials, Endpoints
from models import Server
from services.core import encryption
from services.core.errors import ConflictError
from services.core.runtime import address_rules, runtime

CLOUD = "cloud"
ON_PREMISE = "on_premise"
PRACTICE_NETWORK = ip_network("127.0.0.1/32")
SECRET_PLACE = ("server", "client_secret")

_lock = threading.Lock()
_sessions: dict[tuple[uuid.UUID, bool], tuple[datetime, GuardedSession]] = {}

# A person who waits at a page is told sooner than a transfer gives up.
PAGE_LIMITS = Limits(connect_seconds=5, read_seconds=15, total_seconds=30)


def endpoints(server: Server) -> Endpoints:
    """Browsers are sent to the URL; our own calls go to the API URL."""
    return Endpoints(browser=server.url, api=server.api_url)


def uses_our_registration(server: Server) -> bool:
    """A Cloud server without credentials of its own stands under the installation's registration."""
    return server.kind == CLOUD and not server.client_id


def seal_secret(server_id: uuid.UUID, secret: str) -> str:
    table, column = SECRET_PLACE
    return encryption.seal(secret, table, server_id, column)


def credentials(server: Server) -> AppCredentials:
    """The registration with this server, its secret opened. Raises ConflictError where the key is gone."""
    if uses_our_registration(server):
        settings = runtime().settings
        return AppCredentials(settings.cloud_client_id, settings.cloud_client_secret)
    table, column = SECRET_PLACE
    try:
        secret = encryption.unseal(server.client_secret, table, server.id, column)
    except encryption.DecryptionError as error:
        raise ConflictError(
            "The Client Secret of this iManage server cannot be opened with this installation's keys.",
            code="server.secret_lost",
            next_step="A System Admin can enter the Client Secret again on the server's page.",
            owner="your System Admin",
        ) from error
    return AppCredentials(server.client_id, secret)


def rules_for(kind: str) -> AddressRules:
    """A server on the firm's premises may stand in its private network; Cloud iManage never does."""
    rules = address_rules()
    return replace(rules, allow_private=False) if kind == CLOUD else rules


def rules_of(server: Server) -> AddressRules:
    """The practice server stands on this machine, on plain http: that origin is opened, for it alone."""
    if not server.is_practice:
        return rules_for(server.kind)
    places = frozenset(_place(origin) for origin in (server.url, server.api_url))
    here = (*address_rules().networks, PRACTICE_NETWORK)
    ports = frozenset(port for _, port in places)
    return replace(address_rules(), ports=ports, allow_http=True, networks=here, only=places)


def _place(origin: str) -> tuple[str, int]:
    parts = urlsplit(origin)
    return parts.hostname or "", parts.port or (80 if parts.scheme == "http" else 443)


def outbound(server: Server, *, for_page: bool = False) -> GuardedSession:
    """The pooled session of this process for this server; a changed server gets a new one.

    The one before is only let go of, not closed: a transfer may still be reading through it.
    """
    key = (server.id, for_page)
    with _lock:
        kept = _sessions.get(key)
        if kept is None or kept[0] != server.changed_at:
            limits = PAGE_LIMITS if for_page else Limits()
            session = build_session(rules_of(server), limits, server.ca_pem)
            kept = (server.changed_at, session)
            _sessions[key] = kept
        return kept[1]
