"""The request sheet: what the network team and the iManage admin must allow, on one page."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from urllib.parse import urlsplit

from imanage.guard import USER_AGENT
from services.core.actor import Actor
from services.core.runtime import runtime
from services.servers import views as server_views
from services.transfers.requests import MOST_DOCUMENTS

TLS = "TLS 1.2 or later, with a certificate for this host name and its full chain"
DIRECT = "Counterpart connects directly, without a proxy."
PROXIED = (
    "Counterpart connects through the proxy {proxy}, by CONNECT. The proxy must not decrypt the connection, because "
    "Counterpart only trusts the server’s own certificate."
)
LARGE_READS = (
    "Every read uses the sign-in of the member who acts, and iManage records it as theirs. A member can get up to "
    "{most} documents at once, {at_once} at a time over all members, by “{agent}”. Counterpart’s audit log names "
    "each one. {pace} In the background, Counterpart reads the profiles of documents that members got or saved, with "
    "their sign-ins and at most one a second."
)
PACE = "Each member is limited to {pace} documents a minute."
NO_PACE = "A System Admin can limit how many documents a minute each member gets and saves."
HEADERS = "X-Auth-Token, Authorization, Range"
BASE = "/work/api/v2/customers/{customer}"


@dataclass(frozen=True)
class NetworkRule:
    """One connection to allow: from, to, and why."""

    source: str
    target: str
    port: int
    purpose: str


@dataclass(frozen=True)
class Endpoint:
    """One kind of call. `{base}` is the URL of the customer's API, which iManage returns after the sign-in."""

    methods: str
    path: str
    purpose: str


SIGN_IN = (
    Endpoint("GET", "/auth/oauth2/authorize", "Sign-in page, opened in browsers"),
    Endpoint("POST", "/auth/oauth2/token", "Exchanging sign-in codes, renewing sign-ins"),
    Endpoint("GET", "/login/terminate", "Signing out"),
    Endpoint("GET", "/api", "Who is signed in"),
    Endpoint("GET", "/work/api", "The same, where /api is not served"),
)
WORK = (
    Endpoint("GET", "{base}/libraries", "Libraries"),
    Endpoint("GET", "{base}/recent-workspaces", "Recent workspaces"),
    Endpoint("GET", "{base}/libraries/{library}/recent-workspaces", "Recent workspaces in a library"),
    Endpoint("GET", "{base}/workspaces", "Search for workspaces"),
    Endpoint("GET", "{base}/libraries/{library}/workspaces", "Search for workspaces in a library"),
    Endpoint("GET", "{base}/libraries/{library}/users/{user}/my-matters/children", "My matters"),
    Endpoint(
        "GET",
        "{base}/libraries/{library}/users/{user}/my-matters/categories/{id}/children",
        "A category of My matters",
    ),
    Endpoint("GET", "{base}/libraries/{library}/my-favorites/children", "Favourites"),
    Endpoint(
        "GET",
        "{base}/libraries/{library}/my-favorites/categories/{id}/children",
        "A category of Favourites",
    ),
    Endpoint("GET", "{base}/libraries/{library}/workspaces/{id}", "A workspace"),
    Endpoint("GET", "{base}/libraries/{library}/workspaces/{id}/children", "Contents of a workspace"),
    Endpoint("GET", "{base}/libraries/{library}/folders/{id}", "A folder"),
    Endpoint("GET", "{base}/libraries/{library}/folders/{id}/children", "Contents of a folder"),
    Endpoint(
        "POST", "{base}/libraries/{library}/folders/{id}/children/browse", "Contents of a search folder"
    ),
    Endpoint("GET", "{base}/libraries/{library}/folders/{id}/documents", "Documents in a folder"),
    Endpoint("POST", "{base}/libraries/{library}/folders/{id}/documents", "saving a new document"),
    Endpoint("GET", "{base}/documents", "Search for documents"),
    Endpoint("GET", "{base}/libraries/{library}/documents", "Search for documents in a library"),
    Endpoint("GET", "{base}/libraries/{library}/documents/{id}", "A document’s profile"),
    Endpoint("GET", "{base}/libraries/{library}/customs/{field}/{value}", "A value of a profile"),
    Endpoint("GET", "{base}/libraries/{library}/documents/{id}/versions", "Versions of a document"),
    Endpoint("POST", "{base}/libraries/{library}/documents/{id}/versions", "saving a new version"),
    Endpoint("GET", "{base}/libraries/{library}/documents/{id}/download", "Getting a document"),
    Endpoint("PUT", "{base}/libraries/{library}/documents/{id}/file", "Replacing a version"),
    Endpoint("GET", "{base}/libraries/{library}/change-events", "Changes of documents, every 20 seconds"),
)

LEARNING = (
    Endpoint("GET", "{base}/libraries/{library}/types", "Learn this server"),
    Endpoint("GET", "{base}/libraries/{library}/classes", "Learn this server"),
    Endpoint("GET", "{base}/libraries/{library}/forms/visible-fields", "Learn this server"),
    Endpoint("GET", "{base}/libraries/{library}/folders/{id}/operations", "Learn this server"),
    Endpoint(
        "DELETE",
        "{base}/libraries/{library}/documents/{id}",
        "removing what Learn this server stored in a scratch folder",
    ),
)


@dataclass(frozen=True)
class Sheet:
    server_id: uuid.UUID
    name: str
    rules: tuple[NetworkRule, ...]
    outbound_ips: tuple[str, ...]
    way: str
    redirect_url: str
    client_id: str
    calls: tuple[Endpoint, ...]
    learning: tuple[Endpoint, ...]
    large_reads: str


def sheet(actor: Actor, server_id: uuid.UUID) -> Sheet:
    view = server_views.server(actor, server_id)
    settings = runtime().settings
    rules = [
        _rule("Members’ computers", view.url, "Signing in to iManage and opening documents there"),
        *_own_rules(view),
        _rule("Members’ computers", settings.public_url, "Counterpart itself"),
    ]
    if settings.api_url != settings.public_url:
        rules.append(_rule("Members’ computers", settings.api_url, "Returning from iManage’s sign-in"))
    return Sheet(
        server_id=view.id,
        name=view.name,
        rules=tuple(rules),
        outbound_ips=view.outbound_ips,
        way=PROXIED.format(proxy=view.proxy) if view.uses_proxy and view.proxy else DIRECT,
        redirect_url=view.redirect_url,
        client_id=view.client_id,
        calls=SIGN_IN + merged(WORK),
        learning=LEARNING,
        large_reads=LARGE_READS.format(
            most=MOST_DOCUMENTS,
            at_once=view.at_once,
            agent=USER_AGENT,
            pace=PACE.format(pace=view.pace) if view.pace else NO_PACE,
        ),
    )


def _own_rules(view: server_views.ServerView) -> tuple[NetworkRule, ...]:
    """Counterpart’s calls: one connection, or two where a proxy is on the way."""
    use = "Signing in, getting and saving documents"
    if not (view.uses_proxy and view.proxy):
        return (_rule("Counterpart", view.api_url, use),)
    direct = (_rule("Counterpart", view.api_url, f"{use}, where COUNTERPART_NO_PROXY lists its address"),)
    return (
        _rule(
            "Counterpart",
            f"http://{view.proxy}",
            "The proxy, for everything that Counterpart sends to iManage",
        ),
        _rule("The proxy, for Counterpart", view.api_url, use),
        *(direct if view.may_bypass_proxy else ()),
    )


def merged(endpoints: tuple[Endpoint, ...]) -> tuple[Endpoint, ...]:
    """One entry for each path, with all its methods."""
    by_path: dict[str, list[Endpoint]] = {}
    for each in endpoints:
        by_path.setdefault(each.path, []).append(each)
    return tuple(
        Endpoint(
            ", ".join(each.methods for each in same),
            path,
            ", ".join(each.purpose for each in same),
        )
        for path, same in by_path.items()
    )


def as_text(sheet: Sheet) -> str:
    """The sheet as plain text, for an email or a ticket."""
    parts = [
        f"Counterpart and iManage: request for “{sheet.name}”",
        "Connections to allow\n"
        + "\n".join(
            f"- {rule.source} -> {rule.target}, TCP port {rule.port}: {rule.purpose}" for rule in sheet.rules
        ),
        f"Counterpart connects from: {', '.join(sheet.outbound_ips) or 'ask the people who run Counterpart'}",
        f"{TLS}. {sheet.way} iManage does not connect to Counterpart.",
        f"Headers that must arrive unchanged: {HEADERS}",
        f"Redirect URL to register in iManage:\n{sheet.redirect_url}",
        *([f"Client ID: {sheet.client_id}"] if sheet.client_id else []),
        f"For a security team that monitors iManage for large reads:\n{sheet.large_reads}",
        "API calls\n"
        + "\n".join(
            f"- {each.methods} {each.path}  ({each.purpose})" for each in sheet.calls + sheet.learning
        ),
        f"{{base}} is the address that iManage gives for the customer, usually {BASE}",
    ]
    return "\n\n".join(parts) + "\n"


def _rule(source: str, origin: str, purpose: str) -> NetworkRule:
    parts = urlsplit(origin)
    return NetworkRule(
        source, parts.hostname or origin, parts.port or (443 if parts.scheme == "https" else 80), purpose
    )
