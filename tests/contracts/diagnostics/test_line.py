"""The way to a server, broken in each way that ways break: the name, the port, the certificate."""

from __future__ import annotations

import errno
import socket
import ssl
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.authority import DAY, Authority, self_signed
from tests.support.fault_proxy import fault_proxy
from tests.support.loopback_servers import Behaviour, answering, line, ok, reset, silence
from tests.support.server_checks import (
    UNKNOWN_SIGN_IN,
    Checked,
    checked,
    names_lead_here,
    page,
    server_at,
    site,
)
from tests.support.servers import make_server

IMANAGE = site({"GET /api ": ok(UNKNOWN_SIGN_IN)})
HOST = "imanage.firm.test"


def https_at(behave: Behaviour, context: ssl.SSLContext | None, host: str = "127.0.0.1") -> Checked:
    """The report on a server that behaves so."""
    with line(behave, context) as there:
        return checked(server_at(f"https://{host}:{there.port}"))


def test_a_good_line_passes_and_tells_what_it_saw(authority: Authority, tmp_path: Path) -> None:
    found = https_at(IMANAGE, authority.context(tmp_path, "127.0.0.1"))
    assert all(found.says(key, "pass") for key in ("dns", "tcp", "tls", "api"))
    assert found.fact("dns", "Addresses") == "127.0.0.1"
    assert found.fact("tls", "Days left") == "89"
    assert "Firm LLP Root CA" in found.fact("tls", "Issued by")
    assert found["tls"].seconds > 0


def test_a_name_that_nobody_knows() -> None:
    found = checked(server_at("https://imanage.invalid"))
    assert found["dns"].code in {"dns.unknown", "dns.no_answer"}
    assert found.report.state == "failing"
    assert found.report.first_problem == found["dns"]
    assert found["tls"].sentence == "Skipped because this failed: Host name."
    assert {result.outcome for result in found.report.results[1:]} == {"skipped"}


@pytest.mark.parametrize(
    ("errno", "code"), [(socket.EAI_NONAME, "dns.unknown"), (socket.EAI_AGAIN, "dns.no_answer")]
)
def test_the_dns_says_no_or_nothing(monkeypatch: pytest.MonkeyPatch, errno: int, code: str) -> None:
    def look_up(*_: object, **__: object) -> None:
        raise socket.gaierror(errno, "as the resolver says")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert checked(server_at("https://imanage.firm.test")).says("dns", "fail", code, "your network team")


def test_an_address_that_is_not_allowed() -> None:
    assert checked(server_at("https://169.254.169.254")).says("dns", "fail", "dns.not_allowed", "you")


def test_a_port_that_is_not_allowed() -> None:
    server = make_server(url="https://127.0.0.1:9443")
    assert checked(server).says("tcp", "fail", "tcp.not_allowed", "you")


def test_a_port_where_nobody_listens() -> None:
    with fault_proxy(("127.0.0.1", 9)) as there:
        there.refuse()
        found = checked(server_at(f"https://127.0.0.1:{there.port}"))
    assert found.says("tcp", "fail", "tcp.refused", "your iManage admin")
    assert found.says("tls", "skipped")


def test_a_firewall_that_drops_packets() -> None:
    with fault_proxy(("127.0.0.1", 9)) as there:
        there.swallow()
        found = checked(server_at(f"https://127.0.0.1:{there.port}"))
    assert found.says("tcp", "fail", "tcp.silent", "your network team")
    assert found["tcp"].seconds >= 0.4


def test_no_way_to_that_network() -> None:
    """A broadcast address takes no connection: the kernel itself says that there is no way."""
    assert checked(server_at("https://127.255.255.255")).says(
        "tcp", "fail", "tcp.no_route", "your network team"
    )


def test_an_expired_certificate(authority: Authority, tmp_path: Path) -> None:
    context = authority.context(tmp_path, "127.0.0.1", begins=-9 * DAY, ends=-2 * DAY)
    found = https_at(IMANAGE, context)
    assert found.says("tls", "fail", "tls.expired", "your iManage admin")
    assert found.fact("tls", "Valid until")
    assert found.says("api", "skipped")


def test_a_certificate_that_begins_tomorrow(authority: Authority, tmp_path: Path) -> None:
    context = authority.context(tmp_path, "127.0.0.1", begins=DAY)
    assert https_at(IMANAGE, context).says("tls", "fail", "tls.not_yet_valid", "your iManage admin")


@pytest.mark.parametrize(("left", "outcome"), [(20, "warn"), (22, "pass")])
def test_a_certificate_that_ends_soon(authority: Authority, tmp_path: Path, left: int, outcome: str) -> None:
    context = authority.context(tmp_path, "127.0.0.1", ends=left * DAY + timedelta(hours=1))
    found = https_at(IMANAGE, context)
    assert found.says("tls", outcome, "tls.expires_soon" if outcome == "warn" else "")
    assert found.says("api", "pass")


@pytest.mark.parametrize("host", ["127.0.0.1", HOST])
def test_a_certificate_for_another_name(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    names_lead_here(monkeypatch, HOST)
    found = https_at(IMANAGE, authority.context(tmp_path, "dms.firm.test", "work.firm.test"), host)
    assert found.says("tls", "fail", "tls.wrong_name", "your iManage admin")
    assert found.fact("tls", "Names in the certificate") == "dms.firm.test, work.firm.test"


def test_an_authority_that_nobody_here_knows(authority: Authority, tmp_path: Path) -> None:
    inspecting = Authority("Inspecting Gateway")
    found = https_at(IMANAGE, inspecting.context(tmp_path, "127.0.0.1", chain=inspecting.pem))
    assert found.says("tls", "fail", "tls.unknown_authority", "you")
    assert "Inspecting Gateway" in found.fact("tls", "Issued by")
    alone = https_at(IMANAGE, inspecting.context(tmp_path, "127.0.0.1"))
    assert alone.says("tls", "fail", "tls.unknown_authority")


def test_an_unknown_authority_whose_certificate_has_expired_is_told_as_both(
    authority: Authority, tmp_path: Path
) -> None:
    """A handshake stops at the first of them; an admin who adds the authority would meet the second one after."""
    context = Authority("Inspecting Gateway").context(tmp_path, "dms.firm.test", ends=-DAY, begins=-2 * DAY)
    found = https_at(IMANAGE, context)
    assert found.says("tls", "fail", "tls.unknown_authority", "you")
    for words in ("Counterpart does not know the authority", "has expired", "for another host name"):
        assert words in found["tls"].sentence
    assert "add its certificate under Custom CA" in found["tls"].next_step
    assert "to be renewed" in found["tls"].next_step


def test_a_certificate_that_only_vouches_for_itself(tmp_path: Path) -> None:
    found = https_at(IMANAGE, self_signed(tmp_path, "127.0.0.1"))
    assert found.says("tls", "fail", "tls.self_signed", "your iManage admin")


def test_a_chain_without_its_middle(authority: Authority, tmp_path: Path) -> None:
    issuing = Authority(above=authority)
    found = https_at(IMANAGE, issuing.context(tmp_path, "127.0.0.1"))
    assert found.says("tls", "fail", "tls.incomplete", "your iManage admin")
    whole = https_at(IMANAGE, issuing.context(tmp_path, "127.0.0.1", chain=issuing.pem))
    assert whole.says("tls", "pass")


def test_a_server_with_old_tls_only(authority: Authority, tmp_path: Path) -> None:
    context = authority.context(tmp_path, "127.0.0.1")
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    assert https_at(IMANAGE, context).says("tls", "fail", "tls.too_old", "your iManage admin")


def test_a_server_with_weak_ciphers_only(authority: Authority, tmp_path: Path) -> None:
    context = authority.context(tmp_path, "127.0.0.1")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("NULL:@SECLEVEL=0")
    assert https_at(IMANAGE, context).says("tls", "fail", "tls.too_weak", "your iManage admin")


def test_plain_http_at_the_port() -> None:
    plain = answering(page(b"400 Bad Request", b"Bad Request"))
    assert https_at(plain, None).says("tls", "fail", "tls.plain_http", "your iManage admin")


def test_a_port_that_breaks_off_at_the_first_word() -> None:
    def hear_and_reset(connection: socket.socket) -> None:
        connection.recv(1)
        reset(connection)

    assert https_at(hear_and_reset, None).says("tls", "fail", "tls.broken_off", "your network team")


@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")
def test_a_port_that_breaks_off_before_any_word() -> None:
    """It depends on the moment whether the end is seen while connecting or just after.

    Where it is seen as TLS takes the socket over, Python 3.11 drops the socket without closing it first.
    """
    found = https_at(reset, None)
    first = found.report.first_problem
    assert first is not None and first.code in {"tcp.reset", "tls.broken_off"}
    assert first.owner == "your network team"


def test_a_line_that_is_gone_before_one_can_look(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_: socket.socket) -> None:
        raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")

    monkeypatch.setattr(socket.socket, "getpeername", gone)
    assert https_at(silence, None).says("tcp", "fail", "tcp.reset", "your network team")


def test_a_port_that_takes_the_connection_and_says_nothing() -> None:
    assert https_at(silence, None).says("tls", "fail", "tls.silent", "your network team")


def test_a_server_that_wants_a_client_certificate(authority: Authority, tmp_path: Path) -> None:
    context = authority.context(tmp_path, "127.0.0.1")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=authority.pem)
    found = https_at(IMANAGE, context)
    assert found.says("api", "fail", "line.tls", "your network team")


def test_a_server_that_hears_and_does_not_answer(authority: Authority, tmp_path: Path) -> None:
    found = https_at(silence, authority.context(tmp_path, "127.0.0.1"))
    assert found.says("api", "fail", "line.silent", "your iManage admin")


def test_a_line_that_breaks_before_the_answer(authority: Authority, tmp_path: Path) -> None:
    def cut(connection: socket.socket) -> None:
        connection.recv(4096)

    found = https_at(cut, authority.context(tmp_path, "127.0.0.1"))
    assert found.says("api", "fail", "line.broken", "your network team")


def test_the_api_url_is_looked_at_by_itself(authority: Authority, tmp_path: Path) -> None:
    context = authority.context(tmp_path, "127.0.0.1", begins=-9 * DAY, ends=-2 * DAY)
    with line(IMANAGE) as good, line(IMANAGE, context) as bad:
        found = checked(server_at(f"http://127.0.0.1:{good.port}", f"https://127.0.0.1:{bad.port}"))
    assert found.says("api", "pass")
    assert found.says("api_tcp", "pass")
    assert found.says("api_tls", "fail", "tls.expired", "your iManage admin")
    assert found.says("api_api", "skipped")
    assert found.says("secret", "skipped")


def test_a_firm_s_own_authority_is_trusted_where_the_server_has_it(tmp_path: Path) -> None:
    own = Authority("Firm LLP")
    with line(IMANAGE, own.context(tmp_path, "127.0.0.1")) as there:
        url = f"https://127.0.0.1:{there.port}"
        assert checked(server_at(url, ca_pem=own.pem)).says("tls", "pass")
    with line(IMANAGE, own.context(tmp_path, "127.0.0.1")) as there:
        found = checked(server_at(f"https://127.0.0.1:{there.port}", ca_pem=Authority("Firm LLP").pem))
    assert found.says("tls", "fail", "tls.unknown_authority", "you")
