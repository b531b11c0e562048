"""What can answer in iManage's place, and how iManage itself answers when it is not well."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from simulator import Fault, Simulator
from tests.support.loopback_servers import line, ok
from tests.support.practice import practice_server
from tests.support.server_checks import UNKNOWN_SIGN_IN, Checked, answer, checked, page, server_at, site
from tests.support.settings import change_settings


def at(pages: dict[str, bytes], otherwise: bytes = b"") -> Checked:
    with line(site(pages, otherwise)) as there:
        return checked(server_at(f"http://127.0.0.1:{there.port}"))


def test_imanage_itself(practice: Simulator) -> None:
    found = checked(server_at(practice.url))
    assert found.says("api", "pass")
    assert found.fact("api", "iManage version") == practice.settings.dms_version
    assert found.says("clock", "pass")
    assert found.says("tls", "skipped")


def test_imanage_that_answers_below_work_only() -> None:
    assert at({"GET /work/api ": ok(UNKNOWN_SIGN_IN)}).says("api", "pass")


def test_imanage_that_says_nothing_to_strangers() -> None:
    refusal = b'{"error": {"code": "NRC_SESSION_INVALID", "message": "X-Auth-Token is invalid or missing"}}'
    found = at({"GET /api ": answer(b"401 Unauthorized", refusal, b"Content-Type: application/json")})
    assert found.says("api", "pass")


@pytest.mark.parametrize(
    ("said", "code", "owner"),
    [
        (page(b"407 Proxy Authentication Required", b"Proxy sign-in"), "proxy.sign_in", "your network team"),
        (page(b"200 OK", b"Welcome to the wiki"), "api.not_imanage", "you"),
        (page(b"200 OK", b"Web Gateway: not allowed"), "proxy.own_page", "your network team"),
        (page(b"200 OK", b"Sign in to your account"), "proxy.sign_in_page", "your network team"),
        (page(b"403 Forbidden", b"Microsoft Entra"), "proxy.sign_in_page", "your network team"),
        (
            answer(b"302 Found", b"", b"Location: https://login.microsoftonline.com/t/oauth2/authorize?x=1"),
            "proxy.sign_in_page",
            "your network team",
        ),
        (page(b"403 Forbidden", b"Zscaler: not allowed"), "proxy.own_page", "your network team"),
        (page(b"403 Forbidden", b"Forbidden", b"Server: squid/5.7"), "proxy.own_page", "your network team"),
        (page(b"403 Forbidden", b"Forbidden"), "proxy.refused", "your network team"),
        (
            page(b"511 Network Authentication Required", b"Guests"),
            "proxy.captive_portal",
            "your network team",
        ),
        (page(b"404 Not Found", b"Not Found"), "api.not_found", "you"),
        (ok(b'{"hello": "world"}'), "api.not_imanage", "you"),
        (ok(b"[" * 2000), "api.not_imanage", "you"),
        (ok(b"SSH-2.0-OpenSSH_9.2"), "api.not_imanage", "you"),
        (ok(b"x" * 1_200_000), "api.not_imanage", "you"),
        (page(b"503 Service Unavailable", b"No server is available"), "api.gateway", "your iManage admin"),
        (answer(b"500 Internal Server Error", b"{}"), "api.server_fault", "your iManage admin"),
        (
            answer(b"302 Found", b"", b"Location: https://sso.firm.test/gate?secret=1"),
            "api.redirected",
            "you",
        ),
    ],
)
def test_what_may_answer_in_its_place(said: bytes, code: str, owner: str) -> None:
    found = at({}, otherwise=said)
    assert found.says("api", "fail", code, owner)
    assert found.says("sign_in_page", "skipped")
    assert "secret=1" not in str(found.report)


CANARY = "canary"
OTHERS = {
    "a wiki": page(
        b"200 OK", b"canary-wiki of the board", b"Server: canary-httpd/1", b"Via: 1.1 canary-cache"
    ),
    "a wiki that refuses": page(b"403 Forbidden", b"canary-wiki", b"Server: canary-httpd/1"),
    "a wiki that is not there": page(b"404 Not Found", b"canary-wiki", b"Server: canary-httpd/1"),
    "a wiki that is broken": page(b"500 Internal Server Error", b"canary-wiki", b"Server: canary-httpd/1"),
    "a door of its own": page(b"503 Service Unavailable", b"canary-wiki", b"X-Powered-By: canary"),
    "one that wants a sign-in": page(
        b"407 Proxy Authentication Required", b"canary", b"Proxy-Authenticate: Basic x"
    ),
    "one for guests": page(b"511 Network Authentication Required", b"canary"),
    "one that is busy": page(b"429 Too Many Requests", b"canary", b"Server: canary-httpd/1"),
    "sent on elsewhere": answer(
        b"302 Found", b"", b"Location: https://canary.firm.test/canary", b"Server: canary/1"
    ),
    "sent on within": answer(b"302 Found", b"", b"Location: /canary/login"),
    "a page of a known name and a canary": page(
        b"200 OK", b"canary", b"Via: 1.1 (squid/5.7)", b"Server: canary"
    ),
    "json": ok(b'{"canary": "canary", "error": {"code": "canary", "message": "canary"}}'),
    "no web server": ok(b"220 canary ESMTP"),
}


@pytest.mark.parametrize("said", OTHERS.values(), ids=OTHERS)
def test_nothing_that_another_host_says_is_told_on(said: bytes) -> None:
    found = at({}, otherwise=said)
    assert found["api"].outcome != "pass"
    assert CANARY not in str(found.report).lower()


def test_what_a_known_product_says_of_itself_is_told() -> None:
    found = at({}, otherwise=page(b"403 Forbidden", b"Zscaler: not allowed", b"Server: squid/5.7"))
    assert found.fact("api", "Page title") == "Zscaler: not allowed"
    assert found.fact("api", "Server") == "squid/5.7"


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("https://sso.firm.test/gate", "another host"),
        ("/intranet/login", "another page on this host"),
        ("/work/web", "/work/web"),
        ("https://firm.okta.com/app/imanage?secret=1", "https://firm.okta.com/app/imanage"),
        ("https://login.microsoftonline.com/common", "https://login.microsoftonline.com/common"),
    ],
)
def test_where_it_is_sent_on_to_is_told_where_that_is_known(location: str, told: str) -> None:
    found = at({}, otherwise=answer(b"302 Found", b"", b"Location: " + location.encode()))
    assert found.fact("api", "Redirects to") == told


def test_a_path_too_many(practice: Simulator) -> None:
    found = checked(server_at(f"{practice.url}/work/web"))
    assert found.says("api", "fail", "address.path", "you")
    assert found.fact("api", "iManage answers at") == practice.url


@pytest.mark.parametrize("is_open", [True, False])
def test_a_port_too_many(practice: Simulator, monkeypatch: pytest.MonkeyPatch, is_open: bool) -> None:
    """iManage is at the usual port, and something else, or nothing, at the one in the address."""
    usual = socket.getaddrinfo

    def look_up(host: str, port: int, *rest: object, **more: object) -> list[tuple[object, ...]]:
        return usual(host, practice.port if port == 80 else port, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    change_settings(imanage_ports=frozenset({80}))
    with line(site({})) as there:
        url = f"http://127.0.0.1:{there.port}"
        if not is_open:
            there.close()
        found = checked(server_at(url))
    assert found.says("api" if is_open else "tcp", "fail", "address.port", "you")


@pytest.mark.parametrize(
    ("seconds", "outcome", "code"),
    [
        (30, "pass", ""),
        (90, "warn", "clock.apart"),
        (-400, "fail", "clock.wrong"),
        (9000, "fail", "clock.wrong"),
    ],
)
def test_clocks_that_are_apart(seconds: int, outcome: str, code: str) -> None:
    theirs = format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)
    found = at({"GET /api ": ok(UNKNOWN_SIGN_IN, b"Date: " + theirs.encode())})
    assert found.says("clock", outcome, code, "your network team" if code else "")


def test_a_server_that_does_not_say_the_time() -> None:
    assert at({"GET /api ": ok(UNKNOWN_SIGN_IN)}).says("clock", "skipped")
    assert at({"GET /api ": ok(UNKNOWN_SIGN_IN, b"Date: yesterday")}).says("clock", "skipped")


@pytest.mark.parametrize("path", ["/api", "/auth/oauth2/authorize", "/auth/oauth2/token"])
def test_a_server_that_asks_us_to_wait(practice: Simulator, path: str) -> None:
    practice.faults.add(Fault("throttle", path=path, reset=7, times=None))
    found = checked(practice_server(practice))
    key = {"/api": "api", "/auth/oauth2/authorize": "sign_in_page", "/auth/oauth2/token": "secret"}[path]
    assert found.says(key, "warn", "throttled.calls", "your iManage admin")
    assert found.fact(key, "Retry after") == "7 seconds"
    assert found.report.state == "warning"
