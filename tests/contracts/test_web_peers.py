"""The web server's loop against stalled, slow and malformed peers, and files that are slow to read."""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from commands import web_channel
from commands.sockets import listen
from commands.web_server import Web
from tests.support import stores
from tests.support.stack import until
from tests.support.web import FLASK, install, read_all, read_head, serving, status

SIZE = 32 << 20
GET = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class RemoteFile:
    """A file that can only be read forwards and returns nothing until `open` is set."""

    def __init__(self, size: int, truncated_at: int | None = None) -> None:
        self.left = size if truncated_at is None else truncated_at
        self.open = threading.Event()
        self.is_closed = False

    def read(self, size: int) -> bytes:
        self.open.wait(30)
        count = min(size, self.left, 300_000)
        self.left -= count
        return b"f" * count

    def close(self) -> None:
        self.is_closed = True


def serving_file(file: Any, size: int = SIZE) -> Application:
    """An application with the file at `/` and a page everywhere else."""

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/":
            environ["wsgi.input"].read()
            start_response("200 OK", [("Content-Length", "4")])
            return [b"page"]
        start_response("200 OK", [("Content-Length", str(size))])
        wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](file, 1024)
        return wrapped

    return application


@contextmanager
def running(application: Application, threads: int = 2) -> Iterator[int]:
    (listening,) = listen("127.0.0.1", 0)
    port: int = listening.getsockname()[1]
    web = Web(application, [listening], threads=threads)
    loop = threading.Thread(target=web.run)
    loop.start()
    try:
        yield port
    finally:
        web.stop()
        web.stop()
        loop.join(20)
        assert not loop.is_alive()


def connect(port: int, receive_buffer: int = 0) -> socket.socket:
    peer = socket.socket()
    if receive_buffer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    peer.settimeout(30)
    peer.connect(("127.0.0.1", port))
    return peer


def page(port: int) -> int:
    with connect(port) as peer:
        peer.sendall(GET.replace(b"/ ", b"/page ", 1))
        return status(peer)


def is_closed_by_server(peer: socket.socket) -> bool:
    """Whether the other side has closed the connection."""
    try:
        return peer.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_channel, "STALL_SECONDS", 1.0)


def test_a_stalled_reader_is_disconnected(impatient: None) -> None:
    file = io.BytesIO(b"x" * SIZE)
    with running(serving_file(file)) as port, connect(port, 4096) as peer:
        peer.sendall(GET)
        until(lambda: file.closed, "the end of the answer")
        with suppress(ConnectionResetError):  # either way the peer sees that it is incomplete
            assert len(read_all(peer)) < SIZE


def test_a_slow_reader_is_not_disconnected(impatient: None) -> None:
    with running(serving_file(io.BytesIO(b"x" * SIZE))) as port, connect(port, 4096) as peer:
        peer.sendall(GET)
        taken = 0
        for _ in range(6):
            time.sleep(0.5)
            taken += len(peer.recv(1 << 20))
        while piece := peer.recv(1 << 20):
            taken += len(piece)
            if taken > SIZE:
                break
        assert taken > SIZE


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nHost: here\r\n",
        b"POST /page HTTP/1.1\r\nHost: here\r\nContent-Length: 1000\r\n\r\nhalf",
        b"POST /page HTTP/1.1\r\nHost: here\r\nContent-Length: 9000000\r\n\r\nhalf",
        b"POST /page HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhalf",
    ],
)
def test_a_stalled_sender_is_disconnected(impatient: None, sent: bytes) -> None:
    with running(serving_file(None)) as port, connect(port) as peer:
        peer.sendall(sent)
        until(lambda: is_closed_by_server(peer), "the end of the connection")
        assert page(port) == 200


CHUNKED = b"POST /page HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n"


def test_100_continue_is_sent_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread sends it while the loop takes the queue for empty: both must not send the same bytes."""
    send, sending = web_channel.Channel.send, threading.Event()

    def slow_send(channel: web_channel.Channel, data: bytes, do_close: bool = True) -> Any:
        if data.startswith(b"HTTP/1.1 100"):
            sending.set()
            time.sleep(0.3)
        return send(channel, data, do_close=do_close)

    monkeypatch.setattr(web_channel.Channel, "send", slow_send)
    with running(serving_file(None)) as port, connect(port) as peer:
        peer.sendall(CHUNKED + b"Expect: 100-continue\r\n\r\n")
        assert sending.wait(10)
        assert page(port) == 200  # which wakes the loop
        assert read_head(peer) == b"HTTP/1.1 100 Continue\r\n\r\n"
        peer.sendall(b"4\r\nbody\r\n0\r\n\r\n")
        assert status(peer) == 200


@pytest.mark.parametrize(
    "chunks",
    [
        b"1;" + b"x" * 200_000,
        b"1\r\na\r\n0\r\nX: " + b"y" * 200_000,
        b"\r\n" * 100_000,
        b"1\r\na\r\n" * 30_000,
    ],
    ids=[
        "a size line without end",
        "a trailer without end",
        "lines without chunks",
        "more framing than content",
    ],
)
def test_chunk_framing_is_limited(chunks: bytes) -> None:
    """It is not part of the body, so the limit on the body does not cover it."""
    with running(serving_file(None)) as port, connect(port) as peer:
        with suppress(OSError):
            for start in range(0, len(chunks), 10_000):
                peer.sendall((b"" if start else CHUNKED + b"\r\n") + chunks[start : start + 10_000])
                time.sleep(0.01)
        peer.settimeout(5)
        with suppress(ConnectionError):  # bytes sent after the response may reset the connection
            assert status(peer) == 413
        assert page(port) == 200


def test_many_small_chunks_of_a_small_body_are_accepted() -> None:
    with running(serving_file(None)) as port, connect(port) as peer:
        peer.sendall(CHUNKED + b"\r\n" + b"1\r\na\r\n" * 5000 + b"0\r\n\r\n")
        assert status(peer) == 200


@pytest.mark.parametrize(
    "head",
    [
        CHUNKED + b"Content-Length: 5\r\n\r\n",
        CHUNKED.replace(b"/1.1", b"/1.0") + b"Connection: keep-alive\r\n\r\n",
        CHUNKED.replace(b"/1.1", b"/1.2") + b"Connection: keep-alive\r\n\r\n",
        b"POST /page HTTP/1.1\r\nHost: here\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
        b"GET http://[::1/page HTTP/1.1\r\nHost: here\r\n\r\n",
    ],
    ids=[
        "two lengths",
        "chunks in HTTP/1.0",
        "chunks in HTTP/1.2",
        "a length of 5,000 digits",
        "half an address",
    ],
)
def test_an_ambiguous_or_malformed_head_is_refused(head: bytes, caplog: pytest.LogCaptureFixture) -> None:
    with running(serving_file(None)) as port, connect(port) as peer:
        peer.sendall(head)
        assert status(peer) == 400
    assert not caplog.records


def test_trickling_headers_are_disconnected(impatient: None) -> None:
    with running(serving_file(None)) as port, connect(port) as peer:
        peer.sendall(b"GET / HTTP/1.1\r\n")
        with pytest.raises(OSError):
            for number in range(300):
                peer.sendall(b"X-%d: y\r\n" % number)
                time.sleep(0.1)


def test_a_slow_application_is_not_disconnected(impatient: None) -> None:
    def application(_environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        time.sleep(3)
        start_response("200 OK", [("Content-Length", "4")])
        return [b"slow"]

    with running(application) as port, connect(port) as peer:
        peer.sendall(GET)
        assert status(peer) == 200


def test_remote_files_occupy_no_page_threads() -> None:
    """More of them than threads of either kind, none of which returns anything yet."""
    files = [RemoteFile(SIZE) for _ in range(12)]
    left = iter(files)

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        file = next(left) if environ["PATH_INFO"] == "/" else None
        return serving_file(file)(environ, start_response)

    with running(application) as port, ExitStack() as peers:
        waiting = [peers.enter_context(connect(port)) for _ in files]
        for peer in waiting:
            peer.sendall(GET)
        assert page(port) == 200
        for file in files:
            file.open.set()
        for peer in waiting:
            assert status(peer) == 200
            taken = 0
            while taken < SIZE:
                piece = peer.recv(1 << 20)
                assert piece
                taken += len(piece)
        until(lambda: all(file.is_closed for file in files), "the end of the files")


def test_a_truncated_file_is_never_sent_as_complete() -> None:
    file = RemoteFile(SIZE, truncated_at=1_000_000)
    file.open.set()
    with running(serving_file(file)) as port, connect(port) as peer:
        peer.sendall(GET)
        assert len(read_all(peer)) < SIZE
        until(lambda: file.is_closed, "the end of the file")


def test_a_slow_file_is_closed_with_its_reader(impatient: None) -> None:
    file = RemoteFile(SIZE)
    with running(serving_file(file)) as port, connect(port) as peer:
        peer.sendall(GET)
        until(lambda: is_closed_by_server(peer) or status(peer) == 200, "the beginning of the answer")
        until(lambda: is_closed_by_server(peer), "the end of the connection")
        file.open.set()
        until(lambda: file.is_closed, "the end of the file")


def test_object_store_documents_occupy_no_page_threads(tmp_path: Path) -> None:
    with stores.seaweed(tmp_path / "weed") as s3, ExitStack() as peers:
        stores.bucket(s3, tmp_path / "spool")
        place = {"COUNTERPART_STORAGE_URL": "s3://blobs/installation", **stores.options_of(s3)}
        installation = install(tmp_path, SIZE, **place)
        web = peers.enter_context(serving(installation, *FLASK, **place))
        get = web.head("GET", installation.download, installation.ann)
        for _ in range(64):
            peers.enter_context(web.connect(receive_buffer=4096)).sendall(get)
        assert web.page() == 200
        with web.connect() as peer:
            peer.sendall(web.head("GET", installation.download, installation.ann, Connection="close"))
            assert status(peer) == 200
            assert len(read_all(peer)) == SIZE


def test_it_serves_with_more_than_a_thousand_open_files() -> None:
    with running(serving_file(None)) as port, ExitStack() as files:
        for _ in range(1100):
            files.enter_context(Path("/dev/null").open("rb"))
        assert page(port) == 200


def test_it_serves_with_more_connections_than_select_supports() -> None:
    """Both ends of each connection are open files of this process, more than 1,024 in all."""
    with running(serving_file(io.BytesIO())) as port, ExitStack() as peers:
        for _ in range(600):
            peers.enter_context(connect(port))
        until(lambda: len(list(Path("/proc/self/fd").iterdir())) > 1200, "600 connections at both ends")
        assert page(port) == 200
