"""The listening sockets of the web server."""

from __future__ import annotations

import errno
import socket

BACKLOG = 1024
EITHER = "::"
"""Every address of this machine, IPv4 and IPv6."""


def listen(host: str, port: int) -> list[socket.socket]:
    """Listening sockets for this host and port. Raises OSError if none can be opened.

    `::` means IPv4 and IPv6, with a socket for each, so that a peer's address is never an IPv4-mapped one.
    """
    found = socket.getaddrinfo(
        None if host == EITHER else host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    sockets: list[socket.socket] = []
    refused: OSError | None = None
    for family, address in dict.fromkeys((each[0], each[4]) for each in found):
        try:
            sockets.append(socket.create_server(address[:2], family=family, backlog=BACKLOG))
        except OSError as error:
            if len(found) == 1 or error.errno == errno.EADDRINUSE:
                for each in sockets:
                    each.close()
                raise
            refused = error  # a machine without one of the two kinds
    if not sockets:
        raise refused or OSError("There is no address that Counterpart can listen on.")
    return sockets
