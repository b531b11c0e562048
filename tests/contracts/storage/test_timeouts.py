"""A request to an object store that stalls or trickles times out with StorageFailedError."""

from __future__ import annotations

import socket
import time
from datetime import timedelta
from pathlib import Path

import pytest

from storage import opening
from storage.errors import StorageFailedError
from storage.ports import BlobStore
from tests.support.loopback_servers import Behaviour, line, read_head, silence
from tests.support.stores import options_of

DIGEST = "0" * 64
TIMES = timedelta(seconds=0.5)


def drip(connection: socket.socket, data: bytes) -> None:
    for sign in data:
        connection.sendall(bytes([sign]))
        time.sleep(0.1)


def headers_drip(connection: socket.socket) -> None:
    read_head(connection)
    drip(connection, b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 1000)


def body_drips(connection: socket.socket) -> None:
    """Sends the correct headers of an object, and then its bytes one by one."""
    whole = b'HTTP/1.1 200 OK\r\nLast-Modified: Mon, 30 Nov 2026 10:00:00 GMT\r\nETag: "x"\r\n'
    whole += b"Content-Length: 1000\r\n\r\n"
    while True:
        head = read_head(connection)
        connection.sendall(
            whole
            if head.startswith(b"HEAD")
            else whole.replace(b"200 OK", b"206 Part", 1).replace(
                b"\r\n\r\n", b"\r\nContent-Range: bytes 0-999/1000\r\n\r\n"
            )
        )
        if not head.startswith(b"HEAD"):
            drip(connection, b"x" * 1000)


def read(store: BlobStore) -> None:
    with store.open(DIGEST) as reader:
        for _ in reader:
            pass


@pytest.mark.parametrize("behave", [silence, headers_drip, body_drips])
def test_a_request_that_stalls_or_trickles_times_out(
    behave: Behaviour, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each byte arrives soon after the last, but the whole request has a timeout."""
    monkeypatch.setattr(opening, "REQUEST_TIMEOUT", TIMES)
    monkeypatch.setattr(opening, "MAX_RETRIES", 1)
    with line(behave) as server:
        store = opening.open_store("s3://blobs", options=options_of(server.port), spool=tmp_path)
        began = time.monotonic()
        with pytest.raises(StorageFailedError):
            read(store)
        assert time.monotonic() - began < 30
        assert server.connections
