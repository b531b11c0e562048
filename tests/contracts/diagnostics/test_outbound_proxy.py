"""The checks of a server that is reached through a proxy: what the proxy does, and whose step it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from imanage.guard import Limits
from services.guidance.fix_locations import fix_location
from services.servers import transport
from simulator import Simulator
from tests.support.authority import Authority
from tests.support.loopback_servers import Behaviour, line, silence
from tests.support.outbound_proxy import PASSWORD, SOURCE, USER, outbound_proxy
from tests.support.server_checks import QUICK, Checked, answer, checked, server_at, site
from tests.support.settings import change_settings
from tests.support.stack import free_port

NETWORK_TEAM = "your network team"
IMANAGE = {r" /api": answer(b"200 OK", b'{"data": {"auth_status": "unauthenticated", "versions": []}}')}


@pytest.fixture(autouse=True)
def patience(short_patience: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Longer than for the other checks: there is another process on the way."""
    monkeypatch.setattr(transport, "PAGE_LIMITS", Limits(connect_seconds=5, read_seconds=5, total_seconds=15))


def by(port: int, login: tuple[str, str] = ("", "")) -> None:
    """From now on the proxy is at this port."""
    change_settings(outbound_proxy=f"http://127.0.0.1:{port}", outbound_proxy_login=login)


def refused_by(behave: Behaviour) -> Checked:
    with line(behave) as proxy:
        by(proxy.port)
        return checked(server_at(f"http://127.0.0.1:{free_port()}"))


def test_all_that_is_well_is_told_of_the_proxy_too(practice: Simulator) -> None:
    with outbound_proxy(practice.port, signs_in=True) as proxy:
        by(proxy.port, (USER, PASSWORD))
        found = checked(server_at(practice.url))
    for key in ("dns", "proxy", "proxy_tunnel", "api", "clock", "sign_in_page"):
        assert found.says(key, "pass"), key
    assert found.fact("proxy", "Proxy") == f"127.0.0.1:{proxy.port}"
    assert "accepts Counterpart’s sign-in" in found["proxy_tunnel"].sentence
    assert found["proxy_tls"].outcome == found["tls"].outcome == "skipped"
    assert "tcp" not in {result.key for result in found.report.results}
    assert {result.group for result in found.report.results if result.key.startswith("proxy")} == {"Proxy"}
    assert {call.client for call in practice.requests} == {SOURCE}
    assert PASSWORD not in repr(found.report) and USER not in repr(found.report)


def test_a_direct_server_has_no_checks_of_the_proxy(practice: Simulator) -> None:
    with outbound_proxy(practice.port) as proxy:
        by(proxy.port)
        found = checked(server_at(practice.url, route="direct"))
        assert found.says("tcp", "pass") and proxy.connects() == 0
    assert not [result for result in found.report.results if result.key.startswith("proxy")]


@pytest.mark.parametrize(
    ("login", "code"), [(("", ""), "proxy.asks_credentials"), ((USER, "wrong"), "proxy.credentials_refused")]
)
def test_a_sign_in_that_is_missing_or_wrong(practice: Simulator, login: tuple[str, str], code: str) -> None:
    with outbound_proxy(practice.port, signs_in=True) as proxy:
        by(proxy.port, login)
        found = checked(server_at(practice.url))
    assert found.says("proxy", "pass") and found.says("proxy_tunnel", "fail", code, NETWORK_TEAM)
    assert found.fact("proxy_tunnel", "Asked for") == f"CONNECT 127.0.0.1:{practice.port}"
    assert found["api"].outcome == found["tls"].outcome == "skipped"
    assert practice.requests == []


def test_a_proxy_that_forbids_the_server_and_one_that_cannot_reach_it(practice: Simulator) -> None:
    with outbound_proxy(1) as proxy:
        by(proxy.port)
        found = checked(server_at(practice.url))
        assert found.says("proxy_tunnel", "fail", "proxy.tunnel_refused", NETWORK_TEAM)
        found = checked(server_at("http://127.0.0.1:1"))
        assert found.says("proxy_tunnel", "fail", "proxy.no_way", NETWORK_TEAM)
    found = checked(server_at("http://127.0.0.1:2"))
    assert found.says("proxy", "fail", "proxy.unreachable", NETWORK_TEAM)
    assert found["proxy_tunnel"].outcome == "skipped"


def test_what_is_no_proxy_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    garbage = refused_by(lambda near: near.sendall(b"SSH-2.0-OpenSSH_9.2\r\n"))
    assert garbage.says("proxy", "pass") and garbage.says(
        "proxy_tunnel", "fail", "proxy.not_a_proxy", NETWORK_TEAM
    )
    monkeypatch.setattr(transport, "PAGE_LIMITS", QUICK)
    assert refused_by(silence).says("proxy_tunnel", "fail", "proxy.silent", NETWORK_TEAM)


def test_a_server_that_needs_a_proxy_while_none_is_set(practice: Simulator) -> None:
    found = checked(server_at(practice.url, route="proxy"))
    assert found.says("proxy", "fail", "proxy.not_set", "you")
    assert fix_location("proxy.not_set").anchor == "connection"
    assert practice.requests == []


def test_a_proxy_that_decrypts_is_told_from_one_that_does_not(authority: Authority, tmp_path: Path) -> None:
    """Its certificate names the right host, and an authority that only the firm's computers trust."""
    (tmp_path / "own").mkdir()
    decrypts = Authority("Web Gateway").context(tmp_path / "own", "127.0.0.1")
    with line(site(IMANAGE), authority.context(tmp_path, "127.0.0.1")) as server:
        with outbound_proxy(server.port) as proxy:  # in between, nothing is changed
            by(proxy.port)
            found = checked(server_at(f"https://127.0.0.1:{server.port}"))
        for key in ("proxy", "proxy_tunnel", "proxy_tls", "tls", "api"):
            assert found.says(key, "pass"), key
    with line(site(IMANAGE), decrypts) as gateway, outbound_proxy(gateway.port) as proxy:
        by(proxy.port)
        found = checked(server_at(f"https://127.0.0.1:{gateway.port}"))
    assert found.says("proxy_tunnel", "pass")
    assert found.says("proxy_tls", "fail", "proxy.own_certificate", NETWORK_TEAM)
    assert "Web Gateway" in found.fact("proxy_tls", "Issued by")
    assert found["tls"].outcome == found["api"].outcome == "skipped"
    assert fix_location("proxy.own_certificate").anchor == "own-ca"


def test_a_name_that_only_the_proxy_knows_is_no_failure() -> None:
    no_way = answer(b"503 Service Unavailable")
    with line(lambda near: near.sendall(no_way)) as proxy:
        by(proxy.port)
        found = checked(server_at("https://imanage.invalid"))
    assert found.says("dns", "pass") and "The proxy looks it up." in found["dns"].sentence
    assert found.says("proxy_tunnel", "fail", "proxy.no_way", NETWORK_TEAM)
