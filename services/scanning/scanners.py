"""Clients for virus scanners: clamd over a Unix socket (INSTREAM), ICAP (RFC 3507, RESPMOD) or a command.

Any unclear reply raises ScannerUnavailableError. One deadline covers a whole call.
"""

from __future__ import annotations

import fcntl
import os
import select
import socket
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import IO
from urllib.parse import urlsplit

from imanage.dns import addresses
from services.core.text.normalise import clean_line

CHUNK = 256 * 1024
CONNECT_TIMEOUT = 5.0
BASE_TIMEOUT = 60.0
BYTES_PER_SECOND = 4 * 1024**2
"""The deadline grows with the size of the file at this rate."""
MAX_REPLY = 16 * 1024
MAX_NAME = 100
ICAP_PORT = 1344
INFECTION_HEADERS = ("x-infection-found", "x-virus-id", "x-violations-found")


class ScannerUnavailableError(Exception):
    """The scanner could not be reached or its reply was unclear. The message is for the log."""


class TooLargeToScanError(ScannerUnavailableError):
    """The scanner does not accept files of this size."""


def scan(url: str, chunks: Iterable[bytes], size: int) -> str | None:
    """The name of what was found, in the scanner's words, or None. Raises ScannerUnavailableError."""
    deadline = time.monotonic() + BASE_TIMEOUT + size / BYTES_PER_SECOND
    scheme = urlsplit(url).scheme
    scanner = {"clamd": _clamd, "icap": _icap, "command": _command}[scheme]
    try:
        found = scanner(url, chunks, deadline)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise ScannerUnavailableError(f"{scheme}: {type(error).__name__}") from error
    return None if found is None else (clean_line(found)[:MAX_NAME] or "something")


def _clamd(url: str, chunks: Iterable[bytes], deadline: float) -> str | None:
    with _connection(socket.AF_UNIX, urlsplit(url).path, deadline) as connection:
        connection.sendall(b"zINSTREAM\0")
        # clamd replies and closes the connection as soon as a file is too large.
        with suppress(BrokenPipeError, ConnectionResetError):
            for chunk in chunks:
                _set_timeout(connection, deadline)
                connection.sendall(struct.pack("!I", len(chunk)) + chunk)
            connection.sendall(struct.pack("!I", 0))
        reply = _read_reply(connection, deadline, until=b"\0").rstrip(b"\0").decode(errors="replace").strip()
    if reply == "stream: OK":
        return None
    if reply.startswith("stream: ") and reply.endswith(" FOUND"):
        return reply.removeprefix("stream: ").removesuffix(" FOUND")
    if "size limit exceeded" in reply:
        raise TooLargeToScanError(reply[:200])
    raise ScannerUnavailableError(f"clamd: {reply[:200]!r}")


def _icap(url: str, chunks: Iterable[bytes], deadline: float) -> str | None:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or ICAP_PORT
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n"
    request = (
        f"RESPMOD icap://{host}:{port}{parts.path} ICAP/1.0\r\nHost: {host}:{port}\r\nAllow: 204\r\n"
        f"Connection: close\r\nEncapsulated: res-hdr=0, res-body={len(answer)}\r\n\r\n"
    )
    with _connection(socket.AF_INET, (host, port), deadline) as connection:
        connection.sendall(request.encode("ascii") + answer)
        is_sent = False
        with suppress(BrokenPipeError, ConnectionResetError):
            for chunk in chunks:
                _set_timeout(connection, deadline)
                connection.sendall(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
            # A reply before the last byte covers only part of the file: no preview was negotiated.
            replied_early = _has_replied(connection)
            connection.sendall(b"0\r\n\r\n")
            is_sent = not replied_early
        head = (
            _read_reply(connection, deadline, until=b"\r\n\r\n")
            .partition(b"\r\n\r\n")[0]
            .decode(errors="replace")
        )
    status, *lines = head.split("\r\n")
    code = [*status.split(" "), "", ""][1] if status.startswith("ICAP/1.") else ""
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)
    }
    if code == "204":
        if not is_sent:
            raise ScannerUnavailableError("icap: 204 before the whole file was sent")
        return None
    if code == "200":
        # With 204 allowed, a 200 means that the file must not pass.
        return next(
            (headers[name] for name in INFECTION_HEADERS if headers.get(name)),
            "something that is not allowed",
        )
    raise ScannerUnavailableError(f"icap: {status[:200]!r}")


def _command(url: str, chunks: Iterable[bytes], deadline: float) -> str | None:
    """The file is sent on standard input. Exit 0 after reading all of it: clean. Exit 1: the first line of output
    names what was found. Anything else is unclear.
    """
    with (
        ExitStack() as kept,
        subprocess.Popen(
            [urlsplit(url).path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process,
    ):
        assert process.stdin and process.stdout
        timer = threading.Timer(max(0.0, deadline - time.monotonic()), process.kill)
        timer.start()
        try:
            pipe = -1
            with suppress(BrokenPipeError), process.stdin as stdin:
                for chunk in chunks:
                    stdin.write(chunk)
                stdin.flush()
                pipe = _read_end(stdin)
                kept.callback(os.close, pipe)
            reply = process.stdout.read(MAX_REPLY)
            status = process.wait(max(0.1, deadline - time.monotonic()))
        finally:
            timer.cancel()
            if process.poll() is None:
                process.kill()
        read_all = pipe >= 0 and _unread_bytes(pipe) == 0
    if status == 0 and not read_all:
        raise ScannerUnavailableError("command: exit 0 without having read the whole file")
    if status == 0:
        return None
    if status == 1:
        return (reply.decode(errors="replace").strip().splitlines() or ["something"])[0]
    raise ScannerUnavailableError(f"command: exit {status}")


def _read_end(stdin: IO[bytes]) -> int:
    """A second read end of a pipe, to see what is unread after the reader has exited. The caller closes it."""
    return os.open(f"/proc/self/fd/{stdin.fileno()}", os.O_RDONLY | os.O_CLOEXEC)


def _unread_bytes(pipe: int) -> int:
    """The number of unread bytes in a pipe."""
    return int(struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))[0])


def _has_replied(connection: socket.socket) -> bool:
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))


@contextmanager
def _connection(family: int, address: str | tuple[str, int], deadline: float) -> Iterator[socket.socket]:
    with _connect(*address, deadline) if isinstance(address, tuple) else socket.socket(family) as connection:
        if isinstance(address, str):
            connection.settimeout(CONNECT_TIMEOUT)
            connection.connect(address)
        _set_timeout(connection, deadline)
        yield connection


def _connect(host: str, port: int, deadline: float) -> socket.socket:
    """A connection to the first address of the host that accepts one."""
    problem: OSError = OSError("the host has no address")
    for *_, sockaddr in addresses(host, port, min(CONNECT_TIMEOUT, _remaining(deadline))):
        try:
            return socket.create_connection(sockaddr[:2], timeout=min(CONNECT_TIMEOUT, _remaining(deadline)))
        except OSError as error:
            problem = error
    raise problem


def _set_timeout(connection: socket.socket, deadline: float) -> None:
    connection.settimeout(_remaining(deadline))


def _remaining(deadline: float) -> float:
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise TimeoutError
    return remaining


def _read_reply(connection: socket.socket, deadline: float, *, until: bytes) -> bytes:
    reply = b""
    while until not in reply and len(reply) < MAX_REPLY:
        _set_timeout(connection, deadline)
        chunk = connection.recv(4096)
        if not chunk:
            break
        reply += chunk
    return reply
