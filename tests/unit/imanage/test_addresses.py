"""Typed server addresses: accepted, normalised or refused with a reason."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network

import pytest

from imanage.addresses import (
    AddressRefusedError,
    AddressRules,
    parse_server_url,
    parse_subdomain,
)
from tests.support.hostile_input import lines

RULES = AddressRules()
LOOPBACK = replace(
    RULES, networks=(ip_network("127.0.0.0/8"),), allow_http=True, ports=frozenset({443, 8900})
)


@pytest.mark.parametrize("url", lines("refused_urls.txt") + lines("refused_urls_more.txt"))
def test_refuses_with_a_sentence(url: str) -> None:
    with pytest.raises(AddressRefusedError) as caught:
        parse_server_url(url, RULES)
    assert caught.value.sentence.endswith((".", "https://"))
    assert caught.value.code.startswith("address.")


@pytest.mark.parametrize("url", lines("private_urls.txt"))
def test_private_networks_are_for_on_premise_servers_only(url: str) -> None:
    assert parse_server_url(url, RULES).origin == url.rstrip("/")
    with pytest.raises(AddressRefusedError) as caught:
        parse_server_url(url, replace(RULES, allow_private=False))
    assert caught.value.code == "address.private"


@pytest.mark.parametrize(
    ("typed", "origin"),
    [
        ("https://imanage.firm.com", "https://imanage.firm.com"),
        ("  https://imanage.firm.com/ \n", "https://imanage.firm.com"),
        ("HTTPS://IManage.Firm.COM", "https://imanage.firm.com"),
        ("imanage.firm.com", "https://imanage.firm.com"),
        ("imanage.firm.com:443", "https://imanage.firm.com"),
        ("https://imanage.firm.com:443/", "https://imanage.firm.com"),
        ("https://firm-mobility.imanage.work", "https://firm-mobility.imanage.work"),
        ("https://BÜCHER.example", "https://xn--bcher-kva.example"),
        ("https://bu\u0308cher.example", "https://xn--bcher-kva.example"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("https://8.8.8.8/", "https://8.8.8.8"),
        ("https://[2606:4700:4700:0:0:0:0:1111]/", "https://[2606:4700:4700::1111]"),
        ("https://[64:ff9b::808:808]/", "https://[64:ff9b::808:808]"),
        ("https://1and1.example", "https://1and1.example"),
        ("https://3com.com", "https://3com.com"),
    ],
)
def test_accepts_and_normalises(typed: str, origin: str) -> None:
    address = parse_server_url(typed, RULES)
    completed = None if "://" in typed else "We added “https://”."
    assert (address.origin, address.notice) == (origin, completed)


@pytest.mark.parametrize("path", ["/work/web", "/login", "/work/", "/work/web/;x=1", "/a%20b", "///"])
def test_removes_a_pasted_path_and_says_so(path: str) -> None:
    address = parse_server_url(f"https://imanage.firm.com{path}", RULES)
    assert address.origin == "https://imanage.firm.com"
    if path.strip("/"):
        assert address.notice == f"We removed “{path}”. Only the host is needed."


def test_a_refused_port_names_the_setting() -> None:
    with pytest.raises(AddressRefusedError, match="COUNTERPART_IMANAGE_PORTS") as caught:
        parse_server_url("https://imanage.firm.com:8443", RULES)
    assert "8443" in caught.value.sentence


def test_settings_allow_a_port_plain_http_and_loopback() -> None:
    assert parse_server_url("http://127.0.0.1:8900/x", LOOPBACK).origin == "http://127.0.0.1:8900"
    assert parse_server_url("http://localhost:8900", LOOPBACK).origin == "http://localhost:8900"
    with pytest.raises(AddressRefusedError):
        parse_server_url("http://127.0.0.1", LOOPBACK)
    with pytest.raises(AddressRefusedError):
        parse_server_url("http://[::1]:8900", LOOPBACK)
    with pytest.raises(AddressRefusedError):
        parse_server_url("http://[::ffff:127.0.0.1]:8900", LOOPBACK)


@pytest.mark.parametrize(
    "typed", ["", "   ", "\n", "https://" + "a" * 300, "https://" + "a." * 200 + "com", "x" * 3000]
)
def test_refuses_nothing_and_too_much(typed: str) -> None:
    with pytest.raises(AddressRefusedError):
        parse_server_url(typed, RULES)


@pytest.mark.parametrize(
    ("typed", "origin"),
    [
        ("", "https://cloudimanage.com"),
        ("  ", "https://cloudimanage.com"),
        ("Firm", "https://firm.cloudimanage.com"),
        (" firm-uk ", "https://firm-uk.cloudimanage.com"),
        ("7", "https://7.cloudimanage.com"),
        ("a" * 63, f"https://{'a' * 63}.cloudimanage.com"),
    ],
)
def test_a_subdomain_is_one_label(typed: str, origin: str) -> None:
    assert parse_subdomain(typed, RULES).origin == origin


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("https://firm.cloudimanage.com", "subdomain_url"),
        ("firm/work", "subdomain_url"),
        ("firm:443", "subdomain_url"),
        ("firm.cloudimanage.com", "subdomain_dots"),
        ("cloudimanage.com", "subdomain_dots"),
        ("a.b", "subdomain_dots"),
        (".", "subdomain_dots"),
        ("evil.test#", "subdomain_dots"),
        ("my_firm", "subdomain_underscore"),
        ("-firm", "subdomain_hyphen"),
        ("firm-", "subdomain_hyphen"),
        ("a" * 64, "subdomain_long"),
        ("my firm", "subdomain_characters"),
        ("firm@evil", "subdomain_characters"),
        ("firm?", "subdomain_characters"),
        ("firm\\evil", "subdomain_characters"),
        ("fírm", "subdomain_characters"),
        ("ⓕirm", "subdomain_characters"),
        ("fi\u200brm", "subdomain_characters"),
        ("firm。evil", "subdomain_characters"),
        ("%66irm", "subdomain_characters"),
    ],
)
def test_each_wrong_subdomain_has_its_own_sentence(typed: str, code: str) -> None:
    with pytest.raises(AddressRefusedError) as caught:
        parse_subdomain(typed, RULES)
    assert caught.value.code == f"address.{code}"
