"""The line to the mail server: smtplib over a socket none of whose waits outlasts what is left of the work at hand.

smtplib's own time-out counts from byte to byte, so a server that sends one every few seconds would never end.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
from typing import Any

from imanage.deadlines import Deadline, Timed, TimedSocket, TimedTLS
from imanage.dns import addresses, with_timeout

SECONDS = 20.0
"""Of one silence."""
OPENING_SECONDS = 60.0
"""Looking up the name, connecting, the greeting, TLS and signing in, all together."""
NAME_SECONDS = 5.0
"""Looking up our own name, which the greeting only mentions."""
MAIL_SECONDS = 120.0
"""One mail, from its sender to the mail server's word that it has taken it."""


class MailConnection(smtplib.SMTP):
    """Connected when it is made. `tls` is of a server that speaks TLS from the start."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._deadline = Deadline(OPENING_SECONDS)
        self._tls = tls
        super().__init__(host, port, local_hostname=_own_name(self._deadline), timeout=SECONDS)

    def connect(self, host: str = "", port: int = 0, source_address: Any = None) -> tuple[int, bytes]:
        """Dial and read the greeting. smtplib calls it when the line is made."""
        sock: socket.socket = _dialled(host, port, self._deadline)
        if self._tls:
            sock = self._tls.wrap_socket(sock, server_hostname=host)
        self.sock, self.file = sock, None
        self._keep(self._deadline)
        return self.getreply()

    def starttls(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        """The same line under TLS, and under the same deadline."""
        answer = super().starttls(*args, **kwargs)
        self._keep(self._deadline)
        return answer

    def start_mail(self) -> None:
        """What follows, up to the next mail or the goodbye, has a time of its own."""
        self._keep(Deadline(MAIL_SECONDS))

    def _keep(self, deadline: Deadline) -> None:
        self._deadline = deadline
        if isinstance(self.sock, Timed):
            self.sock.settimeout(SECONDS)
            self.sock.deadline = deadline


def trust() -> ssl.SSLContext:
    """The usual authorities and host name checks, over sockets that keep a deadline."""
    context = ssl.create_default_context()
    context.sslsocket_class = TimedTLS
    return context


def _dialled(host: str, port: int, deadline: Deadline) -> TimedSocket:
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
    """As smtplib would say it, but the resolver is given a time."""
    try:
        name = with_timeout(socket.getfqdn, min(NAME_SECONDS, deadline.left()))
        return name if "." in name else f"[{with_timeout(_own_address, min(NAME_SECONDS, deadline.left()))}]"
    except OSError:
        return "[127.0.0.1]"


def _own_address() -> str:
    return socket.gethostbyname(socket.gethostname())
