"""DNS lookups have a timeout, and a hanging resolver blocks no caller for longer."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest

from imanage import dns
from imanage.client import Client
from imanage.deadlines import Deadline, of_call, within
from imanage.dialling import check_origin
from imanage.errors import UnreachableError
from imanage.guard import Limits, build_session
from imanage.networks import AddressRules
from tests.support.loopback_servers import answering, line, ok

ANSWER = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))
LONG = 60.0


class Resolver:
    """A resolver that hangs until it is released."""

    def __init__(self) -> None:
        self.asked = 0
        self.released = threading.Event()

    def __call__(self, *_: Any, **__: Any) -> list[tuple[Any, ...]]:
        self.asked += 1
        self.released.wait(LONG)
        return [ANSWER]


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Resolver]:
    found = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", found)
    monkeypatch.setattr(dns, "_free", threading.BoundedSemaphore(2))
    yield found
    found.released.set()


def client(**limits: float) -> Client:
    session = build_session(AddressRules(), replace(Limits(), **limits))
    return Client(session, "https://imanage.firm.test/api", "token")


@pytest.mark.parametrize("limits", [{"connect_seconds": 0.3}, {"total_seconds": 0.3}])
def test_a_lookup_counts_in_the_time_of_its_call(resolver: Resolver, limits: dict[str, float]) -> None:
    began = time.monotonic()
    with pytest.raises(UnreachableError) as caught:
        client(**limits).json("POST", "libraries", body={})
    assert caught.value.code == "imanage.unreachable.name_not_found"
    assert resolver.asked == 1 and time.monotonic() - began < LONG / 2


def test_a_lookup_counts_in_the_time_of_its_page(resolver: Resolver) -> None:
    began = time.monotonic()
    with within(0.3), pytest.raises(socket.gaierror):
        dns.addresses("imanage.firm.test", 443, LONG)
    with of_call(Deadline(0)), pytest.raises(socket.gaierror):
        dns.addresses("imanage.firm.test", 443, LONG)
    assert resolver.asked == 1 and time.monotonic() - began < LONG / 2


def test_too_many_hanging_lookups_make_the_next_fail_at_once(resolver: Resolver) -> None:
    for _ in range(2):
        with pytest.raises(socket.gaierror) as late:
            dns.addresses("imanage.firm.test", 443, 0.1)
    with pytest.raises(socket.gaierror) as refused:
        dns.addresses("imanage.firm.test", 443, LONG)
    assert resolver.asked == 2, "the third was not asked at all"
    assert str(refused.value) == str(late.value) and refused.value.errno == socket.EAI_AGAIN
    with pytest.raises(UnreachableError) as caught:
        client().json("POST", "libraries", body={})
    assert caught.value.code == "imanage.unreachable.name_not_found"
    resolver.released.set()
    end = time.monotonic() + LONG
    while time.monotonic() < end:
        try:
            assert list(dns.addresses("imanage.firm.test", 443, LONG)) == [ANSWER]
            break
        except socket.gaierror:
            time.sleep(0.01)
    assert resolver.asked == 3


def test_an_ip_address_needs_no_lookup_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns, "_free", threading.BoundedSemaphore(1))
    assert dns._free.acquire(blocking=False)
    with line(answering(ok(b"{}"))) as server:
        rules = AddressRules(
            ports=frozenset({server.port}), allow_http=True, networks=(ip_network("127.0.0.0/8"),)
        )
        one = Client(build_session(rules), f"http://127.0.0.1:{server.port}", "token")
        assert one.json("GET", "libraries") == {}


def test_a_resolver_error_is_raised_and_frees_its_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    for _ in range(dns.MAX_LOOKUPS + 1):
        assert check_origin("https://imanage.firm.test", AddressRules()) is False
        dns._free.acquire()
        dns._free.release()
    with pytest.raises(socket.gaierror) as caught:
        dns.addresses("imanage.firm.test", 443)
    assert caught.value.errno == socket.EAI_NONAME
