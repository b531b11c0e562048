"""The firm's outbound proxy: CONNECT opens a tunnel through it, and TLS runs inside from end to end.

The address of the proxy is the operator's setting and is not judged. Its answer is limited in size and time.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from ipaddress import ip_address

from urllib3.connection import HTTPConnection
from urllib3.exceptions import NewConnectionError

from .deadlines import Deadline, TimedSocket, current
from .dns import Answers
from .networks import Network

LARGEST_ANSWER = 64 * 1024
UNREACHABLE = "imanage.unreachable.proxy"
SILENT = "imanage.unreachable.proxy.silent"
SIGN_IN = "imanage.unreachable.proxy.sign_in"
REFUSED = "imanage.unreachable.proxy.refused"
GATEWAY = "imanage.unreachable.proxy.gateway"
BROKEN = "imanage.unreachable.proxy.broken"
_STATUS = re.compile(r"Tunnel connection failed: (\d{3})\b")


@dataclass(frozen=True)
class Proxy:
    """Where the proxy is and how to sign in to it. Without a host there is none, and no connection is made.

    `entered` are the host names that an admin entered for the server: they are allowed even where DNS does not know
    them here, because the proxy looks them up. A server with all its addresses in `bypass` is reached directly.
    """

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    entered: frozenset[str] = frozenset()
    bypass: tuple[Network, ...] = ()

    def is_bypassed(self, answers: Answers) -> bool:
        """Whether a server with these addresses is reached directly."""
        found = [ip_address(str(answer[4][0])) for answer in answers]
        return bool(found) and all(any(each in network for network in self.bypass) for each in found)

    def headers(self, host: str, port: int) -> dict[str, str]:
        """The headers of a CONNECT: nothing of the request that follows."""
        named = f"[{host}]" if ":" in host else host
        found = {"Host": f"{named}:{port}"}
        if self.user:
            told = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
            found["Proxy-Authorization"] = f"Basic {told}"
        return found


class TunnelError(NewConnectionError):
    """No connection, because of the proxy: nothing was sent to the server. `code` is that of the iManage error."""

    def __init__(self, connection: HTTPConnection, code: str) -> None:
        super().__init__(connection, "The outbound proxy made no connection")
        self.code = code


@contextmanager
def tunnelling(connection: HTTPConnection, seconds: float) -> Iterator[None]:
    """Limit the CONNECT in this block, and raise TunnelError where it fails."""
    sock, call = connection.sock, current()
    assert isinstance(sock, TimedSocket)
    try:
        sock.deadline = Deadline(min(seconds, call.left()) if call else seconds)
        sock.most_bytes = LARGEST_ANSWER
        yield
    except TimeoutError as error:
        raise TunnelError(connection, SILENT) from error
    except (OSError, HTTPException, ValueError) as error:
        raise TunnelError(connection, _code(error)) from error
    finally:
        sock.deadline, sock.most_bytes = call, None


def _code(error: Exception) -> str:
    found = _STATUS.match(str(error))
    status = int(found[1]) if found else 0
    if status in {401, 407}:  # tinyproxy answers 401 to wrong credentials
        return SIGN_IN
    return GATEWAY if status >= 500 else REFUSED if status >= 300 else BROKEN
