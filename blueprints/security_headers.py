"""Security headers of responses, forwarded headers of trusted proxies, and the hosts that we answer for."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, current_app, request
from werkzeug.http import parse_date
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response

from config import Network, Settings
from services.core.errors import RefusedError
from services.guidance.refusals import refusal

POLICY = "Content-Security-Policy"
HEADERS = {
    POLICY: (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
        "frame-ancestors 'none'; form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Frame-Options": "DENY",
}
HSTS = "max-age=31536000"
HSTS_SUBDOMAINS = f"{HSTS}; includeSubDomains"
FOR_EVER = "public, max-age=31536000, immutable"
FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_X_REQUEST_ID")
FROM_PROXY = "counterpart.from_proxy"
DATES = ("HTTP_IF_MODIFIED_SINCE", "HTTP_IF_UNMODIFIED_SINCE", "HTTP_IF_RANGE")


class TrustedProxies:
    """Applies X-Forwarded-* and X-Request-ID from trusted proxies, and removes them from other requests."""

    def __init__(self, wsgi: Callable[..., Iterable[bytes]], proxies: tuple[Network, ...]) -> None:
        self.plain = wsgi
        self.behind_proxy = ProxyFix(wsgi, x_for=1, x_proto=1, x_host=0)
        self.proxies = proxies

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        try:
            peer = ipaddress.ip_address(environ.get("REMOTE_ADDR", ""))
        except ValueError:
            peer = None
        if isinstance(peer, ipaddress.IPv6Address) and peer.ipv4_mapped:
            # A dual-stack socket reports IPv4 peers as IPv4-mapped IPv6 addresses.
            peer = peer.ipv4_mapped
            environ["REMOTE_ADDR"] = str(peer)
        if peer and any(peer in network for network in self.proxies):
            environ[FROM_PROXY] = True
            return self.behind_proxy(environ, start_response)
        for name in FORWARDED:
            environ.pop(name, None)
        return self.plain(environ, start_response)


def allow_connect(response: Response, origin: str) -> Response:
    """Allow the scripts of this page to connect to one other origin."""
    response.headers[POLICY] = f"{HEADERS[POLICY]}; connect-src 'self' {origin}"
    return response


def _drop_impossible_dates() -> None:
    """Ignore invalid dates (RFC 9110, 13.1). Werkzeug raises OverflowError for a year too large for Python."""
    for name in DATES:
        try:
            parse_date(request.environ.get(name))
        except OverflowError:
            del request.environ[name]


def _check_host() -> None:
    """Refuse a Host that is neither ours nor an IP address: the protection against DNS rebinding.

    An attacker cannot rebind an IP address or localhost, and health checks use them. A trusted proxy checks the host
    itself.
    """
    settings: Settings = current_app.config["SETTINGS"]
    ours = {urlsplit(url).hostname for url in (settings.public_url, settings.api_url)}
    is_checked = "Host" not in request.headers or request.environ.get(FROM_PROXY)
    if not (is_checked or _host() in ours or _is_local_or_ip(_host())):
        raise refusal(RefusedError, "host.unknown", url=settings.public_url)


def _host() -> str:
    try:
        return urlsplit(f"//{request.host}").hostname or ""
    except ValueError:
        return ""


def _is_local_or_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return True


def init_app(app: Flask) -> None:
    app.before_request(_drop_impossible_dates)
    app.before_request(_check_host)
    settings: Settings = app.config["SETTINGS"]
    app.__dict__["wsgi_app"] = TrustedProxies(app.wsgi_app, settings.trusted_proxies)

    hsts = HSTS_SUBDOMAINS if settings.hsts_subdomains else HSTS

    @app.after_request
    def add_headers(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if settings.is_https:
            response.headers.setdefault("Strict-Transport-Security", hsts)
        if response.cache_control.max_age is None:
            response.headers["Cache-Control"] = "no-store"
        return response
