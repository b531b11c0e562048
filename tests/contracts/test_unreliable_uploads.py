"""Uploads on unreliable connections: after a lost response the outcome is unknown, and nothing is sent twice."""

from __future__ import annotations

import hashlib
import io
import socket
import threading
import time
from ipaddress import ip_network

import pytest

from copying.errors import StoppedError
from imanage import documents, errors
from imanage.client import Client
from imanage.guard import Limits, build_session
from imanage.ids import VersionId
from imanage.networks import AddressRules
from imanage.uploads import Upload
from tests.support.loopback_servers import (
    Behaviour,
    Line,
    line,
    ok,
    partly,
    read_head,
    read_request,
    reset,
    silence,
)

STORED = b'{"data": {"id": "Active!9.1", "version": 1, "name": "Deed", "extension": "docx"}}'
NETWORKS = (ip_network("127.0.0.0/8"),)
QUICK = Limits(connect_seconds=1, read_seconds=1, upload_response_seconds=1)


def client(server: Line, limits: Limits = QUICK) -> Client:
    rules = AddressRules(ports=frozenset({server.port}), allow_http=True, networks=NETWORKS)
    return Client(build_session(rules, limits), f"http://127.0.0.1:{server.port}/api", "token")


def upload(size: int = 3_000_000) -> Upload:
    content = b"x" * size
    return Upload("Deed", "docx", size, hashlib.sha256(content).hexdigest(), lambda: io.BytesIO(content))


def test_an_upload_arrives_byte_for_byte() -> None:
    bodies: list[bytes] = []

    def store(connection: socket.socket) -> None:
        bodies.append(read_request(connection)[1])
        connection.sendall(ok(STORED))

    with line(store) as server:
        assert documents.create(client(server), "Active!427", upload()).document.id == VersionId(
            "Active", 9, 1
        )
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
        with pytest.raises(errors.OutcomeUnknownError):
            documents.create(client(server), "Active!427", upload())
        assert server.connections == 1


def test_a_connection_broken_before_the_first_byte_is_unreachable() -> None:
    with line(reset) as server:
        rules = AddressRules(ports=frozenset({server.port}), networks=NETWORKS)
        one = Client(build_session(rules, QUICK), f"https://127.0.0.1:{server.port}/api", "token")
        with pytest.raises(errors.UnreachableError):
            documents.create(one, "Active!427", upload())


def test_a_refusal_while_sending_is_reported() -> None:
    def too_large(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        time.sleep(0.3)

    with line(too_large) as server:
        with pytest.raises(errors.TooLargeError):
            documents.create(client(server), "Active!427", upload(30_000_000))
        assert server.connections == 1


def test_a_stopped_upload_is_left_incomplete() -> None:
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

    def require_not_stopped() -> None:
        if len(sent) >= 2:
            raise StoppedError("The transfer was cancelled.")

    stopping = Upload(
        base.name,
        base.extension,
        base.size,
        base.sha256,
        base.open,
        on_progress=sent.append,
        require_not_stopped=require_not_stopped,
    )
    with line(count) as server:
        with pytest.raises(StoppedError):
            documents.create(client(server), "Active!427", stopping)
        assert ended.wait(3)
    assert received[0] < base.size


def test_a_slow_reader_may_take_longer_than_connecting() -> None:
    def slow_reader(connection: socket.socket) -> None:
        time.sleep(1.2)
        read_request(connection)
        connection.sendall(ok(STORED))

    patient = Limits(connect_seconds=0.5, read_seconds=5, upload_response_seconds=5)
    with line(slow_reader) as server:
        stored = documents.create(client(server, patient), "Active!427", upload(20_000_000))
        assert stored.document.version == 1
