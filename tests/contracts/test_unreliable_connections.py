"""The client on unreliable connections: nothing truncated is complete, nothing is sent twice, every wait ends."""

from __future__ import annotations

import contextlib
import gc
import gzip
import json
import random
import select
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest
import requests

from imanage import documents, errors
from imanage.client import Client
from imanage.deadlines import within
from imanage.guard import Cap, Limits, build_session
from imanage.ids import VersionId
from imanage.networks import AddressRules
from tests.support.loopback_servers import (
    Behaviour,
    Line,
    answering,
    certificate,
    line,
    ok,
    partly,
    read_head,
    read_request,
    reset,
    silence,
)

NETWORKS = (ip_network("127.0.0.0/8"),)
PACKED = gzip.compress(b'{"data": "' + b" " * 20_000_000 + b'"}')
QUICK = Limits(connect_seconds=1, read_seconds=1, total_seconds=2, listing=Cap(1_000_000, 10_000))


def rules_of(server: Line) -> AddressRules:
    return AddressRules(ports=frozenset({server.port}), allow_http=True, networks=NETWORKS)


def client(server: Line, limits: Limits = QUICK) -> Client:
    return Client(build_session(rules_of(server), limits), f"http://127.0.0.1:{server.port}/api", "token")


def test_a_connection_that_is_reset_before_the_handshake_is_closed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sock = socket.create_connection(listener.getsockname())
        accepted, _ = listener.accept()
        reset(accepted)

        select.select([sock], [], [], 5)
        with pytest.raises(ConnectionResetError):
            build_session(AddressRules(networks=NETWORKS)).trust.wrap_socket(sock, server_hostname="here")
        gc.collect()  # an open socket is an error of this test


def then(act: Behaviour) -> Behaviour:
    """Read the head of a request, then act."""

    def behave(connection: socket.socket) -> None:
        read_head(connection)
        act(connection)

    return behave


def test_a_refused_connection_is_unreachable() -> None:
    with line(answering(b"")) as server:
        one = client(server)
    with pytest.raises(errors.UnreachableError) as caught:
        one.json("GET", "libraries")
    assert caught.value.code == "imanage.unreachable.refused"
    with pytest.raises(errors.UnreachableError):
        one.json("POST", "libraries", body={})


def test_a_server_that_never_answers_times_out() -> None:
    with line(then(silence)) as server:
        started = time.monotonic()
        with pytest.raises(errors.UnreachableError) as caught:
            client(server).json("GET", "libraries")
        assert caught.value.code == "imanage.unreachable.silent"
        assert time.monotonic() - started < 10
        assert server.connections == 1


def test_a_trickling_response_times_out() -> None:
    def trickle(connection: socket.socket) -> None:
        partly(connection, b"Content-Length: 1000", b"")
        for _ in range(1000):
            connection.sendall(b" ")
            time.sleep(0.1)

    with line(then(trickle)) as server:
        started = time.monotonic()
        with pytest.raises(errors.UnreachableError):
            client(server).json("GET", "libraries")
        assert time.monotonic() - started < 20


def endless(connection: socket.socket) -> None:
    partly(connection, b"Content-Type: application/json", b'{"data": "')
    while True:
        connection.sendall(b"x" * 65536)


def bomb(connection: socket.socket) -> None:
    partly(connection, b"Content-Encoding: gzip\r\nContent-Length: %d" % len(PACKED), PACKED)


@pytest.mark.parametrize("act", [endless, bomb])
def test_an_oversized_response_is_cut_off(act: Behaviour) -> None:
    with line(then(act)) as server, pytest.raises(errors.AnswerTooLargeError):
        client(server).json("GET", "libraries")


def wide(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Wide: " + b"x" * 200_000 + b"\r\n\r\n{}")


def many(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n" + b"X-Many: y\r\n" * 1000 + b"\r\n{}")


def another_protocol(connection: socket.socket) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")


@pytest.mark.parametrize("act", [wide, many, another_protocol, reset])
def test_malformed_http_is_unreachable(act: Behaviour) -> None:
    with line(then(act)) as server, pytest.raises(errors.UnreachableError):
        client(server).json("GET", "libraries")


def test_a_connection_closed_while_idle_is_replaced() -> None:
    def once(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(ok(b'{"data": []}'))

    with line(once) as server:
        one = client(server)
        for _ in range(3):
            assert one.json("GET", "libraries") == {"data": []}
            time.sleep(0.05)
        assert server.connections == 3


def test_a_truncated_json_response_is_requested_again() -> None:
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
def test_a_truncated_download_is_never_complete(act: Behaviour) -> None:
    with (
        line(then(act)) as server,
        documents.download(client(server), VersionId("Active", 1, 1)) as stream,
        pytest.raises(errors.CutStreamError),
    ):
        for _ in stream.chunks():
            pass
    assert server.connections == 1


def test_bytes_before_a_cut_are_returned_first() -> None:
    with (
        line(then(early_end)) as server,
        documents.download(client(server), VersionId("Active", 1, 1)) as stream,
    ):
        buffer = memoryview(bytearray(1 << 20))
        assert stream.readinto(buffer) == 1_000_000
        assert buffer[:1_000_000] == b"x" * 1_000_000
        for _ in range(2):
            with pytest.raises(errors.CutStreamError):
                stream.readinto(buffer)


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 3_000_000])
@pytest.mark.parametrize("tls", [False, True])
def test_a_connection_whose_body_was_read_in_full_is_reused(tmp_path: Path, size: int, tls: bool) -> None:
    body = random.Random(size).randbytes(size)
    context, authority = certificate(tmp_path, "127.0.0.1") if tls else (None, None)
    with line(answering(ok(body)), context) as server:
        session = build_session(rules_of(server), QUICK, authority)
        one = Client(session, f"http{'s' if tls else ''}://127.0.0.1:{server.port}/api", "token")
        for length in (100_000, 1 << 20, 10_000_000):
            with documents.download(one, VersionId("Active", 1, 1)) as stream:
                assert b"".join(stream.chunks(length)) == body
        assert server.connections == 1


@pytest.mark.parametrize("read", [0, 1, 1_000_000, 2_990_000])
def test_a_connection_with_unread_bytes_is_not_reused(read: int) -> None:
    with line(answering(ok(b"x" * 3_000_000))) as server:
        one = client(server)
        for _ in range(2):
            with documents.download(one, VersionId("Active", 1, 1)) as stream:
                stream.readinto(memoryview(bytearray(read)))
        assert server.connections == 2


def test_excess_bytes_do_not_reach_the_next_response() -> None:
    def behave(connection: socket.socket) -> None:
        while True:
            read_head(connection)
            connection.sendall(ok(b'{"data": []}') + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")

    with line(behave) as server:
        one = client(server)
        for _ in range(2):
            assert one.json("GET", "libraries") == {"data": []}
            time.sleep(0.05)


@pytest.mark.parametrize("fast", [0, 300_000, 930_000])
def test_a_slow_download_can_be_stopped_between_small_reads(fast: int) -> None:
    def slowly(connection: socket.socket) -> None:
        partly(connection, b"Content-Length: 1000000", b"x" * fast)
        for _ in range(100):
            connection.sendall(b"x" * 100)
            time.sleep(0.2)

    with (
        line(then(slowly)) as server,
        documents.download(client(server), VersionId("Active", 1, 1)) as stream,
    ):
        started = time.monotonic()
        assert fast < len(next(stream.chunks())) < fast + 5000
        assert time.monotonic() - started < 10


def slowly(*head: bytes) -> Behaviour:
    """Headers without end, one line at a time, each well within the time-out between two bytes."""

    def act(connection: socket.socket) -> None:
        connection.sendall(b"".join(head))
        with contextlib.suppress(OSError):
            for n in range(500):
                connection.sendall(b"X-%d: a\r\n" % n)
                time.sleep(0.05)

    return act


def continuing(connection: socket.socket) -> None:
    """Interim responses (100 Continue) without end."""
    with contextlib.suppress(OSError):
        for _ in range(500):
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            time.sleep(0.05)


def spelling(connection: socket.socket) -> None:
    """One endless header, byte by byte."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    with contextlib.suppress(OSError):
        for _ in range(500):
            connection.sendall(b"a")
            time.sleep(0.05)


DRAWN_OUT = [slowly(b"HTTP/1.1 200 OK\r\n"), spelling, continuing]


@pytest.mark.parametrize("act", DRAWN_OUT, ids=["headers", "one header", "interim responses"])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_call_has_one_deadline_however_slowly_its_headers_arrive(
    act: Behaviour, tls: bool, method: str, tmp_path: Path
) -> None:
    """The connection stays open far longer: the call ends by its own deadline."""
    context, authority = certificate(tmp_path, "127.0.0.1") if tls else (None, None)
    with line(then(act), context) as server:
        session = build_session(rules_of(server), replace(QUICK, total_seconds=1), authority)
        scheme = "https" if tls else "http"
        one = Client(session, f"{scheme}://127.0.0.1:{server.port}/api", "token")
        with pytest.raises(errors.ImanageError) as caught:
            one.json(method, "libraries", body=None if method == "GET" else {})
        assert caught.value.code == (
            "imanage.unreachable.silent" if method == "GET" else "imanage.outcome_unknown"
        )
        assert isinstance(caught.value.__cause__, requests.exceptions.Timeout)
        assert server.connections == 1


def test_the_calls_of_one_page_share_a_deadline() -> None:
    with line(then(spelling)) as server, within(0.5):
        one = client(server, replace(QUICK, total_seconds=60))
        for _ in range(3):
            with pytest.raises(errors.UnreachableError) as caught:
                one.json("GET", "libraries")
            assert caught.value.code == "imanage.unreachable.silent"
        assert server.connections == 1, "after the deadline nothing may be dialled"


def test_a_download_below_the_minimum_rate_is_cut() -> None:
    def trickle(connection: socket.socket) -> None:
        partly(connection, b"Content-Length: 100000", b"")
        with contextlib.suppress(OSError):
            for _ in range(500):
                connection.sendall(b"x")
                time.sleep(0.05)

    with (
        line(then(trickle)) as server,
        documents.download(client(server), VersionId("Active", 7, 2)) as stream,
        pytest.raises(errors.CutStreamError),
    ):
        while stream.readinto(memoryview(bytearray(1000))):
            pass


def test_a_download_may_outlast_a_call_and_our_own_pauses_do_not_count() -> None:
    def steady(connection: socket.socket) -> None:
        partly(connection, b"Content-Length: 60000", b"")
        for _ in range(60):
            connection.sendall(b"x" * 1000)
            time.sleep(0.02)

    limits = Limits(read_seconds=0.5, total_seconds=0.3)
    with line(then(steady)) as server:
        with documents.download(client(server, limits), VersionId("Active", 7, 2)) as stream:
            buffer, count = memoryview(bytearray(1000)), 0
            while came := stream.readinto(buffer):
                count += came
                if count == 20_000:
                    time.sleep(0.8)
        assert count == 60_000


FULL = {
    "empty objects": b'{"data": [' + b"{}," * 1_000_000 + b"{}]}",
    "one object of many fields": b'{"data": {' + b",".join(b'"%d": 1' % n for n in range(300_000)) + b"}}",
    "lists in lists": b'{"data": ' + b"[" * 1_000_000 + b"]" * 1_000_000 + b"}",
    "numbers": b'{"data": [' + b"1," * 1_900_000 + b"1]}",
    "in another spelling": ('{"data": [' + "{}," * 400_000 + "{}]}").encode("utf-16"),
}


@pytest.mark.parametrize("body", FULL.values(), ids=FULL)
def test_more_values_than_a_listing_may_hold_are_never_parsed(
    body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[bytes] = []
    monkeypatch.setattr(json, "loads", made.append)
    behave = then(lambda connection: connection.sendall(ok(body)))
    with line(behave) as server, pytest.raises(errors.AnswerTooLargeError):
        client(server, Limits(read_seconds=10)).json("GET", "libraries")
    assert len(body) < Limits().listing.bytes and not made


def test_a_full_listing_is_read() -> None:
    row = {f"custom{n}": f"Name, with a comma {n}" for n in range(100)}
    body = json.dumps({"data": [row] * 500}).encode()
    with line(then(lambda connection: connection.sendall(ok(body)))) as server:
        assert len(client(server, Limits()).lists("GET", "libraries").rows) == 500


CAPPED: list[tuple[str, Callable[[Client], object]]] = [
    ("a profile", lambda one: documents.profile(one, VersionId("Active", 7, 2))),
    ("the user", lambda one: one.data("GET", "users/me")),
]


@pytest.mark.parametrize("call", [each[1] for each in CAPPED], ids=[each[0] for each in CAPPED])
def test_one_object_has_a_lower_limit_than_a_listing(call: Callable[[Client], object]) -> None:
    body = b'{"data": {"id": "Active!7.2", "name": "' + b"x" * 300_000 + b'"}}'
    behave = then(lambda connection: connection.sendall(ok(body)))
    with line(behave) as server, pytest.raises(errors.AnswerTooLargeError):
        call(client(server, Limits()))
