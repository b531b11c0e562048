"""What holds for every answer: headers, whom a forwarded header is believed from, sizes, CSRF, and readable errors."""

from __future__ import annotations

import gzip
import ipaddress
import json
import uuid
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from app import create_app
from config import Settings
from tests.support.pages import Browser, read
from tests.support.people import make_member
from tests.support.transfers import make_matter

SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
MULTIPART = "multipart/form-data; boundary=edge"
LARGE_UPLOAD = (
    b'--edge\r\nContent-Disposition: form-data; name="file"; filename="Large.docx"\r\n\r\n'
    + b"x" * (2 * 1024 * 1024)
    + b"\r\n--edge--\r\n"
)
CSP = ("default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'")


def other_app(settings: Settings, tmp_path: Path, **changes: object) -> Flask:
    """A second application beside the run's own, on a data folder of its own."""
    values = {"data_dir": tmp_path, "database_url": f"sqlite:///{tmp_path / 'other.sqlite'}", **changes}
    return create_app(replace(settings, **values))


@pytest.mark.parametrize("url", ["/sign-in", "/", "/no-such-page", "/health/live"])
def test_every_answer_has_the_safe_headers(browser: Browser, url: str) -> None:
    response = browser.get(url)
    for name, value in SAFE_HEADERS.items():
        assert response.headers[name] == value
    policy = response.headers["Content-Security-Policy"]
    assert all(rule in policy for rule in CSP)
    assert "unsafe" not in policy
    assert "Strict-Transport-Security" not in response.headers
    assert "HX-Request" in response.headers.get("Vary", "")


def test_a_named_static_file_is_kept_for_ever(browser: Browser) -> None:
    make_member()
    page = browser.page("/sign-in")
    name = next(link for link in page.html.split('"') if "/static/" in link and "v=" in link)
    kept = browser.get(name, headers={"Accept-Encoding": "gzip"}, buffered=True)
    assert "immutable" in kept.headers["Cache-Control"]
    assert kept.headers["Content-Encoding"] == "gzip"
    plain = browser.get(name, buffered=True)
    assert gzip.decompress(kept.data) == plain.data
    assert "Accept-Encoding" in kept.headers["Vary"] and "Accept-Encoding" in plain.headers["Vary"]


def test_over_https_the_cookie_is_bound_to_the_host_and_the_browser_told_to_stay(
    settings: Settings, tmp_path: Path, own_runtime: None
) -> None:
    app = other_app(settings, tmp_path, public_url="https://cp.firm.test", api_url="https://cp.firm.test")
    assert app.config["SESSION_COOKIE_NAME"].startswith("__Host-")
    assert app.config["SESSION_COOKIE_SECURE"] and app.config["SESSION_COOKIE_HTTPONLY"]
    assert app.config["SESSION_COOKIE_SAMESITE"] == "Lax"
    response = app.test_client().get("/health/live")
    assert response.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_browsers_are_told_of_the_hosts_below_ours_only_where_that_is_set(
    settings: Settings, tmp_path: Path, own_runtime: None
) -> None:
    """A firm's other hosts may not speak https."""
    url = "https://cp.firm.test"
    app = other_app(settings, tmp_path, public_url=url, api_url=url, hsts_subdomains=True)
    told = app.test_client().get("/health/live").headers["Strict-Transport-Security"]
    assert told == "max-age=31536000; includeSubDomains"
    assert not Settings.from_env({"COUNTERPART_DATA_DIR": str(tmp_path)}).hsts_subdomains
    given = {"COUNTERPART_DATA_DIR": str(tmp_path), "COUNTERPART_HSTS_SUBDOMAINS": "1"}
    assert Settings.from_env(given).hsts_subdomains


@pytest.mark.parametrize(("proxies", "seen"), [((), "127.0.0.1"), (("127.0.0.0/8",), "203.0.113.9")])
def test_a_forwarded_address_is_believed_from_named_proxies_only(
    tmp_path: Path, own_runtime: None, proxies: tuple[str, ...], seen: str
) -> None:
    assert seen_through(tmp_path, proxies, "127.0.0.1") == [seen]


@pytest.mark.parametrize(("proxies", "seen"), [((), "127.0.0.1"), (("127.0.0.0/8",), "203.0.113.9")])
def test_a_mapped_address_is_its_plain_one(
    tmp_path: Path, own_runtime: None, proxies: tuple[str, ...], seen: str
) -> None:
    """As a socket for both kinds of address writes it."""
    assert seen_through(tmp_path, proxies, "::ffff:127.0.0.1") == [seen]


def seen_through(tmp_path: Path, proxies: tuple[str, ...], peer: str) -> list[str]:
    """Whom a new application takes a call from `peer` to come from that says it was forwarded."""
    environ = {
        "COUNTERPART_DATA_DIR": str(tmp_path),
        "COUNTERPART_TRUSTED_PROXIES": ",".join(proxies),
    }
    app = create_app(Settings.from_env(environ))
    found = []
    app.before_request_funcs.setdefault(None, []).insert(0, lambda: found.append(_address()))
    app.test_client().get(
        "/health/live",
        headers={"X-Forwarded-For": "203.0.113.9"},
        environ_base={"REMOTE_ADDR": peer},
    )
    return found


def _address() -> str:
    from flask import request

    return request.remote_addr or ""


def test_a_large_body_is_refused_everywhere_but_where_documents_go(browser: Browser) -> None:
    member = make_member()
    browser.sign_in(member)
    matter_id = make_matter(member.id)
    large = {"name": "x" * (2 * 1024 * 1024)}
    assert browser.post("/matters/new", large).status_code == 413
    response = browser.post(f"/matters/{matter_id}/documents/new", LARGE_UPLOAD, content_type=MULTIPART)
    assert response.status_code in {200, 204, 303}


def test_nobody_may_send_a_large_body_before_they_are_known(browser: Browser) -> None:
    url = f"/matters/{uuid.uuid4()}/documents/new"
    response = browser.client.post(url, data=LARGE_UPLOAD, content_type=MULTIPART)
    assert response.status_code == 401
    assert "You were signed out" in read(response, whole=True).text


def test_a_write_without_a_token_is_refused_and_says_what_to_do(browser: Browser) -> None:
    browser.sign_in(make_member())
    response = browser.client.post("/matters/new", data={"name": "Forged"})
    assert response.status_code == 400
    assert "Reload the page" in read(response, whole=True).text


@pytest.mark.parametrize("htmx", [False, True], ids=["page", "fragment"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.test/" + "x" * 90},
        {"Origin": "http://127.0.0.1:8001"},
        {"Origin": "http://127.0.0.1:8000", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_write_from_another_address_is_told_as_such(
    browser: Browser, headers: dict[str, str], htmx: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    browser.sign_in(make_member())
    response = browser.post("/matters/new", {"name": "Forged"}, headers=headers, htmx=htmx)
    assert response.status_code == 400
    page = read(response, whole=not htmx)
    assert "only from its own pages, at http://127.0.0.1:8000" in page.text
    assert "evil" not in page.text and "open for too long" not in page.text
    line = next(line for line in capsys.readouterr().err.splitlines() if "request.foreign_origin" in line)
    told = json.loads(line)
    assert told["origin"] == headers.get("Origin") and told["expected"] == "http://127.0.0.1:8000"


def test_what_a_stranger_says_of_where_they_are_fills_no_log(
    browser: Browser, capsys: pytest.CaptureFixture[str]
) -> None:
    said = "http://" + "ÿ" * 100_000
    for name in ("Origin", "Sec-Fetch-Site"):
        assert browser.post("/sign-in", {}, headers={name: said}).status_code == 400
    log = capsys.readouterr().err
    assert log.count("request.foreign_origin") == 2 and len(log) < 8000


@pytest.mark.parametrize("name", ["If-Modified-Since", "If-Unmodified-Since", "If-Range"])
def test_a_date_that_no_calendar_has_is_no_condition(browser: Browser, name: str) -> None:
    headers = {name: "Mon, 30 Nov 99999999999999 10:00:00 GMT", "Range": "bytes=0-1"}
    with browser.client.get("/static/mark.svg", headers=headers) as response:
        assert response.status_code in {200, 206}


@pytest.mark.parametrize(
    ("public_url", "origin"),
    [
        ("https://CP.Firm.Test", "https://cp.firm.test"),
        ("https://cp.firm.test:443", "https://cp.firm.test"),
        ("https://kanzlei-müller.test", "https://xn--kanzlei-mller-4ob.test"),
    ],
)
def test_a_write_from_the_public_address_is_ours_however_that_is_written(
    tmp_path: Path, own_runtime: None, public_url: str, origin: str
) -> None:
    app = create_app(
        Settings.from_env({"COUNTERPART_DATA_DIR": str(tmp_path), "COUNTERPART_PUBLIC_URL": public_url})
    )
    answer = app.test_client().post("/sign-in", headers={"Origin": origin})
    assert "at another address" not in answer.text
    assert "another site" in app.test_client().post("/sign-in", headers={"Origin": f"{origin}.evil"}).text


def test_our_own_limit_is_named(app: Flask, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    member = make_member()
    matter_id = make_matter(browser.sign_in(member) and member.id)
    monkeypatch.setitem(app.config, "SETTINGS", replace(app.config["SETTINGS"], max_document_bytes=1_500_000))
    response = browser.post(f"/matters/{matter_id}/documents/new", LARGE_UPLOAD * 2, content_type=MULTIPART)
    assert response.status_code == 413
    assert "Counterpart accepts files of up to 1.5 MB here" in read(response, whole=True).text


def test_an_error_is_a_page_for_a_person_and_a_toast_for_htmx(browser: Browser) -> None:
    browser.sign_in(make_member())
    url = f"/matters/{uuid.uuid4()}"
    page = browser.page(url, status=404)
    assert "We could not find this matter." in page.text
    response = browser.get(url, htmx=True)
    assert response.status_code == 404
    assert response.headers["HX-Retarget"] == "#toasts"
    assert "We could not find this matter." in read(response, whole=False).text


def test_an_unexpected_error_is_a_page_with_a_reference_and_no_detail(
    app: Flask, browser: Browser, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    browser.sign_in(make_member())

    def broken(*_arguments: object, **_more: object) -> None:
        raise RuntimeError("the inner secret")

    monkeypatch.setitem(app.view_functions, "matters.index", _like(app, broken))
    response = browser.get("/")
    assert response.status_code == 500
    page = read(response, whole=True)
    assert "unexpected error" in page.text
    assert "inner secret" not in page.html
    logged = capsys.readouterr().err
    assert "request.failed" in logged
    reference = json.loads(next(line for line in logged.splitlines() if "request.failed" in line))[
        "request_id"
    ]
    assert reference in page.text


def _like(app: Flask, view: object) -> object:
    view.__dict__["permission"] = app.view_functions["matters.index"].__dict__["permission"]
    return view


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8000", 302),
        ("localhost:8000", 302),
        ("10.1.2.3", 302),
        ("[fd00::7]:8000", 302),
        ("counterpart.firm.test", 302),
        ("api.firm.test", 302),
        ("COUNTERPART.firm.test:443", 302),
        ("evil.test", 400),
        ("counterpart.firm.test.evil.test", 400),
        ("127.0.0.1.evil.test", 400),
        ("localhost.evil.test", 400),
        ("[", 400),
    ],
)
def test_only_our_own_hosts_and_addresses_are_answered_for(
    settings: Settings, tmp_path: Path, own_runtime: None, host: str, status: int
) -> None:
    """DNS rebinding: a name of an attacker that leads to us."""
    urls = {"public_url": "https://counterpart.firm.test", "api_url": "https://api.firm.test"}
    app = other_app(settings, tmp_path, **urls)
    answer = app.test_client().get("/", headers={"Host": host})
    assert answer.status_code == status
    if status == 400 and host != "[":
        assert "Counterpart is at another address" in answer.text and host not in answer.text
    post = app.test_client().post("/sign-in", headers={"Host": host, "Origin": f"https://{host}"})
    assert (b"another address" in post.data) == (status == 400)


def test_a_trusted_proxy_may_ask_under_another_host(
    settings: Settings, tmp_path: Path, own_runtime: None
) -> None:
    proxies = (ipaddress.ip_network("192.0.2.7/32"),)
    app = other_app(settings, tmp_path, trusted_proxies=proxies)
    for peer, status in (("192.0.2.7", 302), ("192.0.2.8", 400)):
        answer = app.test_client().get("/", headers={"Host": "upstream"}, environ_base={"REMOTE_ADDR": peer})
        assert answer.status_code == status


def test_a_route_without_a_permission_is_refused(
    settings: Settings, tmp_path: Path, own_runtime: None
) -> None:
    app = other_app(settings, tmp_path)
    app.add_url_rule("/unmarked", "unmarked", lambda: "reached", methods=["GET", "POST"])
    for method in ("GET", "POST"):
        answer = app.test_client().open("/unmarked", method=method)
        assert answer.status_code == 404 and "reached" not in answer.text
