"""The client on lines that break: nothing cut is taken for whole, nothing is sent twice, nothing waits for ever."""

from __future__ import annotations

import gzip
import hashlib
import io
import socket
import threading
import time
from collections.abc import Callable
from ipaddress import ip_network

import pytest

from imanage import documents, errors
from imanage.client import Client
from imanage.guard import Limits, build_session
from imanage.networks import AddressRules
from imanage.uploads import Upload
from tests.support.lines import Line, answering, line, ok, read_head, read_request, reset, silence

Behaviour = Callable[[socket.socket], None]
STORED = b'{"data": {"id": "Active!9.1", "version": 1, "name": "Deed", "extension": "docx"}}'
NETWORKS = (ip_network("127.0.0.0/8"),)
PACKED = gzip.compress(b'{"data": "' + b" " * 20_000_000 + b'"}')
QUICK = Limits(connect_seconds=1, read_seconds=1, total_seconds=2, stored_seconds=1, max_json_bytes=1_000_000)


def client(server: Line, limits: Limits = QUICK) -> Client:
    rules = AddressRules(ports=frozenset({server.port}), allow_http=True, networks=NETWORKS)
    return Client(build_session(rules, limits), f"http://127.0.0.1:{server.port}/api", "token")


def upload(size: int = 3_000_000) -> Upload:
    content = b"x" * size
    return Upload("Deed", "docx", size, hashlib.sha256(content).hexdigest(), lambda: io.BytesIO(content))


def then(act: Behaviour) -> Behaviour:
    """Read the head of a request, then act."""

    def behave(connection: socket.socket) -> None:
        read_head(connection)
        act(connection)

    return behave


def partly(connection: socket.socket, head: bytes, body: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n" + body)


def test_nobody_listens() -> None:
    with line(answering(b"")) as server:
        one = client(server)
    with pytest.raises(errors.Unreachable) as caught:
        one.json("GET", "libraries")
    assert caught.value.code == "imanage.unreachable.refused"
    with pytest.raises(errors.Unreachable):
        one.json("POST", "libraries", body={})


def test_a_server_that_never_answers_is_given_up() -> None:
    with line(then(silence)) as server:
        started = time.monotonic()
        with pytest.raises(errors.Unreachable) as caught:
            client(server).json("GET", "libraries")
        assert caught.value.code == "imanage.unreachable.silent"
        assert time.monotonic() - started < 3
        assert server.connections == 1


def test_a_trickle_is_given_up() -> None:
    def trickle(connection: socket.socket) -> None:
        partly(connection, b"Content-Length: 1000", b"")
        for _ in range(1000):
            connection.sendall(b" ")
            time.sleep(0.1)

    with line(then(trickle)) as server:
        started = time.monotonic()
        with pytest.raises(errors.Unreachable):
            client(server).json("GET", "libraries")
        assert time.monotonic() - started < 6


def endless(connection: socket.socket) -> None:
    partly(connection, b"Content-Type: application/json", b'{"data": "')
    while True:
        connection.sendall(b"x" * 65536)


def bomb(connection: socket.socket) -> None:
    partly(connection, b"Content-Encoding: gzip\r\nContent-Length: %d" % len(PACKED), PACKED)


@pytest.mark.parametrize("act", [endless, bomb])
def test_an_endless_answer_is_cut_off(act: Behaviour) -> None:
    with line(then(act)) as server, pytest.raises(errors.AnswerTooLarge):
        client(server).json("GET", "libraries")


def wide(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Wide: " + b"x" * 200_000 + b"\r\n\r\n{}")


def many(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n" + b"X-Many: y\r\n" * 1000 + b"\r\n{}")


def another_protocol(connection: socket.socket) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")


@pytest.mark.parametrize("act", [wide, many, another_protocol, reset])
def test_what_is_hardly_http_is_unreachable(act: Behaviour) -> None:
    with line(then(act)) as server, pytest.raises(errors.Unreachable):
        client(server).json("GET", "libraries")


def test_a_connection_closed_while_idle_is_not_noticed_by_anybody() -> None:
    def once(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(ok(b'{"data": []}'))

    with line(once) as server:
        one = client(server)
        for _ in range(3):
            assert one.json("GET", "libraries") == {"data": []}
            time.sleep(0.05)
        assert server.connections == 3


def test_a_json_answer_cut_short_is_asked_for_again() -> None:
    state = iter([True, False])

    def behave(connection: socket.socket) -> None:
        read_head(connection)
        if next(state):
            partly(connection, b"Content-Length: 100", b'{"data": [')
        else:
            connection.sendall(ok(b'{"data": []}'))

    with line(behave) as server:
        assert client(server).json("GET", "libraries") == {"data": []}
        assert server.connections == 2


def early_end(connection: socket.socket) -> None:
    partly(connection, b"Content-Length: 2000000", b"x" * 1_000_000)


def reset_late(connection: socket.socket) -> None:
    partly(connection, b"Content-Length: 2000000", b"x" * 1_999_999)
    time.sleep(0.1)
    reset(connection)


def stall(connection: socket.socket) -> None:
    partly(connection, b"Content-Length: 2000000", b"x" * 1_000_000)
    silence(connection)


def missing_last_chunk(connection: socket.socket) -> None:
    partly(connection, b"Transfer-Encoding: chunked", b"5\r\nhello\r\n")


def bad_chunk(connection: socket.socket) -> None:
    partly(connection, b"Transfer-Encoding: chunked", b"5\r\nhello\r\nzz\r\nworld\r\n0\r\n\r\n")


@pytest.mark.parametrize("act", [early_end, reset_late, stall, missing_last_chunk, bad_chunk])
def test_a_download_cut_short_is_never_whole(act: Behaviour) -> None:
    with (
        line(then(act)) as server,
        documents.download(client(server), "Active!1.1") as stream,
        pytest.raises(errors.CutStream),
    ):
        for _ in stream.chunks():
            pass
    assert server.connections == 1


def test_more_than_announced_does_not_reach_the_next_answer() -> None:
    def behave(connection: socket.socket) -> None:
        while True:
            read_head(connection)
            connection.sendall(ok(b'{"data": []}') + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")

    with line(behave) as server:
        one = client(server)
        for _ in range(2):
            assert one.json("GET", "libraries") == {"data": []}
            time.sleep(0.05)


def test_a_slow_download_can_be_stopped_between_small_pieces() -> None:
    def slowly(connection: socket.socket) -> None:
        partly(connection, b"Content-Length: 1000000", b"")
        for _ in range(100):
            connection.sendall(b"x" * 100)
            time.sleep(0.2)

    with line(then(slowly)) as server, documents.download(client(server), "Active!1.1") as stream:
        started = time.monotonic()
        assert 0 < len(next(stream.chunks())) < 5000
        assert time.monotonic() - started < 3


def test_an_upload_arrives_byte_for_byte() -> None:
    bodies: list[bytes] = []

    def store(connection: socket.socket) -> None:
        bodies.append(read_request(connection)[1])
        connection.sendall(ok(STORED))

    with line(store) as server:
        assert documents.create(client(server), "Active!427", upload()).document.id == "Active!9.1"
    assert b"\r\n\r\n" + b"x" * 3_000_000 + b"\r\n--" in bodies[0]


def no_answer(connection: socket.socket) -> None:
    read_request(connection)


def reset_after(connection: socket.socket) -> None:
    read_request(connection)
    reset(connection)


def silence_after(connection: socket.socket) -> None:
    read_request(connection)
    silence(connection)


def half_an_answer(connection: socket.socket) -> None:
    read_request(connection)
    partly(connection, b"Content-Length: 500", STORED[:20])


@pytest.mark.parametrize("behave", [no_answer, reset_after, silence_after, half_an_answer])
def test_a_lost_answer_is_unknown_and_sent_once(behave: Behaviour) -> None:
    with line(behave) as server:
        with pytest.raises(errors.OutcomeUnknown):
            documents.create(client(server), "Active!427", upload())
        assert server.connections == 1


def test_a_connection_that_broke_before_the_first_byte_lost_nothing() -> None:
    with line(reset) as server:
        rules = AddressRules(ports=frozenset({server.port}), networks=NETWORKS)
        one = Client(build_session(rules, QUICK), f"https://127.0.0.1:{server.port}/api", "token")
        with pytest.raises(errors.Unreachable):
            documents.create(one, "Active!427", upload())


def test_a_refusal_while_sending_is_heard() -> None:
    def too_large(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        time.sleep(0.3)

    with line(too_large) as server:
        with pytest.raises(errors.TooLarge):
            documents.create(client(server), "Active!427", upload(30_000_000))
        assert server.connections == 1


def test_a_stop_leaves_the_server_with_less_than_it_was_promised() -> None:
    received: list[int] = []
    ended = threading.Event()

    def count(connection: socket.socket) -> None:
        total = 0
        while piece := connection.recv(65536):
            total += len(piece)
        received.append(total)
        ended.set()

    base = upload(10_000_000)
    sent: list[int] = []
    stopping = Upload(
        base.name,
        base.extension,
        base.size,
        base.sha256,
        base.open,
        on_progress=sent.append,
        should_stop=lambda: len(sent) >= 2,
    )
    with line(count) as server:
        with pytest.raises(errors.Stopped):
            documents.create(client(server), "Active!427", stopping)
        assert ended.wait(3)
    assert received[0] < base.size


def test_a_slow_reader_is_waited_for_longer_than_a_connection() -> None:
    def slow_reader(connection: socket.socket) -> None:
        time.sleep(1.2)
        read_request(connection)
        connection.sendall(ok(STORED))

    patient = Limits(connect_seconds=0.5, read_seconds=5, stored_seconds=5)
    with line(slow_reader) as server:
        stored = documents.create(client(server, patient), "Active!427", upload(20_000_000))
        assert stored.document.version == 1
