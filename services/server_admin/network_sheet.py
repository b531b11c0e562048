"""What a firm's network team and its iManage admin need to let Counterpart and iManage talk: on one page."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from urllib.parse import urlsplit

from services.core.actor import Actor
from services.core.runtime import runtime
from services.servers import views as server_views

TLS = "TLS 1.2 or newer, with a certificate for this name and its whole chain"
HEADERS = "X-Auth-Token, Authorization, Range"
BASE = "/work/api/v2/customers/{customer}"


@dataclass(frozen=True)
class Line:
    """One way that must be open: who opens the connection, and to what."""

    source: str
    target: str
    port: int
    purpose: str


@dataclass(frozen=True)
class Endpoint:
    """One kind of call. Paths below {base} begin where iManage says that the customer's API does."""

    methods: str
    path: str
    purpose: str


SIGN_IN = (
    Endpoint("GET", "/auth/oauth2/authorize", "Sign-in page, opened by browsers"),
    Endpoint("POST", "/auth/oauth2/token", "Sign-in codes and renewals"),
    Endpoint("GET", "/login/terminate", "Signing out"),
    Endpoint("GET", "/api", "Who is signed in"),
    Endpoint("GET", "/work/api", "The same, where /api is not served"),
)
WORK = (
    Endpoint("GET", "{base}/libraries", "Libraries"),
    Endpoint("GET", "{base}/recent-workspaces", "Recent workspaces"),
    Endpoint("GET", "{base}/libraries/{library}/recent-workspaces", "Recent workspaces of a library"),
    Endpoint("GET", "{base}/workspaces", "Search for workspaces"),
    Endpoint("GET", "{base}/libraries/{library}/workspaces", "Search for workspaces of a library"),
    Endpoint("GET", "{base}/libraries/{library}/users/{user}/my-matters/children", "My matters"),
    Endpoint("GET", "{base}/libraries/{library}/my-favorites/children", "Favourites"),
    Endpoint("GET", "{base}/libraries/{library}/workspaces/{id}", "A workspace"),
    Endpoint("GET", "{base}/libraries/{library}/workspaces/{id}/children", "What is in a workspace"),
    Endpoint("GET", "{base}/libraries/{library}/folders/{id}", "A folder"),
    Endpoint("GET", "{base}/libraries/{library}/folders/{id}/children", "What is in a folder"),
    Endpoint("GET", "{base}/libraries/{library}/folders/{id}/operations", "What a person may do there"),
    Endpoint("GET", "{base}/libraries/{library}/folders/{id}/documents", "Documents of a folder"),
    Endpoint("POST", "{base}/libraries/{library}/folders/{id}/documents", "saving a new one"),
    Endpoint("GET", "{base}/documents", "Search for documents"),
    Endpoint("GET", "{base}/libraries/{library}/documents", "Search for documents of a library"),
    Endpoint("GET", "{base}/libraries/{library}/documents/{id}", "A document’s profile"),
    Endpoint("GET", "{base}/libraries/{library}/documents/{id}/path", "Where a document stands"),
    Endpoint("GET", "{base}/libraries/{library}/documents/{id}/versions", "Versions of a document"),
    Endpoint("POST", "{base}/libraries/{library}/documents/{id}/versions", "saving a new one"),
    Endpoint("GET", "{base}/libraries/{library}/documents/{id}/download", "Getting a document"),
    Endpoint("PUT", "{base}/libraries/{library}/documents/{id}/file", "Replacing a version"),
    Endpoint("GET", "{base}/libraries/{library}/documents/{id}/checkout", "Whether it is in use"),
    Endpoint("POST", "{base}/libraries/{library}/documents/{id}/lock", "Locking a document"),
    Endpoint("DELETE", "{base}/libraries/{library}/documents/{id}/lock", "unlocking it"),
)
ENDPOINTS = SIGN_IN + WORK


@dataclass(frozen=True)
class Sheet:
    server_id: uuid.UUID
    name: str
    lines: tuple[Line, ...]
    outbound_ips: tuple[str, ...]
    redirect_url: str
    client_id: str
    sign_in: tuple[Endpoint, ...]
    work: tuple[Endpoint, ...]


def sheet(actor: Actor, server_id: uuid.UUID) -> Sheet:
    view = server_views.server(actor, server_id)
    settings = runtime().settings
    lines = [
        _line("Members’ computers", view.url, "Signing in to iManage, opening documents there"),
        _line("Counterpart", view.api_url, "Signing in, getting and saving documents"),
        _line("Members’ computers", settings.public_url, "Counterpart itself"),
    ]
    if settings.api_url != settings.public_url:
        lines.append(_line("Members’ computers", settings.api_url, "The way back from iManage’s sign-in"))
    return Sheet(
        server_id=view.id,
        name=view.name,
        lines=tuple(lines),
        outbound_ips=view.outbound_ips,
        redirect_url=view.redirect_url,
        client_id=view.client_id,
        sign_in=SIGN_IN,
        work=merged(WORK),
    )


def merged(endpoints: tuple[Endpoint, ...]) -> tuple[Endpoint, ...]:
    """One line for each path, with all its methods."""
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
    """The sheet for a mail or a ticket."""
    parts = [
        f"Counterpart and iManage: request for “{sheet.name}”",
        "Connections to allow\n"
        + "\n".join(
            f"- {line.source} -> {line.target}, TCP port {line.port}: {line.purpose}" for line in sheet.lines
        ),
        f"Counterpart connects from: {', '.join(sheet.outbound_ips) or 'ask whoever runs Counterpart'}",
        f"{TLS}. Counterpart connects directly, without a proxy. Nothing is opened from iManage to Counterpart.",
        f"Headers that must arrive unchanged: {HEADERS}",
        f"Redirect URL for the application’s registration in iManage:\n{sheet.redirect_url}",
        *([f"Client ID: {sheet.client_id}"] if sheet.client_id else []),
        "Calls\n" + "\n".join(_call(each) for each in (*sheet.sign_in, *sheet.work)),
        f"{{base}} is the address that iManage names for the customer, usually {BASE}",
    ]
    return "\n\n".join(parts) + "\n"


def _call(endpoint: Endpoint) -> str:
    return f"- {endpoint.methods} {endpoint.path}  ({endpoint.purpose})"


def _line(source: str, origin: str, purpose: str) -> Line:
    parts = urlsplit(origin)
    return Line(
        source, parts.hostname or origin, parts.port or (443 if parts.scheme == "https" else 80), purpose
    )
