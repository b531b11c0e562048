"""The web server over the network, alone and under gunicorn: bodies, files, stalled peers and shutdown."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import pytest

from tests.support.stack import until
from tests.support.web import (
    FLASK,
    FORM,
    Installation,
    Web,
    form_of,
    install,
    own_memory,
    read_all,
    read_head,
    serving,
    status,
    upload,
    upload_head,
)

GUNICORN = ("-m", "gunicorn", "app:create_web()", "--threads", "4", "--bind", "127.0.0.1:PORT")
UP = (*FLASK[:-1], "up")
SIZE = 64 << 20
LARGE = 5_000_000_000
PEERS = 64


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return install(tmp_path_factory.mktemp("web"), SIZE)


@pytest.fixture(scope="module", params=[FLASK, GUNICORN], ids=["web", "gunicorn"])
def command(request: pytest.FixtureRequest) -> tuple[str, ...]:
    found: tuple[str, ...] = request.param
    return found


@pytest.fixture(scope="module")
def web(installation: Installation, command: tuple[str, ...]) -> Iterator[Web]:
    with serving(installation, *command) as found:
        yield found


SMALL_ADDRESSES = ["/sign-in", "/matters/new", "/nowhere", "/static/mark.svg", "/health/live", "/account"]


@pytest.mark.parametrize("length", [1024 * 1024 + 1, LARGE, 1 << 70])
@pytest.mark.parametrize("path", [*SMALL_ADDRESSES, "upload"])
@pytest.mark.parametrize("method", ["POST", "GET", "PUT"])
def test_a_large_anonymous_body_is_refused_at_its_headers(
    web: Web, method: str, path: str, length: int
) -> None:
    """The response comes before any byte of the body is sent."""
    path = web.installation.upload if path == "upload" else path
    with web.connect() as peer:
        peer.sendall(web.head(method, path, Content_Length=length, Content_Type=FORM))
        answer = read_all(peer)
        assert answer.startswith(
            (b"HTTP/1.1 302", b"HTTP/1.1 401", b"HTTP/1.1 404", b"HTTP/1.1 405", b"HTTP/1.1 413")
        ), answer[:200]
        assert b"connection: close" in answer.lower()
    assert web.spooled() == 0


def test_a_refused_body_is_not_spooled(web: Web) -> None:
    for path in ("/sign-in", web.installation.upload):
        with web.connect() as peer:
            peer.sendall(web.head("POST", path, Content_Length=LARGE, Content_Type=FORM))
            with suppress(OSError):  # refused by now
                for _ in range(64):
                    peer.sendall(b"x" * (1 << 20))
                    assert web.spooled() == 0
            assert status(peer) in {401, 413}


@pytest.mark.parametrize("path", ["/sign-in", "upload"])
def test_an_anonymous_body_of_unknown_length_ends_at_one_mib(web: Web, path: str) -> None:
    path = web.installation.upload if path == "upload" else path
    with web.connect() as peer:
        peer.sendall(web.head("POST", path, Transfer_Encoding="chunked", Content_Type=FORM))
        with suppress(OSError):
            for _ in range(8):
                peer.sendall(b"100000\r\n" + b"x" * (1 << 20) + b"\r\n")
        assert status(peer) in {400, 401, 413}
        assert web.spooled() < 2 << 20


def test_an_unauthorized_upload_is_refused_before_the_body(web: Web) -> None:
    eve, ann = web.installation.eve, web.installation.ann
    for head, expected in [
        (upload_head(web, LARGE, eve), b"404"),
        (upload_head(web, LARGE, ann, X_CSRFToken="wrong"), b"400"),
        (upload_head(web, LARGE, ann, X_CSRFToken=""), b"400"),
        (web.head("POST", web.installation.upload, ann, Content_Length=LARGE, Content_Type=FORM), b"400"),
        (upload_head(web, LARGE, ann, Origin="https://elsewhere.test"), b"400"),
        (upload_head(web, 6 << 30, ann), b"413"),
        (upload_head(web, None, eve), b"404"),
        (upload_head(web, None, ann, X_CSRFToken="wrong"), b"400"),
        (upload_head(web, None, eve, X_CSRFToken="", Content_Length="5"), b"400"),
    ]:
        with web.connect() as peer:
            peer.sendall(head)
            answer = read_all(peer)
            assert answer.split()[1] == expected, answer[:100]
    assert web.spooled() == 0


@pytest.mark.parametrize("size", [1000, 3 << 20])
@pytest.mark.parametrize("chunked", [False, True])
def test_an_authorized_upload_is_read_in_full(web: Web, size: int, chunked: bool) -> None:
    body = form_of(b"a" * size, f"Sent {size} {chunked} {web.port}.bin")
    sent = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if chunked else body
    with web.connect() as peer:
        peer.sendall(upload_head(web, None if chunked else len(body)) + sent)
        assert status(peer) == 303
        peer.sendall(web.head("GET", "/health/live"))  # the connection is kept
        assert status(peer) == 200


def test_expect_continue_is_answered_only_if_authorized(web: Web) -> None:
    body = form_of(b"b" * (2 << 20), f"Asked {web.port}.bin")
    with web.connect() as peer:
        peer.sendall(upload_head(web, len(body), Expect="100-continue"))
        assert read_head(peer) == b"HTTP/1.1 100 Continue\r\n\r\n"
        peer.sendall(body)
        assert status(peer) == 303
    with web.connect() as peer:
        peer.sendall(upload_head(web, len(body), web.installation.eve, Expect="100-continue"))
        assert status(peer) == 404


def test_pages_answer_while_every_peer_stalls(web: Web) -> None:
    """Stalled readers of pages and files, some with pipelined requests, stalled uploads and unfinished headers."""
    ann = web.installation.ann
    download = web.head("GET", web.installation.download, ann)
    ranged = web.head("GET", web.installation.download, ann, Range="bytes=1-")
    with ExitStack() as peers:
        for number in range(PEERS):
            reader = peers.enter_context(web.connect(receive_buffer=4096))
            reader.sendall(
                [download, ranged, download + download, download + web.head("GET", "/", ann)][number % 4]
            )
            uploader = peers.enter_context(web.connect())
            uploader.sendall(upload_head(web, 10 << 20) + form_of(b"c" * 5000)[:5000])
            headless = peers.enter_context(web.connect())
            headless.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
        for _ in range(20):
            assert web.page() == 200
        with web.connect() as peer:
            peer.sendall(web.head("GET", web.installation.download, ann, Connection="close"))
            assert len(read_all(peer)) > SIZE


def test_downloads_and_ranges_are_complete(web: Web) -> None:
    ann = web.installation.ann
    with web.connect() as peer:
        peer.sendall(web.head("GET", web.installation.download, ann))
        assert status(peer) == 200
        whole = read_exactly(peer, SIZE)
        peer.sendall(web.head("GET", web.installation.download, ann, Range="bytes=1000000-5000000"))
        assert status(peer) == 206
        assert read_exactly(peer, 4_000_001) == whole[1_000_000:5_000_001]
        peer.sendall(web.head("HEAD", web.installation.download, ann))
        assert status(peer) == 200
        peer.sendall(web.head("GET", "/static/mark.svg"))
        assert status(peer) == 200


@pytest.mark.parametrize("started", [FLASK, GUNICORN, UP], ids=["web", "gunicorn", "up"])
def test_open_requests_finish_before_it_stops(installation: Installation, started: tuple[str, ...]) -> None:
    with serving(installation, *started) as web, ExitStack() as peers:
        ann = web.installation.ann
        reader, uploader, idle = (peers.enter_context(web.connect()) for _ in range(3))
        idle.sendall(web.head("GET", "/health/live"))
        assert status(idle) == 200
        reader.sendall(web.head("GET", installation.download, ann))
        assert status(reader) == 200
        body = form_of(b"d" * (3 << 20), f"While stopping {web.port}.bin")
        uploader.sendall(upload_head(web, len(body)) + body[: 2 << 20])
        until(lambda: web.spooled() > 1 << 20, "the beginning of the upload")

        stopped = web.process.running
        assert stopped is not None
        stopped.send_signal(signal.SIGTERM)
        until(lambda: is_refused(web.port), "the end of listening")
        assert stopped.poll() is None
        read_all(idle)  # closed, since it has no open request
        assert len(read_exactly(reader, SIZE)) == SIZE
        uploader.sendall(body[2 << 20 :])
        answer = read_all(uploader)
        assert answer.split()[1] == b"303" and b"Connection: close" in answer
        assert stopped.wait(20) == 0


@pytest.mark.parametrize("started", [FLASK, UP], ids=["web", "up"])
def test_a_second_signal_cuts_open_requests(installation: Installation, started: tuple[str, ...]) -> None:
    with serving(installation, *started) as web, web.connect(receive_buffer=4096) as reader:
        reader.sendall(web.head("GET", installation.download, installation.ann))
        assert status(reader) == 200
        stopped = web.process.running
        assert stopped is not None
        stopped.send_signal(signal.SIGTERM)
        until(lambda: is_refused(web.port), "the end of listening")
        assert stopped.poll() is None
        stopped.send_signal(signal.SIGTERM)
        assert stopped.wait(20) == 0


@pytest.mark.parametrize("command", [FLASK, GUNICORN[:-2]], ids=["web", "gunicorn"])
def test_two_colons_listen_on_ipv4_and_ipv6(installation: Installation, command: tuple[str, ...]) -> None:
    with serving(installation, *command, COUNTERPART_HOST="::") as web:
        for address in ("127.0.0.1", "::1"):
            with socket.create_connection((address, web.port), 10) as peer:
                peer.sendall(web.head("GET", "/health/live", Connection="close"))
                assert status(peer) == 200


def test_memory_is_released_after_uploads(installation: Installation) -> None:
    """Forty-eight uploads in sixteen threads."""
    with serving(installation, *FLASK) as web, ThreadPoolExecutor(16) as people:
        for _ in range(32):
            assert web.page() == 200
        (pid,) = web.pids()
        before = own_memory(pid)
        names = [f"Heap {web.port} {number}.bin" for number in range(48)]
        list(people.map(lambda name: upload(web, name, 8), names))
        assert own_memory(pid) - before < 20


def read_exactly(peer: socket.socket, size: int) -> bytes:
    found = bytearray()
    while len(found) < size:
        piece = peer.recv(min(1 << 20, size - len(found)))
        assert piece, f"The connection ended after {len(found)} bytes."
        found += piece
    return bytes(found)


def is_refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return False
