"""Opens connections: resolve once, check every address, connect, and check the address actually reached."""

from __future__ import annotations

import socket
import sys
from urllib.parse import urlsplit

from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from .deadlines import TimedSocket, current
from .dns import SECONDS, Answers, addresses
from .errors import ImanageError
from .networks import AddressRefusedError, AddressRules, check_address, embedded_in, is_allowed_by_name
from .proxies import SILENT, UNREACHABLE, Proxy, TunnelError

LOOKUP_SECONDS = 2.0
"""How long a lookup may take where a proxy can look the name up, too."""


class OutboundBlockedError(ImanageError):
    """A connection that the rules do not allow. Not an OSError, so that it is never treated as a transient fault."""

    code = "imanage.blocked"
    sentence = "This installation does not allow connections to that address."


def check_origin(origin: str, rules: AddressRules) -> bool:
    """Raise AddressRefusedError if an origin resolves to a forbidden address. Returns False if DNS has no such name."""
    try:
        resolve_allowed(*host_and_port(origin), rules)
    except socket.gaierror:
        return False
    return True


def host_and_port(origin: str) -> tuple[str, int]:
    parts = urlsplit(origin)
    return parts.hostname or "", parts.port or (80 if parts.scheme == "http" else 443)


def resolve_allowed(host: str, port: int, rules: AddressRules, seconds: float = SECONDS) -> Answers:
    """Resolve a host and check every address. The lookup ends after `seconds` or at the deadline of the call."""
    try:
        found = addresses(host, port, seconds)
    except UnicodeError as error:
        raise socket.gaierror(socket.EAI_NONAME, "not a host name") from error
    for answer in found:
        _check(str(answer[4][0]), rules)
    return found


def _check(ip: str, rules: AddressRules) -> None:
    check_address(ip, rules)
    if any(
        not is_allowed_by_name(each, rules) and is_local_address(each)
        for each in (ip, *map(str, embedded_in(ip)))
    ):
        raise AddressRefusedError("own", "This address belongs to this machine itself.")


def is_local_address(ip: str) -> bool:
    """Whether an address belongs to this machine: it is the source of its own route, or a socket can bind to it."""
    family, elsewhere = (socket.AF_INET6, "100::1") if ":" in ip else (socket.AF_INET, "192.0.0.8")
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            # Connecting a datagram socket sends nothing; the kernel only chooses the route.
            probe.connect((ip, 9))
            if probe.getsockname()[0] == ip:
                return True
    except OSError:
        pass
    # Secondary addresses of an interface are reached from its primary one. With ip_nonlocal_bind, which failover
    # setups use, a socket can bind to any address, so binding to this one proves nothing.
    return _can_bind(family, ip) and not _can_bind(family, elsewhere)


def _can_bind(family: int, ip: str) -> bool:
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((ip, 0))
    except OSError:
        return False
    return True


def _seconds(timeout: object) -> float:
    return timeout if isinstance(timeout, int | float) else SECONDS


def dial(connection: HTTPConnection, rules: AddressRules) -> socket.socket:
    """Resolve once, check every address, connect to the first that answers and check the peer's address again."""
    _require_place(connection, rules)
    try:
        answers = _judged(connection, rules, _seconds(connection.timeout))
    except socket.gaierror as error:
        raise NameResolutionError(connection.host, connection, error) from error
    return _open(connection, answers, rules)


def dial_proxy(connection: HTTPConnection, proxy: Proxy, rules: AddressRules) -> tuple[socket.socket, bool]:
    """Check the server's addresses, then connect to the proxy, or to one of them where they bypass it.

    Returns the connection, and whether it needs a tunnel. A name that DNS does not know here is allowed only if an
    admin entered it for this server.
    """
    _require_place(connection, rules)
    try:
        answers = _judged(connection, rules, min(_seconds(connection.timeout), LOOKUP_SECONDS))
    except socket.gaierror as error:
        if connection.host not in proxy.entered:
            raise NameResolutionError(connection.host, connection, error) from error
    else:
        if proxy.is_bypassed(answers):
            return _open(connection, answers, rules), False
    return open_proxy(connection, proxy), True


def open_proxy(connection: HTTPConnection, proxy: Proxy) -> socket.socket:
    """A connection to the proxy itself. Raises TunnelError; OutboundBlockedError where none is set."""
    if not proxy.host:
        raise OutboundBlockedError(code="imanage.blocked.no_proxy")
    try:
        answers = addresses(proxy.host, proxy.port, _seconds(connection.timeout))
        return _open(connection, answers, None)
    except (socket.gaierror, UnicodeError, NewConnectionError) as error:
        raise TunnelError(connection, UNREACHABLE) from error
    except ConnectTimeoutError as error:
        raise TunnelError(connection, SILENT) from error


def _require_place(connection: HTTPConnection, rules: AddressRules) -> None:
    if connection.port not in rules.ports:
        raise OutboundBlockedError(code="imanage.blocked.port")
    if rules.only and (connection.host, connection.port) not in rules.only:
        raise OutboundBlockedError(code="imanage.blocked.place")


def _judged(connection: HTTPConnection, rules: AddressRules, seconds: float) -> Answers:
    """The addresses of the server, all of them allowed. Raises socket.gaierror where DNS does not know the name."""
    try:
        return resolve_allowed(connection._dns_host, connection.port, rules, seconds)
    except AddressRefusedError as refused:
        raise OutboundBlockedError(f"{OutboundBlockedError.sentence} {refused.sentence}") from refused


def _open(connection: HTTPConnection, answers: Answers, rules: AddressRules | None) -> socket.socket:
    """Connect to the first address that answers; with rules, check the peer's address again."""
    problem: OSError = OSError("the name has no address")
    for family, kind, protocol, _, address in answers:
        sock = TimedSocket(family, kind, protocol)
        sock.deadline = current()
        try:
            for option in connection.socket_options or ():
                sock.setsockopt(*option)
            sock.settimeout(connection.timeout)
            sock.connect(address)
            if rules is not None:
                _check(str(sock.getpeername()[0]), rules)
        except AddressRefusedError as refused:
            sock.close()
            raise OutboundBlockedError(f"{OutboundBlockedError.sentence} {refused.sentence}") from refused
        except OSError as error:
            sock.close()
            problem = error
        else:
            sys.audit("http.client.connect", connection, connection.host, connection.port)
            return sock
    if isinstance(problem, TimeoutError):
        raise ConnectTimeoutError(connection, f"Connection to {connection.host} timed out") from problem
    raise NewConnectionError(connection, f"Failed to establish a new connection: {problem}") from problem
