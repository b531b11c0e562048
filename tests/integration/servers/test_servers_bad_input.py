"""Bad input into Add server: a sentence at its field, what was typed stays, and nothing is on record."""

from __future__ import annotations

import pytest
from flask import Flask

from config import Settings
from tests.support.pages import Browser, read
from tests.support.server_forms import (
    SECRET,
    cloud,
    count_servers,
    on_premise,
    use_names,
    use_strict_settings,
)
from tests.support.servers import Names, make_server

NEW = "/admin/integrations/imanage/new"


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Names:
    return use_names(monkeypatch, settings)


@pytest.fixture
def strict(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    use_strict_settings(monkeypatch)


URLS = [
    ("", "Enter the address of the iManage server."),
    ("   ", "Enter the address of the iManage server."),
    ("http://imanage.firm.test", "Use https:// instead of http://"),
    ("ftp://imanage.firm.test", "must start with https://"),
    ("javascript:alert(1)", "must start with https://"),
    ("https://user:pw@imanage.firm.test", "Remove the user name"),
    ("https://imanage.firm.test?x=1", "Remove the “?” and everything after it."),
    ("https://imanage.firm.test/#top", "Remove the “#” and everything after it."),
    ("https://imanage .firm.test", "a space or an invisible character"),
    ("https://imanage.firm\n.test", "a space or an invisible character"),
    ("https://imanage.firm\x00.test", "a space or an invisible character"),
    ("https://imanage.firm.test.", "Remove the dot at the end"),
    ("https://xn--a.firm.test", "characters that are not allowed in a host name"),
    ("https://①②⑦.⓪.⓪.①/", "only look like letters or digits"),
    ("https://[::1]", "COUNTERPART_IMANAGE_NETWORKS"),
    ("https://[fd00:ec2::254]", "COUNTERPART_IMANAGE_NETWORKS"),
    ("https://2130706433", "four numbers between 0 and 255"),
    ("https://0x7f000001", "four numbers between 0 and 255"),
    ("https://localhost", "only works on one machine"),
    ("https://0.0.0.0", "COUNTERPART_IMANAGE_NETWORKS"),
    ("https://127.0.0.1", "COUNTERPART_IMANAGE_NETWORKS"),
    ("https://169.254.169.254/latest", "COUNTERPART_IMANAGE_NETWORKS"),
    ("https://sly.firm.test", "This host name leads to an address that cannot be used."),
    ("https://imanage.firm.test:8443", "COUNTERPART_IMANAGE_PORTS"),
    ("https://imanage.firm.test:0", "The port must be a number between 1 and 65535."),
    (f"https://{'a' * 300}.test", "The host is too long."),
    ("https://" + "a" * 2100, "too long"),
    ("imanage", "Enter the full host name"),
]


@pytest.mark.parametrize("field", ["url", "api_url"])
@pytest.mark.parametrize(("typed", "sentence"), URLS)
def test_a_bad_url_gets_its_sentence_at_its_field_and_stays(
    admin: Browser, strict: None, field: str, typed: str, sentence: str
) -> None:
    if field == "api_url" and not typed.strip():
        typed, sentence = "https://", "The address has no host."
    answer = admin.post(NEW, on_premise(**{field: typed}), htmx=True)
    page = read(answer, whole=False)
    assert answer.status_code == 422
    assert sentence in page.text
    assert page.value_of(field).split() == typed.split()
    assert page.value_of("name") == "London DMS"
    assert page.value_of("client_id") == "counterpart"
    control = next(each for each in page.controls if each.get("name") == field)
    assert f"{field}-error" in control["aria-describedby"].split()
    assert SECRET not in page.html
    assert count_servers() == 0


SUBDOMAINS = [
    ("firm.eu", "A subdomain cannot contain dots."),
    ("cloudimanage.com", "Remove “cloudimanage.com”"),
    ("a.firm.cloudimanage.com", "Remove “cloudimanage.com”"),
    ("https://imanage.firm.test/work", "Choose On-premise for your own server"),
    ("my_firm", "underscore"),
    ("a" * 64, "63 characters or fewer"),
    ("-firm", "cannot begin or end with a hyphen"),
    ("fi rm", "only letters a to z, digits and hyphens"),
    ("fürm", "only letters a to z, digits and hyphens"),
    ("<b>", "only letters a to z, digits and hyphens"),
    ("private", "Addresses of private networks are not allowed here."),
]


@pytest.mark.parametrize(("typed", "sentence"), SUBDOMAINS)
def test_a_bad_subdomain_gets_its_sentence_and_stays(
    admin: Browser, strict: None, typed: str, sentence: str
) -> None:
    answer = admin.post(NEW, cloud(subdomain=typed), htmx=True)
    page = read(answer, whole=False)
    assert answer.status_code == 422
    assert sentence in page.text
    assert page.value_of("subdomain") == typed
    assert page.value_of("name") == "Firm Cloud"
    assert count_servers() == 0


NAMES = [
    ("", "Enter a name."),
    ("  \t ", "Enter a name."),
    ("x" * 300, "Use 100 characters or fewer. You entered 300."),
    ("<b>London</b>", "The name cannot contain “<” or “>”"),
    ("London\u202eSMD", "an invisible character"),
    ("London\x00DMS", "an invisible character"),
    ("!!!", "The name must contain a letter or digit."),
    ("\ufdfa" * 30, "This name is too long."),
    ("ACTIVE dms", "There is already a server with this name"),
]


@pytest.mark.parametrize(("typed", "sentence"), NAMES)
def test_a_bad_name_gets_its_sentence_and_stays(admin: Browser, typed: str, sentence: str) -> None:
    make_server("Active DMS")
    answer = admin.post(NEW, on_premise(name=typed), htmx=True)
    page = read(answer, whole=False)
    assert answer.status_code == 422
    assert sentence in page.text
    assert page.value_of("name") == " ".join(typed.split())
    assert page.value_of("url") == "https://imanage.firm.test"
    assert "<b>London" not in page.html
    assert count_servers() == 1
