"""The connection itself: resolved once, every answer judged, and the socket looked at again when it stands."""

from __future__ import annotations

import socket
import sys
from urllib.parse import urlsplit

from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from .deadlines import TimedSocket, current
from .errors import ImanageError
from .lookups import SECONDS, Answers, addresses
from .networks import AddressRefusedError, AddressRules, is_named, judge_address, leads_to


class OutboundBlockedError(ImanageError):
    """A connection that the rules do not allow. Not an OSError, so that nothing takes it for a passing fault."""

    code = "imanage.blocked"
    sentence = "This installation does not allow connections to that address."


def judge_origin(origin: str, rules: AddressRules) -> bool:
    """Raise AddressRefusedError if an origin leads where the rules do not allow. False for a name unknown to DNS."""
    try:
        answers_of(*place_of(origin), rules)
    except socket.gaierror:
        return False
    return True


def place_of(origin: str) -> tuple[str, int]:
    parts = urlsplit(origin)
    return parts.hostname or "", parts.port or (80 if parts.scheme == "http" else 443)


def answers_of(host: str, port: int, rules: AddressRules, seconds: float = SECONDS) -> Answers:
    """Every address of one lookup, each of them judged. The lookup takes this time and what is left of the call."""
    try:
        found = addresses(host, port, seconds)
    except UnicodeError as error:
        raise socket.gaierror(socket.EAI_NONAME, "not a host name") from error
    for answer in found:
        _judge(str(answer[4][0]), rules)
    return found


def _judge(ip: str, rules: AddressRules) -> None:
    judge_address(ip, rules)
    if any(not is_named(each, rules) and is_own(each) for each in (ip, *map(str, leads_to(ip)))):
        raise AddressRefusedError("own", "This address belongs to this machine itself.")


def is_own(ip: str) -> bool:
    """Whether an address is one of this machine's: its packets would come from it, or a socket can take it."""
    family, elsewhere = (socket.AF_INET6, "100::1") if ":" in ip else (socket.AF_INET, "192.0.0.8")
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            # Connecting a datagram socket sends nothing; it only asks the kernel for the route.
            probe.connect((ip, 9))
            if probe.getsockname()[0] == ip:
                return True
    except OSError:
        pass
    # Second addresses of an interface are reached from its first. Where the kernel lets a socket take any
    # address at all, as failover set-ups ask it to, being able to take this one says nothing.
    return _can_take(family, ip) and not _can_take(family, elsewhere)


def _can_take(family: int, ip: str) -> bool:
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((ip, 0))
    except OSError:
        return False
    return True


def _seconds(timeout: object) -> float:
    return timeout if isinstance(timeout, int | float) else SECONDS


def dial(connection: HTTPConnection, rules: AddressRules) -> socket.socket:
    """Resolve once, judge every answer, connect to a judged address and look again at what was reached."""
    host, port = connection._dns_host, connection.port
    if port not in rules.ports:
        raise OutboundBlockedError(code="imanage.blocked.port")
    if rules.only and (connection.host, port) not in rules.only:
        raise OutboundBlockedError(code="imanage.blocked.place")
    try:
        answers = answers_of(host, port, rules, _seconds(connection.timeout))
    except AddressRefusedError as refused:
        raise OutboundBlockedError(f"{OutboundBlockedError.sentence} {refused.sentence}") from refused
    except socket.gaierror as error:
        raise NameResolutionError(connection.host, connection, error) from error
    problem: OSError = OSError("the name has no address")
    for family, kind, protocol, _, address in answers:
        sock = TimedSocket(family, kind, protocol)
        sock.deadline = current()
        try:
            for option in connection.socket_options or ():
                sock.setsockopt(*option)
            sock.settimeout(connection.timeout)
            sock.connect(address)
            _judge(str(sock.getpeername()[0]), rules)
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
