"""How Counterpart reaches a server: its origins, credentials, address rules and HTTP session."""

from __future__ import annotations

import threading
import uuid
from dataclasses import replace
from datetime import datetime
from ipaddress import ip_network

from sqlalchemy import select

from imanage.addresses import AddressRules
from imanage.dialling import host_and_port
from imanage.guard import GuardedSession, Limits, build_session
from imanage.networks import Network
from imanage.proxies import Proxy
from imanage.types import AppCredentials, Endpoints
from models import Server
from services.core import encryption
from services.core.errors import ConflictError
from services.core.runtime import address_rules, runtime
from services.core.unit_of_work import session
from services.guidance.refusals import refusal

CLOUD = "cloud"
ON_PREMISE = "on_premise"
DEFAULT, DIRECT, THROUGH_PROXY = "default", "direct", "proxy"
ROUTES = (DEFAULT, DIRECT, THROUGH_PROXY)
PRACTICE_NETWORK = ip_network("127.0.0.1/32")
SECRET_COLUMN = ("server", "client_secret")

_lock = threading.Lock()
_sessions: dict[tuple[uuid.UUID, bool], tuple[datetime, GuardedSession]] = {}

# A page answers sooner than a transfer gives up.
PAGE_LIMITS = Limits(connect_seconds=5, read_seconds=15, total_seconds=30)


def endpoints(server: Server) -> Endpoints:
    """Browsers use the URL; our own calls go to the API URL."""
    return Endpoints(browser=server.url, api=server.api_url)


def uses_our_registration(server: Server) -> bool:
    """Whether it is a Cloud server without credentials of its own."""
    return server.kind == CLOUD and not server.client_id


def seal_secret(server_id: uuid.UUID, secret: str) -> str:
    table, column = SECRET_COLUMN
    return encryption.seal(secret, table, server_id, column)


def credentials(server: Server) -> AppCredentials:
    """Client ID and decrypted Client Secret. Raises ConflictError where the key is missing."""
    if uses_our_registration(server):
        settings = runtime().settings
        return AppCredentials(settings.cloud_client_id, settings.cloud_client_secret)
    table, column = SECRET_COLUMN
    try:
        secret = encryption.unseal(server.client_secret, table, server.id, column)
    except encryption.DecryptionError as error:
        raise refusal(ConflictError, "server.secret_lost") from error
    return AppCredentials(server.client_id, secret)


def rules_for(kind: str) -> AddressRules:
    """Private networks are allowed for on-premise servers, never for Cloud iManage."""
    rules = address_rules()
    return replace(rules, allow_private=False) if kind == CLOUD else rules


def rules_of(server: Server) -> AddressRules:
    """The practice server runs on this machine over plain http: only its own origin is allowed, only for it."""
    if not server.is_practice:
        return rules_for(server.kind)
    origins = frozenset(host_and_port(origin) for origin in (server.url, server.api_url))
    here = (*address_rules().networks, PRACTICE_NETWORK)
    ports = frozenset(port for _, port in origins)
    return replace(address_rules(), ports=ports, allow_http=True, networks=here, only=origins)


def uses_proxy(server: Server) -> bool:
    """Whether calls to the server go through a proxy: as an admin chose for it, else as the settings say.

    The API URL decides, because all calls but some of a check go there. The practice server is on this machine. Each
    connection still bypasses the proxy if all addresses of the name are in a network of `no_proxy`.
    """
    if server.is_practice or server.route == DIRECT:
        return False
    return server.route == THROUGH_PROXY or is_proxied(host_and_port(server.api_url)[0])


def is_proxied(host: str) -> bool:
    """Whether the settings send calls to a host through the proxy."""
    settings = runtime().settings
    return bool(settings.outbound_proxy) and not settings.bypasses_proxy(host)


def proxy_address() -> str:
    """Host and port of the installation's proxy; "" where there is none."""
    return runtime().settings.outbound_proxy.partition("://")[2]


def without_proxy() -> tuple[str, ...]:
    """The names of servers that must go through a proxy while none is set."""
    if runtime().settings.outbound_proxy:
        return ()
    query = select(Server.name).where(Server.route == THROUGH_PROXY).order_by(Server.name_key)
    return tuple(session().scalars(query))


def proxy_of(server: Server) -> Proxy | None:
    """The proxy on the way to the server; None for a direct connection.

    Without a host where the server must go through one and none is set: it is never reached directly instead.
    """
    if not uses_proxy(server):
        return None
    settings = runtime().settings
    host, port = host_and_port(settings.outbound_proxy) if settings.outbound_proxy else ("", 0)
    entered = frozenset(host_and_port(origin)[0] for origin in (server.url, server.api_url))
    return Proxy(host, port, *settings.outbound_proxy_login, entered, bypass_of(server))


def bypass_of(server: Server) -> tuple[Network, ...]:
    """The networks whose servers are reached directly; none where an admin chose the proxy for this server."""
    return () if server.route == THROUGH_PROXY else runtime().settings.no_proxy_networks


def outbound(server: Server, *, for_page: bool = False) -> GuardedSession:
    """This process's pooled session for the server; a changed server gets a new one.

    The old session is dropped, not closed: a transfer may still be reading through it.
    """
    key = (server.id, for_page)
    with _lock:
        kept = _sessions.get(key)
        if kept is None or kept[0] != server.changed_at:
            limits = PAGE_LIMITS if for_page else Limits()
            session = build_session(rules_of(server), limits, server.ca_pem, proxy_of(server))
            kept = (server.changed_at, session)
            _sessions[key] = kept
        return kept[1]
