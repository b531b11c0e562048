"""Virus scanners, each asked in its own way: clamd over a socket (INSTREAM), ICAP (RFC 3507, RESPMOD), or a command.

Whatever is not a clear answer is no answer: ScannerUnavailableError. A call has one deadline for all of it.
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

PIECE = 256 * 1024
CONNECT_SECONDS = 5.0
SECONDS = 60.0
BYTES_A_SECOND = 4 * 1024**2
"""The deadline grows with the file by this pace."""
MOST_SAID = 16 * 1024
LONGEST_NAME = 100
ICAP_PORT = 1344
FOUND_IN = ("x-infection-found", "x-virus-id", "x-violations-found")


class ScannerUnavailableError(Exception):
    """It could not be asked, or did not answer as a scanner does. The message is for the log."""


class TooLargeToScanError(ScannerUnavailableError):
    """The scanner takes no file of this size."""


def scan(url: str, pieces: Iterable[bytes], size: int) -> str | None:
    """What was found in the bytes, in the scanner's words; None where nothing was. Raises ScannerUnavailableError."""
    deadline = time.monotonic() + SECONDS + size / BYTES_A_SECOND
    scheme = urlsplit(url).scheme
    ask = {"clamd": _clamd, "icap": _icap, "command": _command}[scheme]
    try:
        found = ask(url, pieces, deadline)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise ScannerUnavailableError(f"{scheme}: {type(error).__name__}") from error
    return None if found is None else (clean_line(found)[:LONGEST_NAME] or "something")


def _clamd(url: str, pieces: Iterable[bytes], deadline: float) -> str | None:
    with _connected(socket.AF_UNIX, urlsplit(url).path, deadline) as line:
        line.sendall(b"zINSTREAM\0")
        # It answers and hangs up as soon as a file is too large for it: its answer says so.
        with suppress(BrokenPipeError, ConnectionResetError):
            for piece in pieces:
                _until(line, deadline)
                line.sendall(struct.pack("!I", len(piece)) + piece)
            line.sendall(struct.pack("!I", 0))
        said = _read(line, deadline, until=b"\0").rstrip(b"\0").decode(errors="replace").strip()
    if said == "stream: OK":
        return None
    if said.startswith("stream: ") and said.endswith(" FOUND"):
        return said.removeprefix("stream: ").removesuffix(" FOUND")
    if "size limit exceeded" in said:
        raise TooLargeToScanError(said[:200])
    raise ScannerUnavailableError(f"clamd: {said[:200]!r}")


def _icap(url: str, pieces: Iterable[bytes], deadline: float) -> str | None:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or ICAP_PORT
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n"
    request = (
        f"RESPMOD icap://{host}:{port}{parts.path} ICAP/1.0\r\nHost: {host}:{port}\r\nAllow: 204\r\n"
        f"Connection: close\r\nEncapsulated: res-hdr=0, res-body={len(answer)}\r\n\r\n"
    )
    with _connected(socket.AF_INET, (host, port), deadline) as line:
        line.sendall(request.encode("ascii") + answer)
        is_sent = False
        with suppress(BrokenPipeError, ConnectionResetError):
            for piece in pieces:
                _until(line, deadline)
                line.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            # What it says before it can have all is said of a part; no preview was agreed on.
            is_early = _has_spoken(line)
            line.sendall(b"0\r\n\r\n")
            is_sent = not is_early
        head = _read(line, deadline, until=b"\r\n\r\n").partition(b"\r\n\r\n")[0].decode(errors="replace")
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
        # With 204 allowed, an answer of its own means that the file is not to pass.
        return next(
            (headers[name] for name in FOUND_IN if headers.get(name)), "something that is not let through"
        )
    raise ScannerUnavailableError(f"icap: {status[:200]!r}")


def _command(url: str, pieces: Iterable[bytes], deadline: float) -> str | None:
    """The file comes on its standard input. Exit 0 with all of it read: clean; 1: found, its first line says what.

    Whatever else it does is no answer.
    """
    with (
        ExitStack() as kept,
        subprocess.Popen(
            [urlsplit(url).path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process,
    ):
        assert process.stdin and process.stdout
        late = threading.Timer(max(0.0, deadline - time.monotonic()), process.kill)
        late.start()
        try:
            unread = -1
            with suppress(BrokenPipeError), process.stdin as to_it:
                for piece in pieces:
                    to_it.write(piece)
                to_it.flush()
                unread = _other_end(to_it)
                kept.callback(os.close, unread)
            said = process.stdout.read(MOST_SAID)
            status = process.wait(max(0.1, deadline - time.monotonic()))
        finally:
            late.cancel()
            if process.poll() is None:
                process.kill()
        is_read = unread >= 0 and _waiting_in(unread) == 0
    if status == 0 and not is_read:
        raise ScannerUnavailableError("command: exit 0 without having read the whole file")
    if status == 0:
        return None
    if status == 1:
        return (said.decode(errors="replace").strip().splitlines() or ["something"])[0]
    raise ScannerUnavailableError(f"command: exit {status}")


def _other_end(to_it: IO[bytes]) -> int:
    """Of a pipe, to look into when whoever reads from it is gone. It must be closed."""
    return os.open(f"/proc/self/fd/{to_it.fileno()}", os.O_RDONLY | os.O_CLOEXEC)


def _waiting_in(pipe: int) -> int:
    """Bytes that nobody has read."""
    return int(struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))[0])


def _has_spoken(line: socket.socket) -> bool:
    looking = select.poll()
    looking.register(line, select.POLLIN)
    return bool(looking.poll(0))


@contextmanager
def _connected(family: int, address: str | tuple[str, int], deadline: float) -> Iterator[socket.socket]:
    with _dialled(*address, deadline) if isinstance(address, tuple) else socket.socket(family) as line:
        if isinstance(address, str):
            line.settimeout(CONNECT_SECONDS)
            line.connect(address)
        _until(line, deadline)
        yield line


def _dialled(host: str, port: int, deadline: float) -> socket.socket:
    """Connected to the first of the name's addresses that answers."""
    problem: OSError = OSError("the name has no address")
    for *_, place in addresses(host, port, min(CONNECT_SECONDS, _left(deadline))):
        try:
            return socket.create_connection(place[:2], timeout=min(CONNECT_SECONDS, _left(deadline)))
        except OSError as error:
            problem = error
    raise problem


def _until(line: socket.socket, deadline: float) -> None:
    line.settimeout(_left(deadline))


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _read(line: socket.socket, deadline: float, *, until: bytes) -> bytes:
    said = b""
    while until not in said and len(said) < MOST_SAID:
        _until(line, deadline)
        piece = line.recv(4096)
        if not piece:
            break
        said += piece
    return said
