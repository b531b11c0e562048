"""Looking at the line to a server, one step at a time: the name, the connection, the certificate, one plain answer.

Nothing here judges: each step gives what it saw, or raises a fault whose code says how far it got.
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

from .answers import line_fault, parse_json, read_body
from .certificates import Certificate, Facts, known_firms, read_certificate
from .dialling import OutboundBlockedError
from .errors import AnswerTooLargeError, ImanageError
from .guard import GuardedSession, addresses_of, open_line
from .networks import AddressRefusedError
from .pages import Page, read_page

_MOST = 1024 * 1024
_SELF_SIGNED = 18
_NO_ISSUER = frozenset({2, 20, 21})
_VERIFY = {9: "tls.not_yet_valid", 10: "tls.expired", 62: "tls.wrong_name", 64: "tls.wrong_name"}
_VERIFY |= {66: "tls.too_weak", 67: "tls.too_weak", 68: "tls.too_weak"}
_TOO_OLD = ("UNSUPPORTED_PROTOCOL", "PROTOCOL_VERSION", "NO_PROTOCOLS", "WRONG_SSL_VERSION")
_TOO_WEAK = ("HANDSHAKE_FAILURE", "TOO_SMALL", "NO_SHARED_CIPHER", "INSUFFICIENT_SECURITY")
_BY_LINE = {
    "imanage.unreachable.name_not_found": "dns.unknown",
    "imanage.unreachable.refused": "tcp.refused",
    "imanage.unreachable.silent": "line.silent",
    "imanage.unreachable.tls": "line.tls",
}


class ProbeError(Exception):
    """How far it got, as a stable code, and what was seen there. `also`: codes of what is wrong beside it."""

    def __init__(self, code: str, facts: Facts = (), also: tuple[str, ...] = ()) -> None:
        super().__init__(code)
        self.code, self.facts, self.also = code, facts, also


@dataclass(frozen=True)
class Seen:
    """One answer, read as far as a person would look at it. Nothing of it is followed."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    asked_at: datetime
    place: str = ""
    """The host and port that were asked."""

    @cached_property
    def page(self) -> Page:
        """What it shows where it is a web page."""
        return read_page(self.body.decode("utf-8", "replace"))

    @property
    def json(self) -> Any:
        """None where it is not JSON."""
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
        """Where it is sent on to; nothing where that cannot be read as an address."""
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
    """The addresses that the name leads to, all of them allowed."""
    host = urlsplit(origin).hostname or ""
    try:
        return addresses_of(session, origin)
    except AddressRefusedError as refused:
        raise ProbeError("dns.not_allowed", (("Host", host), ("Why", refused.sentence))) from None
    except socket.gaierror as error:
        code = "dns.no_answer" if error.errno == socket.EAI_AGAIN else "dns.unknown"
        raise ProbeError(code, (("Host", host),)) from None


def connect(session: GuardedSession, origin: str) -> str:
    """The address and port that took the connection."""
    with _line(session, origin) as sock:
        try:
            peer = sock.getpeername()
        except OSError:
            raise ProbeError("tcp.reset") from None
        return f"{peer[0]} port {peer[1]}"


def certificate(session: GuardedSession, origin: str) -> Certificate:
    """What the server proved itself with, by the rules that every call to it keeps."""
    host = urlsplit(origin).hostname or ""
    try:
        return _shaken(session, origin, session.trust)
    except ssl.SSLCertVerificationError as error:
        raise _unproven(session, origin, error.verify_code) from None
    except (ssl.SSLError, OSError) as error:
        raise ProbeError(_tls_code(session, origin, error), (("Host", host),)) from None


def ask(
    session: GuardedSession,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
) -> Seen:
    """One GET, or one POST where there is a form; whatever is answered is an answer."""
    asked_at = datetime.now(UTC)
    try:
        response = session.request(
            "POST" if form is not None else "GET",
            url,
            headers=headers,
            data=form,
            stream=True,
            allow_redirects=False,
        )
        body = read_body(response, _MOST, session.limits.total_seconds)
    except AnswerTooLargeError:
        body = b""
    except requests.RequestException as error:
        met = line_fault(error)
        if isinstance(met, OutboundBlockedError):
            raise ProbeError("tcp.not_allowed") from None
        raise ProbeError(_BY_LINE.get(met.code, "line.broken")) from None
    except OutboundBlockedError:
        raise ProbeError("tcp.not_allowed") from None
    return Seen(response.status_code, response.headers, body, asked_at, urlsplit(url).netloc)


@contextlib.contextmanager
def _line(session: GuardedSession, origin: str) -> Iterator[socket.socket]:
    try:
        sock = open_line(session, origin)
    except OutboundBlockedError as blocked:
        raise ProbeError("tcp.not_allowed", (("Why", blocked.sentence),)) from None
    except NameResolutionError:
        raise ProbeError("dns.unknown") from None
    except NewConnectionError as error:
        raise ProbeError(_dial_code(error.__cause__)) from None
    except ConnectTimeoutError:
        waited = f"{session.limits.connect_seconds:g} seconds"
        raise ProbeError("tcp.silent", (("Waited for", waited),)) from None
    with contextlib.closing(sock):
        yield sock


def _dial_code(cause: BaseException | None) -> str:
    if isinstance(cause, ConnectionRefusedError):
        return "tcp.refused"
    # Taken and broken off before one could look: there is no other end any more.
    is_gone = isinstance(cause, OSError) and cause.errno in {errno.ENOTCONN, errno.ECONNRESET, errno.EINVAL}
    return "tcp.reset" if is_gone else "tcp.no_route"


def _shaken(session: GuardedSession, origin: str, trust: ssl.SSLContext) -> Certificate:
    """Shake hands and read the certificate. Nothing is sent over the line."""
    with (
        _line(session, origin) as sock,
        trust.wrap_socket(sock, server_hostname=urlsplit(origin).hostname) as line,
    ):
        return read_certificate(line.getpeercert(binary_form=True) or b"", line.version() or "")


def _unproven(session: GuardedSession, origin: str, verify_code: int) -> ProbeError:
    """The name of what is wrong with a certificate, and what stands in it."""
    open_eyed = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    open_eyed.check_hostname = False
    open_eyed.verify_mode = ssl.CERT_NONE  # only to read what was refused
    try:
        shown = _shaken(session, origin, open_eyed)
    except (ProbeError, OSError, ValueError):
        return ProbeError(_VERIFY.get(verify_code, "tls.unknown_authority"))
    code = _VERIFY.get(verify_code, "tls.unknown_authority")
    if verify_code == _SELF_SIGNED:
        code = "tls.self_signed"
    elif verify_code in _NO_ISSUER and shown.issuer_firm in known_firms(session.trust):
        code = "tls.incomplete"
    host = urlsplit(origin).hostname or ""
    return ProbeError(code, (("Host", host), *shown.facts), _wrong_beside(code, shown, host))


def _wrong_beside(code: str, shown: Certificate, host: str) -> tuple[str, ...]:
    """A handshake stops at the first thing that is wrong; whoever mends it should know of the others."""
    found = {
        "tls.expired": shown.is_expired,
        "tls.not_yet_valid": shown.is_early,
        "tls.wrong_name": bool(shown.names) and not shown.is_for(host),
    }
    return tuple(each for each, is_so in found.items() if is_so and each != code)


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
    with contextlib.suppress(ProbeError, OSError), _line(session, origin) as sock:
        sock.sendall(
            f"HEAD / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode("ascii", "ignore")
        )
        said = sock.recv(1024)
        # A port that does speak TLS may say so in plain HTTP.
        return said.startswith(b"HTTP/") and b"https" not in said.lower()
    return False
