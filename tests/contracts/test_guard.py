"""The outbound guard against real sockets: what it connects to, what it refuses, and what it never does."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import requests

from imanage.client import Client
from imanage.dialling import OutboundBlockedError, check_origin, is_local_address
from imanage.errors import UnreachableError
from imanage.guard import Limits, build_session
from imanage.networks import AddressRefusedError, AddressRules
from tests.support.loopback_servers import Line, answering, certificate, line, ok, read_head

GOOD = answering(ok(b'{"data": []}'))
LOOPBACK = (ip_network("127.0.0.0/8"),)


def rules(*ports: int, networks: tuple[Any, ...] = LOOPBACK, **more: Any) -> AddressRules:
    return AddressRules(ports=frozenset(ports), allow_http=True, networks=networks, **more)


def resolves(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Make every name resolve to these addresses, one set per lookup; returns the names looked up."""
    asked: list[str] = []

    def lookup(host: str, port: int, *_: Any, **__: Any) -> list[tuple[Any, ...]]:
        asked.append(host)
        found = answers[min(len(asked), len(answers)) - 1]
        return [
            (socket.AF_INET6 if ":" in ip else socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port))
            for ip in found
        ]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    return asked


def test_loopback_is_refused_unless_allowed() -> None:
    with line(GOOD) as server:
        url = f"http://127.0.0.1:{server.port}/"
        with pytest.raises(OutboundBlockedError):
            build_session(rules(server.port, networks=())).get(url)
        assert server.connections == 0
        assert build_session(rules(server.port)).get(url).json() == {"data": []}
        assert server.connections == 1


@pytest.mark.parametrize(
    "host", ["localhost", "127.1", "2130706433", "0x7f.1", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]"]
)
def test_no_spelling_of_loopback_gets_through(host: str) -> None:
    with line(GOOD) as server:
        with pytest.raises(OutboundBlockedError):
            build_session(rules(server.port, networks=())).get(f"http://{host}:{server.port}/")
        assert server.connections == 0


@pytest.mark.parametrize(
    "ip", ["127.0.0.1", "169.254.169.254", "100.64.0.1", "::1", "fd00:ec2::254", "64:ff9b::7f00:1"]
)
def test_a_name_that_resolves_to_an_internal_address_is_refused(
    monkeypatch: pytest.MonkeyPatch, ip: str
) -> None:
    resolves(monkeypatch, [ip])
    with pytest.raises(OutboundBlockedError):
        build_session(AddressRules()).get("https://imanage.firm.com/")
    with pytest.raises(AddressRefusedError):
        check_origin("https://imanage.firm.com", AddressRules())


def test_one_bad_answer_among_good_ones_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = resolves(monkeypatch, ["8.8.8.8", "127.0.0.1"])
    with pytest.raises(OutboundBlockedError):
        build_session(AddressRules()).get("https://imanage.firm.com/")
    assert asked == ["imanage.firm.com"]


def test_a_name_that_answers_differently_the_second_time_gains_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with line(GOOD) as good, line(GOOD, host="127.0.0.2") as inside:
        named = rules(good.port, inside.port, networks=(ip_network("127.0.0.1/32"),))
        asked = resolves(monkeypatch, ["127.0.0.1"], ["127.0.0.2"])
        session = build_session(named)
        assert session.get(f"http://imanage.firm.com:{good.port}/").ok
        assert asked == ["imanage.firm.com"]
        with pytest.raises(OutboundBlockedError):
            session.get(f"http://imanage.firm.com:{inside.port}/")
        assert (good.connections, inside.connections) == (1, 0)


def test_the_peer_address_of_the_socket_is_checked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with line(GOOD) as server:
        monkeypatch.setattr(socket.socket, "getpeername", lambda self: ("169.254.169.254", server.port))
        with pytest.raises(OutboundBlockedError):
            build_session(rules(server.port)).get(f"http://127.0.0.1:{server.port}/")


def own_addresses() -> list[str]:
    """This machine's addresses, from its routes and interfaces."""
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
        probe.connect(("198.51.100.1", 9))
        found.append(str(probe.getsockname()[0]))
    interfaces = Path("/proc/net/if_inet6")
    for row in interfaces.read_text().splitlines() if interfaces.exists() else []:
        address, _, _, scope, *_ = row.split()
        if scope == "00":
            found.append(str(ip_address(int(address, 16))))
    return found


def test_this_machine_knows_its_own_addresses() -> None:
    for ip in ["127.0.0.1", "127.8.9.10", "::1", *own_addresses()]:
        assert is_local_address(ip), ip
    for ip in ["8.8.8.8", "10.255.255.254", "198.51.100.1", "2606:4700:4700::1111", "fd99::99"]:
        assert not is_local_address(ip), ip


@pytest.mark.parametrize("own", own_addresses() or ["127.0.0.1"])
def test_this_machines_own_address_is_refused_unless_allowed(own: str) -> None:
    shown = f"[{own}]" if ":" in own else own
    with line(GOOD, host=own) as server:
        url = f"http://{shown}:{server.port}/"
        with pytest.raises(OutboundBlockedError):
            build_session(rules(server.port, networks=())).get(url)
        with pytest.raises(AddressRefusedError):
            check_origin(url, rules(server.port, networks=()))
        assert server.connections == 0
        assert build_session(rules(server.port, networks=(ip_network(own),))).get(url).ok


def test_private_addresses_follow_the_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    resolves(monkeypatch, ["10.255.255.254"])
    check_origin("https://imanage.firm.com", AddressRules())
    with pytest.raises(AddressRefusedError):
        check_origin("https://imanage.firm.com", AddressRules(allow_private=False))
    with pytest.raises(OutboundBlockedError):
        build_session(AddressRules(allow_private=False)).get("https://imanage.firm.com/")


def test_other_ports_and_schemes_are_refused() -> None:
    with line(GOOD) as server:
        with pytest.raises(OutboundBlockedError):
            build_session(rules(443)).get(f"http://127.0.0.1:{server.port}/")
        no_http = AddressRules(ports=frozenset({server.port}), networks=LOOPBACK)
        one = Client(build_session(no_http), f"http://127.0.0.1:{server.port}", "t")
        with pytest.raises(OutboundBlockedError):
            one.json("GET", "libraries")
        assert server.connections == 0


def test_a_name_unknown_to_dns_passes_the_form_and_is_unreachable_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    check_origin("https://imanage.firm.com", AddressRules())
    with pytest.raises(UnreachableError) as caught:
        Client(build_session(AddressRules()), "https://imanage.firm.com", "t").json("GET", "libraries")
    assert caught.value.code == "imanage.unreachable.name_not_found"


def recording(heads: list[bytes], answer: bytes) -> Callable[[socket.socket], None]:
    def behave(connection: socket.socket) -> None:
        while True:
            heads.append(read_head(connection))
            connection.sendall(answer)

    return behave


@pytest.mark.parametrize(
    "status", [b"301 Moved", b"302 Found", b"307 Temporary Redirect", b"308 Permanent Redirect"]
)
def test_no_redirect_is_followed(status: bytes) -> None:
    with line(GOOD, host="127.0.0.2") as other:
        target = b"http://127.0.0.2:%d/" % other.port
        moved = b"HTTP/1.1 " + status + b"\r\nLocation: " + target + b"\r\nContent-Length: 0\r\n\r\n"
        with line(answering(moved)) as server:
            session = build_session(rules(server.port, other.port))
            for send in (session.get, session.post):
                assert send(f"http://127.0.0.1:{server.port}/", allow_redirects=True).is_redirect
            assert other.connections == 0


def test_the_host_header_keeps_its_port_and_no_cookie_is_kept() -> None:
    heads: list[bytes] = []
    answer = ok(b"{}", b"Set-Cookie: session=of-somebody-else; Path=/")
    with line(recording(heads, answer)) as server:
        session = build_session(rules(server.port))
        for _ in range(2):
            session.get(f"http://127.0.0.1:{server.port}/")
        assert server.connections == 1
        assert len(session.cookies) == 0
    assert all(b"Host: 127.0.0.1:%d\r\n" % server.port in head for head in heads)
    assert b"Cookie" not in heads[1]


def test_the_environment_is_not_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    heads: list[bytes] = []
    with line(GOOD, host="127.0.0.2") as proxy, line(recording(heads, ok(b"{}"))) as server:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.2:{proxy.port}")
        session = build_session(rules(server.port, proxy.port))
        session.get(f"http://127.0.0.1:{server.port}/", proxies={"http": f"http://127.0.0.2:{proxy.port}"})
        assert (server.connections, proxy.connections) == (1, 0)
    assert b"Authorization" not in heads[0]


def test_one_session_serves_many_threads() -> None:
    with line(GOOD) as server:
        session = build_session(rules(server.port), Limits(pool_size=8))
        outcomes: list[bool] = []

        def work() -> None:
            outcomes.extend(session.get(f"http://127.0.0.1:{server.port}/").ok for _ in range(20))

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert outcomes == [True] * 160
        assert server.connections <= 8


def secure(server: Line, ca_pem: str | None) -> requests.Session:
    return build_session(rules(server.port), ca_pem=ca_pem)


def test_the_firms_own_authority_is_trusted_when_it_is_given(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    context, ca_pem = certificate(tmp_path, "imanage.firm.com")
    with line(GOOD, context) as server:
        resolves(monkeypatch, ["127.0.0.1"])
        url = f"https://imanage.firm.com:{server.port}/"
        assert secure(server, ca_pem).get(url).json() == {"data": []}
        with pytest.raises(requests.exceptions.SSLError):
            secure(server, None).get(url)


def test_a_certificate_for_another_name_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    context, ca_pem = certificate(tmp_path, "imanage.other.com")
    with line(GOOD, context) as server:
        resolves(monkeypatch, ["127.0.0.1"])
        one = Client(secure(server, ca_pem), f"https://imanage.firm.com:{server.port}", "t")
        for method in ("GET", "POST"):
            with pytest.raises(UnreachableError) as caught:
                one.json(method, "libraries")
            assert (caught.value.code, caught.value.retry) == ("imanage.unreachable.tls", "no")


@pytest.mark.parametrize("off", [{"verify": False}, {"verify": "/nonexistent"}])
def test_verification_cannot_be_switched_off(tmp_path: Path, off: dict[str, Any]) -> None:
    context, _ = certificate(tmp_path, "127.0.0.1")
    with line(GOOD, context) as server:
        session = secure(server, None)
        with pytest.raises(requests.exceptions.SSLError):
            session.get(f"https://127.0.0.1:{server.port}/", **off)
        session.verify = False
        with pytest.raises(requests.exceptions.SSLError):
            session.get(f"https://127.0.0.1:{server.port}/")
