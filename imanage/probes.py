"""Probes a server step by step for the connection check: DNS, TCP, TLS certificate, one plain HTTP response.

Each step returns what it found, or raises ProbeError with a code that tells how far it got.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from . import guard, proxies
from .certificates import Certificate, Facts, read_certificate, trusted_organisations
from .dialling import OutboundBlockedError
from .errors import AnswerTooLargeError, ImanageError
from .guard import GuardedSession, addresses_of, open_connection
from .html_text import Page, read_page
from .networks import AddressRefusedError
from .responses import connection_fault, parse_json, read_body

_MAX_BODY = 1024 * 1024
_SELF_SIGNED = 18
_NO_ISSUER = frozenset({2, 20, 21})
_VERIFY_CODES = {9: "tls.not_yet_valid", 10: "tls.expired", 62: "tls.wrong_name", 64: "tls.wrong_name"}
_VERIFY_CODES |= {66: "tls.too_weak", 67: "tls.too_weak", 68: "tls.too_weak"}
_TOO_OLD = ("UNSUPPORTED_PROTOCOL", "PROTOCOL_VERSION", "NO_PROTOCOLS", "WRONG_SSL_VERSION")
_TOO_WEAK = ("HANDSHAKE_FAILURE", "TOO_SMALL", "NO_SHARED_CIPHER", "INSUFFICIENT_SECURITY")
_CONNECTION_CODES = {
    "imanage.unreachable.name_not_found": "dns.unknown",
    "imanage.unreachable.refused": "tcp.refused",
    "imanage.unreachable.silent": "line.silent",
    "imanage.unreachable.tls": "line.tls",
}
_PROXY_CODES = {
    proxies.UNREACHABLE: "proxy.unreachable",
    proxies.SILENT: "proxy.silent",
    proxies.REFUSED: "proxy.tunnel_refused",
    proxies.GATEWAY: "proxy.no_way",
    proxies.BROKEN: "proxy.not_a_proxy",
}


class ProbeError(Exception):
    """A failed probe: a stable code and the facts found. `also`: codes of further faults of the same certificate."""

    def __init__(self, code: str, facts: Facts = (), also: tuple[str, ...] = ()) -> None:
        super().__init__(code)
        self.code, self.facts, self.also = code, facts, also


@dataclass(frozen=True)
class ProbeResponse:
    """One HTTP response. No link or redirect in it is followed."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    requested_at: datetime
    netloc: str = ""
    """The host and port that the request went to."""

    @cached_property
    def page(self) -> Page:
        """The visible text, if it is a web page."""
        return read_page(self.body.decode("utf-8", "replace"))

    @property
    def json(self) -> Any:
        """The parsed body; None if it is not JSON."""
        try:
            return parse_json(self.body, self.status)
        except ImanageError:
            return None

    @property
    def is_page(self) -> bool:
        start = self.body[:512].lstrip().lower()
        return "html" in self.headers.get("Content-Type", "").lower() or start.startswith(
            (b"<!doctype", b"<html")
        )

    @property
    def location(self) -> str:
        """The target of a redirect; empty if there is none and “?” if it is not a valid URL."""
        found = self.headers.get("Location", "") if 300 <= self.status < 400 else ""
        with contextlib.suppress(ValueError):
            urlsplit(found)
            return found
        return "?"

    @property
    def server_time(self) -> datetime | None:
        try:
            moment = parsedate_to_datetime(self.headers.get("Date", ""))
        except ValueError:
            return None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def resolve(session: GuardedSession, origin: str) -> tuple[str, ...]:
    """The addresses of the name, all of them allowed."""
    host = urlsplit(origin).hostname or ""
    try:
        return addresses_of(session, origin)
    except AddressRefusedError as refused:
        raise ProbeError("dns.not_allowed", (("Host", host), ("Why", refused.sentence))) from None
    except socket.gaierror as error:
        code = "dns.no_answer" if error.errno == socket.EAI_AGAIN else "dns.unknown"
        raise ProbeError(code, (("Host", host),)) from None


def reach_proxy(session: GuardedSession, proxy: proxies.Proxy) -> str:
    """The address and port of the proxy that accepted the connection."""
    try:
        with contextlib.closing(guard.reach_proxy(session, proxy)) as sock:
            peer = sock.getpeername()
    except proxies.TunnelError as error:
        raise ProbeError(_proxy_code(session, error.code)) from None
    except OutboundBlockedError:
        raise ProbeError("proxy.not_set") from None
    except OSError:
        raise ProbeError("proxy.unreachable") from None
    return f"{peer[0]} port {peer[1]}"


def connect(session: GuardedSession, origin: str) -> str:
    """The address and port that accepted the connection: the server's, or the proxy's where there is one."""
    with _connection(session, origin) as sock:
        try:
            peer = sock.getpeername()
        except OSError:
            raise ProbeError("tcp.reset") from None
        return f"{peer[0]} port {peer[1]}"


def certificate(session: GuardedSession, origin: str) -> Certificate:
    """The server's certificate, verified as for every other call."""
    host = urlsplit(origin).hostname or ""
    try:
        return _handshake(session, origin, session.trust)
    except ssl.SSLCertVerificationError as error:
        raise _certificate_error(session, origin, error.verify_code) from None
    except (ssl.SSLError, OSError) as error:
        raise ProbeError(_tls_code(session, origin, error), (("Host", host),)) from None


def request(
    session: GuardedSession,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
) -> ProbeResponse:
    """One GET, or one POST if there is a form. Any status is a response."""
    requested_at = datetime.now(UTC)
    try:
        response = session.request(
            "POST" if form is not None else "GET",
            url,
            headers=headers,
            data=form,
            stream=True,
            allow_redirects=False,
        )
        body = read_body(response, _MAX_BODY, session.limits.total_seconds)
    except AnswerTooLargeError:
        body = b""
    except requests.RequestException as error:
        fault = connection_fault(error)
        if isinstance(fault, OutboundBlockedError):
            raise ProbeError("tcp.not_allowed") from None
        if fault.code.startswith(proxies.UNREACHABLE):
            raise ProbeError(_proxy_code(session, fault.code)) from None
        raise ProbeError(_CONNECTION_CODES.get(fault.code, "line.broken")) from None
    except OutboundBlockedError:
        raise ProbeError("tcp.not_allowed") from None
    return ProbeResponse(response.status_code, response.headers, body, requested_at, urlsplit(url).netloc)


@contextlib.contextmanager
def _connection(session: GuardedSession, origin: str) -> Iterator[socket.socket]:
    try:
        sock = open_connection(session, origin)
    except OutboundBlockedError as blocked:
        raise ProbeError("tcp.not_allowed", (("Why", blocked.sentence),)) from None
    except proxies.TunnelError as error:
        raise ProbeError(_proxy_code(session, error.code)) from None
    except NameResolutionError:
        raise ProbeError("dns.unknown") from None
    except NewConnectionError as error:
        raise ProbeError(_connect_code(error.__cause__)) from None
    except ConnectTimeoutError:
        waited = f"{session.limits.connect_seconds:g} seconds"
        raise ProbeError("tcp.silent", (("Waited for", waited),)) from None
    with contextlib.closing(sock):
        yield sock


def _proxy_code(session: GuardedSession, code: str) -> str:
    if code == proxies.SIGN_IN:
        is_known = session.proxy is not None and session.proxy.user
        return "proxy.credentials_refused" if is_known else "proxy.asks_credentials"
    return _PROXY_CODES[code]


def _connect_code(cause: BaseException | None) -> str:
    if isinstance(cause, ConnectionRefusedError):
        return "tcp.refused"
    # Accepted and reset before getpeername.
    is_reset = isinstance(cause, OSError) and cause.errno in {errno.ENOTCONN, errno.ECONNRESET, errno.EINVAL}
    return "tcp.reset" if is_reset else "tcp.no_route"


def _handshake(session: GuardedSession, origin: str, trust: ssl.SSLContext) -> Certificate:
    """The certificate of a TLS handshake. No request is sent."""
    with (
        _connection(session, origin) as sock,
        trust.wrap_socket(sock, server_hostname=urlsplit(origin).hostname) as tls,
    ):
        return read_certificate(tls.getpeercert(binary_form=True) or b"", tls.version() or "")


def _certificate_error(session: GuardedSession, origin: str, verify_code: int) -> ProbeError:
    """What is wrong with a certificate, and its contents."""
    unverified = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    unverified.check_hostname = False
    unverified.verify_mode = ssl.CERT_NONE  # only to read the certificate that failed verification
    try:
        presented = _handshake(session, origin, unverified)
    except (ProbeError, OSError, ValueError):
        return ProbeError(_VERIFY_CODES.get(verify_code, "tls.unknown_authority"))
    code = _VERIFY_CODES.get(verify_code, "tls.unknown_authority")
    if verify_code == _SELF_SIGNED:
        code = "tls.self_signed"
    elif verify_code in _NO_ISSUER and presented.issuer_organisation in trusted_organisations(session.trust):
        code = "tls.incomplete"
    host = urlsplit(origin).hostname or ""
    return ProbeError(code, (("Host", host), *presented.facts), _other_faults(code, presented, host))


def _other_faults(code: str, presented: Certificate, host: str) -> tuple[str, ...]:
    """Further faults of the certificate: verification stops at the first one."""
    found = {
        "tls.expired": presented.is_expired,
        "tls.not_yet_valid": presented.is_not_yet_valid,
        "tls.wrong_name": bool(presented.names) and not presented.matches(host),
    }
    return tuple(each for each, is_present in found.items() if is_present and each != code)


def _tls_code(session: GuardedSession, origin: str, error: OSError) -> str:
    reason = str(getattr(error, "reason", "") or "")
    if any(word in reason for word in _TOO_OLD):
        return "tls.too_old"
    if any(word in reason for word in _TOO_WEAK):
        return "tls.too_weak"
    if _speaks_http(session, origin):
        return "tls.plain_http"
    return "tls.silent" if isinstance(error, TimeoutError) else "tls.broken_off"


def _speaks_http(session: GuardedSession, origin: str) -> bool:
    host = urlsplit(origin).hostname or ""
    with contextlib.suppress(ProbeError, OSError), _connection(session, origin) as sock:
        sock.sendall(
            f"HEAD / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode("ascii", "ignore")
        )
        reply = sock.recv(1024)
        # A TLS port may say in plain HTTP that it expects https.
        return reply.startswith(b"HTTP/") and b"https" not in reply.lower()
    return False
