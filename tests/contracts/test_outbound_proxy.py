"""Calls through an outbound proxy: a real one with a sign-in, and hostile ones."""

from __future__ import annotations

import base64
import logging
import socket
import time
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from imanage import documents, oauth
from imanage.client import Client
from imanage.dialling import OutboundBlockedError
from imanage.errors import ImanageError, OutcomeUnknownError, UnreachableError
from imanage.guard import GuardedSession, Limits, build_session, is_bypassed
from imanage.networks import AddressRules
from imanage.proxies import Proxy
from imanage.types import AppCredentials, Endpoints
from tests.contracts.test_guard import LOOPBACK
from tests.contracts.test_unreliable_uploads import upload
from tests.support.loopback_servers import (
    Behaviour,
    answering,
    certificate,
    line,
    ok,
    read_head,
    read_request,
    reset,
    silence,
)
from tests.support.outbound_proxy import PASSWORD, SOURCE, USER, OutboundProxy, outbound_proxy
from tests.support.server_checks import names_lead_here

GOOD = answering(ok(b'{"data": []}'))
TOKEN = "token-that-only-iManage-may-see"
PATIENT = Limits()  # whatever else this machine does
QUICK = Limits(connect_seconds=0.5, read_seconds=1.5, total_seconds=4)
NAME = "imanage.firm.test"


def rules(*ports: int) -> AddressRules:
    return AddressRules(ports=frozenset(ports), allow_http=True, networks=LOOPBACK)


def through(
    proxy: OutboundProxy | int, *ports: int, limits: Limits = PATIENT, ca: str | None = None, **more: Any
) -> GuardedSession:
    port = proxy if isinstance(proxy, int) else proxy.port
    return build_session(rules(*ports), limits, ca, Proxy("127.0.0.1", port, **more))


def fault_of(session: GuardedSession, url: str) -> ImanageError:
    """What a read by the client comes to."""
    with pytest.raises(ImanageError) as found:
        Client(session, url, TOKEN).json("GET", "libraries")
    return found.value


@pytest.fixture
def unknown_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS knows no name here, as in a network that leaves that to its proxy."""
    usual = socket.getaddrinfo

    def lookup(host: str, *rest: Any, **more: Any) -> list[Any]:
        if host.replace(".", "").isdigit():
            return usual(host, *rest, **more)
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", lookup)


def recording(heads: list[bytes], then: Behaviour) -> Behaviour:
    """A hostile proxy: what it is told first, and then what it does."""

    def behave(connection: socket.socket) -> None:
        heads.append(read_head(connection))
        then(connection)

    return behave


def saying(answer: bytes) -> Behaviour:
    return lambda connection: connection.sendall(answer)


def test_http_goes_through_a_tunnel_too() -> None:
    heads: list[bytes] = []

    def behave(connection: socket.socket) -> None:
        while True:
            head, _ = read_request(connection)
            heads.append(head)
            heads.append(connection.getpeername()[0].encode())
            connection.sendall(ok(b'{"data": []}'))

    with line(behave) as server, outbound_proxy(server.port) as proxy:
        session = through(proxy, server.port)
        for _ in range(3):
            found = Client(session, f"http://127.0.0.1:{server.port}", TOKEN).json("GET", "libraries")
            assert found == {"data": []}
        assert server.connections == 1 and proxy.connects() == 1  # the tunnel stays open
        assert heads[0].startswith(b"GET /libraries ") and set(heads[1::2]) == {SOURCE.encode()}
        assert b"proxy" not in b"".join(heads).lower()


def bypassing(*networks: str) -> dict[str, Any]:
    return {"bypass": tuple(ip_network(each) for each in networks)}


def test_a_name_with_all_addresses_in_a_listed_network_is_reached_directly(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    context, ca = certificate(tmp_path, NAME)
    looked_up: list[str] = []
    usual = socket.getaddrinfo

    def lookup(host: str, port: int, *rest: Any, **more: Any) -> list[Any]:
        if host != NAME:
            return usual(host, port, *rest, **more)
        looked_up.append(host)
        return [answer for each in found for answer in usual(each, port, *rest, **more)]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    with line(GOOD, context) as server, line(silence) as proxy:
        session = through(proxy.port, server.port, ca=ca, **bypassing("10.0.0.0/8", "127.0.0.0/28"))
        url = f"https://{NAME}:{server.port}"
        found = ["127.0.0.1"]
        assert Client(session, url, TOKEN).json("GET", "libraries") == {"data": []}
        assert (looked_up, proxy.connections) == ([NAME], 0), "One answer of DNS is judged and used."
        assert is_bypassed(session, url)
        found = ["127.0.0.1", "127.0.9.9"]
        assert not is_bypassed(session, url)
        session = through(proxy.port, server.port, limits=QUICK, ca=ca, **bypassing("127.0.0.0/28"))
        assert fault_of(session, url).code.startswith("imanage.unreachable.proxy")
        assert proxy.connections == 1


def test_an_address_that_bypasses_the_proxy_is_judged_all_the_same() -> None:
    with line(GOOD) as server, line(silence) as proxy:
        kept_out = AddressRules(ports=frozenset({server.port}), allow_http=True)
        away = Proxy("127.0.0.1", proxy.port, **bypassing("127.0.0.0/8"))
        error = fault_of(build_session(kept_out, QUICK, None, away), f"http://127.0.0.1:{server.port}")
        assert isinstance(error, OutboundBlockedError)
        assert (server.connections, proxy.connections) == (0, 0)


def test_tls_is_end_to_end_and_the_proxy_sees_no_token(tmp_path: Path, unknown_names: None) -> None:
    """The name is unknown here: the proxy gets it, and the certificate must be the server's."""
    context, ca = certificate(tmp_path, NAME)
    raw: list[bytes] = []
    with line(GOOD, context) as server:

        def behave(connection: socket.socket) -> None:
            raw.append(read_head(connection))
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            with socket.create_connection(("127.0.0.1", server.port)) as far:
                connection.settimeout(0.2)
                far.settimeout(0.2)
                while True:
                    for near, other in ((connection, far), (far, connection)):
                        try:
                            piece = near.recv(65536)
                        except TimeoutError:
                            continue
                        if not piece:
                            return
                        raw.append(piece)
                        other.sendall(piece)

        with line(behave) as proxy:
            session = through(
                proxy.port,
                443,
                ca=ca,
                user=USER,
                password=PASSWORD,
                entered=frozenset({NAME}),
            )
            found = Client(session, f"https://{NAME}", TOKEN, "both").json("GET", "libraries")
            assert found == {"data": []}
            session.close()
            wrong = through(proxy.port, 443, user=USER, password=PASSWORD, entered=frozenset({NAME}))
            assert fault_of(wrong, f"https://{NAME}").code == "imanage.unreachable.tls"
    told = raw[0].decode()
    assert told.startswith(f"CONNECT {NAME}:443 HTTP/1.")
    signed_in = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    assert f"Proxy-Authorization: Basic {signed_in}\r\n" in told and f"Host: {NAME}:443\r\n" in told
    assert TOKEN.encode() not in b"".join(raw) and b"libraries" not in b"".join(raw)


def test_the_sign_in_is_sent_and_a_wrong_one_is_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with line(GOOD) as server, outbound_proxy(server.port, signs_in=True) as proxy:
        url = f"http://127.0.0.1:{server.port}"
        right = through(proxy, server.port, user=USER, password=PASSWORD)
        assert Client(right, url, TOKEN).json("GET", "libraries") == {"data": []}
        for wrong in ({}, {"user": USER, "password": "not-this-one-0451"}):
            fault = fault_of(through(proxy, server.port, **wrong), url)
            assert (fault.code, fault.retry) == ("imanage.unreachable.proxy.sign_in", "later")
            assert "0451" not in repr(fault) + str(fault)
        assert server.connections == 1
    assert "0451" not in caplog.text and base64.b64encode(PASSWORD.encode()).decode()[:12] not in caplog.text


def test_a_proxy_that_refuses_connect_and_one_that_cannot_connect() -> None:
    with line(GOOD) as server, outbound_proxy(1) as proxy:
        url = f"http://127.0.0.1:{server.port}"
        assert fault_of(through(proxy, server.port), url).code == "imanage.unreachable.proxy.refused"
        assert fault_of(through(proxy, 1), "http://127.0.0.1:1").code == "imanage.unreachable.proxy.gateway"
        assert server.connections == 0
        proxy.stop()
        assert fault_of(through(proxy, server.port), url).code == "imanage.unreachable.proxy"
        assert server.connections == 0


def test_the_guard_judges_what_it_can_resolve(monkeypatch: pytest.MonkeyPatch, unknown_names: None) -> None:
    """A tunnel to a refused address is not even asked for; nor one to a name that nobody entered."""
    heads: list[bytes] = []
    with line(recording(heads, saying(b"HTTP/1.1 200 OK\r\n\r\n"))) as proxy:
        session = build_session(
            AddressRules(), QUICK, None, Proxy("127.0.0.1", proxy.port, entered=frozenset({NAME}))
        )
        for url in ("https://169.254.169.254/", "https://127.0.0.1/", "https://imanage.firm.test:8443/"):
            with pytest.raises(OutboundBlockedError):
                session.get(url)
        assert fault_of(session, "https://other.firm.test").code == "imanage.unreachable.name_not_found"
        names_lead_here(monkeypatch, NAME)
        with pytest.raises(OutboundBlockedError):
            session.get(f"https://{NAME}/")
        assert proxy.connections == 0


def test_without_a_proxy_nothing_is_reached_directly_instead() -> None:
    with line(GOOD) as server:
        session = build_session(rules(server.port), QUICK, None, Proxy("", 0))
        with pytest.raises(OutboundBlockedError) as found:
            session.get(f"http://127.0.0.1:{server.port}/")
        assert found.value.code == "imanage.blocked.no_proxy"
        assert server.connections == 0


HOSTILE: dict[str, tuple[Behaviour, str]] = {
    "a page and 200 ok in the wrong place": (saying(b"<html>200 OK</html>\r\n\r\n"), "broken"),
    "garbage": (saying(b"\x00\xff\x16\x03" * 50 + b"\r\n\r\n"), "broken"),
    "nothing": (lambda connection: None, "broken"),
    "reset": (reset, "broken"),
    "half a line": (saying(b"HTTP/1.1 20"), "broken"),
    "one line without end": (saying(b"HTTP/1.1 200 " + b"x" * 200_000), "broken"),
    "one header without end": (saying(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000), "broken"),
    "headers without end": (saying(b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 100_000), "broken"),
    "403 with a page": (saying(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\n<b>no</b>"), "refused"),
    "405": (saying(b"HTTP/1.0 405 Not allowed\r\n\r\n"), "refused"),
    "302 to a sign-in": (saying(b"HTTP/1.1 302 Found\r\nLocation: http://portal/\r\n\r\n"), "refused"),
    "407 of another kind": (saying(b"HTTP/1.1 407 X\r\nProxy-Authenticate: Negotiate\r\n\r\n"), "sign_in"),
    "502": (saying(b"HTTP/1.1 502 Bad gateway\r\n\r\n"), "gateway"),
    "504": (saying(b"HTTP/1.1 504 Gateway timeout\r\n\r\n"), "gateway"),
    "silence": (silence, "silent"),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_hostile_answer_is_bounded_and_the_request_is_never_sent(name: str, scheme: str) -> None:
    behave, code = HOSTILE[name]
    heads: list[bytes] = []
    with line(recording(heads, behave)) as proxy:
        limits = QUICK if code == "silent" else PATIENT
        fault = fault_of(through(proxy.port, 8443, limits=limits), f"{scheme}://127.0.0.1:8443")
        assert fault.code == f"imanage.unreachable.proxy.{code}"
        assert isinstance(fault, UnreachableError)
    assert heads and all(head.startswith(b"CONNECT 127.0.0.1:8443 ") for head in heads)
    assert TOKEN.encode() not in b"".join(heads)


def test_an_answer_that_drips_ends_with_the_time_for_connecting() -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            connection.sendall(b"X: x\r\n")
            time.sleep(0.05)

    with line(recording([], drip)) as proxy:
        began = time.monotonic()
        fault = fault_of(through(proxy.port, 8443, limits=QUICK), "http://127.0.0.1:8443")
        assert fault.code == "imanage.unreachable.proxy.silent"
        assert time.monotonic() - began < 30  # it drips without end


@pytest.mark.parametrize("name", [name for name in HOSTILE if name != "silence"])
def test_an_upload_that_got_no_tunnel_was_surely_not_sent(name: str) -> None:
    """Not an unknown outcome: it is tried again without looking in iManage first."""
    behave, code = HOSTILE[name]
    with line(recording([], behave)) as proxy:
        session = through(proxy.port, 8443)
        with pytest.raises(UnreachableError) as found:
            documents.create(Client(session, "http://127.0.0.1:8443", TOKEN), "Active!427", upload(100_000))
        assert found.value.code == f"imanage.unreachable.proxy.{code}"


def test_an_upload_whose_tunnel_closes_has_an_unknown_outcome() -> None:
    def behave(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        read_request(connection)

    with line(recording([], behave)) as proxy:
        session = through(proxy.port, 8443)
        with pytest.raises(OutcomeUnknownError):
            documents.create(Client(session, "http://127.0.0.1:8443", TOKEN), "Active!427", upload(100_000))


def test_the_token_endpoint_goes_through_the_proxy() -> None:
    granting = answering(ok(b'{"access_token": "abc", "expires_in": 60}'))
    with line(granting) as server, outbound_proxy(server.port, signs_in=True) as proxy:
        session = through(proxy, server.port, user=USER, password=PASSWORD)
        origin = f"http://127.0.0.1:{server.port}"
        found = oauth.refresh(
            session, Endpoints(browser=origin, api=origin), AppCredentials("id", "secret"), "old"
        )
        assert found.access_token == "abc" and proxy.connects() == 1
        oauth.sign_out(session, Endpoints(browser=origin, api=origin), "abc")
        proxy.stop()
        with pytest.raises(UnreachableError):
            oauth.refresh(
                through(proxy, server.port, user=USER, password=PASSWORD),
                Endpoints(browser=origin, api=origin),
                AppCredentials("id", "secret"),
                "old",
            )
        assert server.connections == 1
