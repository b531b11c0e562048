"""The connection to the mail server: smtplib over sockets with an overall deadline.

smtplib's time-out applies to each read, so a server that sends a byte every few seconds would never time out.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
from typing import Any

from imanage.deadlines import Deadline, Timed, TimedSocket, TimedTLS
from imanage.dns import addresses, with_timeout

SECONDS = 20.0
"""For one read or write."""
OPENING_SECONDS = 60.0
"""For resolving, connecting, the greeting, TLS and authentication together."""
NAME_SECONDS = 5.0
"""For resolving our own host name, which EHLO sends."""
MAIL_SECONDS = 120.0
"""For one mail, from MAIL FROM to the reply after DATA."""


class MailConnection(smtplib.SMTP):
    """Connected when created. `tls` is for a server that uses TLS from the start."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._deadline = Deadline(OPENING_SECONDS)
        self._tls = tls
        super().__init__(host, port, local_hostname=_own_name(self._deadline), timeout=SECONDS)

    def connect(self, host: str = "", port: int = 0, source_address: Any = None) -> tuple[int, bytes]:
        """Connect and read the greeting. Called by smtplib's constructor."""
        sock: socket.socket = _connected_socket(host, port, self._deadline)
        if self._tls:
            sock = self._tls.wrap_socket(sock, server_hostname=host)
        self.sock, self.file = sock, None
        self._apply(self._deadline)
        return self.getreply()

    def starttls(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        """Switch to TLS, under the same deadline."""
        answer = super().starttls(*args, **kwargs)
        self._apply(self._deadline)
        return answer

    def start_mail(self) -> None:
        """Start the deadline of the next mail."""
        self._apply(Deadline(MAIL_SECONDS))

    def _apply(self, deadline: Deadline) -> None:
        self._deadline = deadline
        if isinstance(self.sock, Timed):
            self.sock.settimeout(SECONDS)
            self.sock.deadline = deadline


def trust() -> ssl.SSLContext:
    """The system's authorities and host name checks, over sockets with a deadline."""
    context = ssl.create_default_context()
    context.sslsocket_class = TimedTLS
    return context


def _connected_socket(host: str, port: int, deadline: Deadline) -> TimedSocket:
    problem: OSError = OSError("the name has no address")
    for family, kind, protocol, _, address in addresses(host, port, min(SECONDS, deadline.left())):
        sock = TimedSocket(family, kind, protocol)
        sock.deadline = deadline
        sock.settimeout(SECONDS)
        try:
            sock.connect(address)
        except OSError as error:
            sock.close()
            problem = error
        else:
            return sock
    raise problem


def _own_name(deadline: Deadline) -> str:
    """Our host name as smtplib determines it, but with a time-out."""
    try:
        name = with_timeout(socket.getfqdn, min(NAME_SECONDS, deadline.left()))
        return name if "." in name else f"[{with_timeout(_own_address, min(NAME_SECONDS, deadline.left()))}]"
    except OSError:
        return "[127.0.0.1]"


def _own_address() -> str:
    return socket.gethostbyname(socket.gethostname())
