"""Answers' headers, whom a forwarded header is believed from, and which host we answer to."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, request
from werkzeug.http import parse_date
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response

from config import Network, Settings

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
DATES = ("HTTP_IF_MODIFIED_SINCE", "HTTP_IF_UNMODIFIED_SINCE", "HTTP_IF_RANGE")


class NamedProxies:
    """Believes X-Forwarded-* and X-Request-ID only from a named proxy as the peer; from others they are taken away."""

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
            # A socket for both kinds of address writes one kind in the other's way.
            peer = peer.ipv4_mapped
            environ["REMOTE_ADDR"] = str(peer)
        if peer and any(peer in network for network in self.proxies):
            return self.behind_proxy(environ, start_response)
        for name in FORWARDED:
            environ.pop(name, None)
        return self.plain(environ, start_response)


def allow_connect(response: Response, origin: str) -> Response:
    """Let the scripts of this one page ask this one other origin for something."""
    response.headers[POLICY] = f"{HEADERS[POLICY]}; connect-src 'self' {origin}"
    return response


def _drop_impossible_dates() -> None:
    """What is no date is no condition (RFC 9110, 13.1). Werkzeug fails at a year that is too large for Python."""
    for name in DATES:
        try:
            parse_date(request.environ.get(name))
        except OverflowError:
            del request.environ[name]


def init_app(app: Flask) -> None:
    app.before_request(_drop_impossible_dates)
    settings: Settings = app.config["SETTINGS"]
    app.__dict__["wsgi_app"] = NamedProxies(app.wsgi_app, settings.trusted_proxies)

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
