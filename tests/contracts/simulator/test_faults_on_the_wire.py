"""Faults in the bytes of a response: interrupted, stalled, too long, compressed, corrupted."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import time

import pytest
import requests

from simulator import Document, Fault, Simulator
from tests.contracts.simulator.caller import Caller

DOWNLOAD = r"/download$"


def document(sim: Simulator) -> Document:
    """10 MiB: more than any socket buffer."""
    return sim.world.named("Data room index")


def download(caller: Caller, **options: object) -> requests.Response:
    return caller.get(f"documents/{document(caller.sim).id()}/download", **options)


def raw(sim: Simulator, caller: Caller, path: str, timeout: float = 5) -> tuple[bytes, bool]:
    """All bytes of the response to one GET, and whether it ended with a reset."""
    token = caller.session.headers["X-Auth-Token"]
    with socket.create_connection(("127.0.0.1", sim.port), timeout=timeout) as wire:
        request = f"GET {path} HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {token}\r\nConnection: close\r\n\r\n"
        wire.sendall(request.encode())
        got = b""
        try:
            while block := wire.recv(1 << 16):
                got += block
        except ConnectionResetError:
            return got, True
        return got, False


def path_of(sim: Simulator, what: str = "/download") -> str:
    return f"/work/api/v2/customers/4242/libraries/Active/documents/{document(sim).id()}{what}"


def body_of(wire: bytes) -> bytes:
    return wire.partition(b"\r\n\r\n")[2]


def well(caller: Caller) -> bool:
    """After a fault the same call works."""
    return len(download(caller).content) == 10 << 20


@pytest.mark.parametrize("how", ["reset", "close"])
@pytest.mark.parametrize(
    ("place", "got"), [({"fraction": 0.5}, 5 << 20), ({"at": 1000}, 1000), ({"at": -1}, None)]
)
def test_a_body_breaks_off_where_it_is_told(
    sim: Simulator, alice: Caller, how: str, place: dict[str, float], got: int | None
) -> None:
    sim.faults.add(Fault("cut", path=DOWNLOAD, how=how, **place))
    wire, reset = raw(sim, alice, path_of(sim))
    assert len(body_of(wire)) == (got or (10 << 20) - 1)
    assert b"Content-Length: 10485760" in wire[:500]
    assert reset is (how == "reset")
    assert well(alice)


def test_an_answer_can_break_off_in_its_head(sim: Simulator, alice: Caller) -> None:
    sim.faults.add(Fault("cut_headers", path=DOWNLOAD))
    wire, reset = raw(sim, alice, path_of(sim))
    assert wire.startswith(b"HTTP/1.1 200") and b"\r\n\r\n" not in wire and reset
    assert well(alice)


def test_the_head_of_an_answer_can_trickle(sim: Simulator, alice: Caller) -> None:
    sim.faults.add(Fault("trickle_headers", path=DOWNLOAD, rate=400))
    began = time.monotonic()
    assert well(alice)
    assert time.monotonic() - began > 0.3
    assert well(alice)


def test_a_body_can_stall_and_resume(sim: Simulator, alice: Caller) -> None:
    sim.faults.add(Fault("stall", path=DOWNLOAD, fraction=0.5, seconds=0.4))
    began = time.monotonic()
    assert well(alice)
    assert time.monotonic() - began > 0.4


def test_a_body_can_trickle(sim: Simulator, alice: Caller) -> None:
    small = sim.world.named("SPA – Project Heron")
    size = small.latest.content.size
    sim.faults.add(Fault("trickle", path=DOWNLOAD, rate=2000))
    began = time.monotonic()
    assert len(alice.get(f"documents/{small.id()}/download").content) == size
    assert time.monotonic() - began > size / 2000 * 0.8


def test_a_slow_answer_is_slow(sim: Simulator, alice: Caller) -> None:
    sim.faults.add(Fault("slow", path="/types", seconds=0.3))
    began = time.monotonic()
    alice.get("types")
    assert time.monotonic() - began > 0.3


def test_a_body_can_be_longer_than_it_says(sim: Simulator, alice: Caller) -> None:
    sim.faults.add(Fault("long_body", path=DOWNLOAD, extra=100))
    wire, _ = raw(sim, alice, path_of(sim))
    assert len(body_of(wire)) == (10 << 20) + 100


@pytest.mark.parametrize("how", ["", "close"])
def test_a_body_can_come_without_its_length(sim: Simulator, alice: Caller, how: str) -> None:
    sim.faults.add(Fault("no_length", path=DOWNLOAD, how=how))
    answer = download(alice)
    assert "Content-Length" not in answer.headers
    assert answer.headers.get("Transfer-Encoding") == (None if how else "chunked")
    assert len(answer.content) == 10 << 20


def test_a_last_chunk_can_be_missing(sim: Simulator, alice: Caller) -> None:
    sim.faults.add(Fault("bad_chunk", path=DOWNLOAD))
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        download(alice)
    assert well(alice)


def test_a_body_can_come_packed(sim: Simulator, alice: Caller) -> None:
    sim.faults.add(Fault("gzip", path="/types"))
    wire, _ = raw(sim, alice, path_of(sim, "").replace(f"documents/{document(sim).id()}", "types"))
    assert b"Content-Encoding: gzip" in wire
    assert f"Content-Length: {len(body_of(wire))}".encode() in wire
    assert json.loads(gzip.decompress(body_of(wire)))["data"]


def test_one_byte_can_be_wrong(sim: Simulator, alice: Caller) -> None:
    good = download(alice).content
    sim.faults.add(Fault("corrupt", path=DOWNLOAD, fraction=0.7))
    bad = download(alice).content
    assert len(bad) == len(good)
    assert sum(a != b for a, b in zip(good, bad, strict=True)) == 1


def test_a_giant_header(sim: Simulator, alice: Caller) -> None:
    sim.faults.add(Fault("giant_headers", path="/types", at=70_000))
    with pytest.raises((requests.exceptions.ConnectionError, requests.exceptions.InvalidHeader)):
        alice.get("types")


def test_a_kept_connection_can_be_gone_the_next_time(sim: Simulator, alice: Caller) -> None:
    sim.faults.add(Fault("close_idle", path="/libraries"))
    connection = http.client.HTTPConnection("127.0.0.1", sim.port, timeout=5)
    headers = {"X-Auth-Token": str(alice.session.headers["X-Auth-Token"])}
    try:
        connection.request("GET", "/work/api/v2/customers/4242/libraries", headers=headers)
        answer = connection.getresponse()
        assert answer.read() and answer.headers["Connection"] == "keep-alive"
        time.sleep(0.05)
        with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
            connection.request("GET", "/api")
            connection.getresponse()
    finally:
        connection.close()
