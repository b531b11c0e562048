"""Which IP addresses may be connected to."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest

from imanage.networks import AddressRefusedError, AddressRules, check_address

RULES = AddressRules()
PUBLIC_ONLY = replace(RULES, allow_private=False)


def allowed(ip: str, rules: AddressRules) -> bool:
    try:
        check_address(ip, rules)
    except AddressRefusedError:
        return False
    return True


@pytest.mark.parametrize(
    "network",
    [
        "0.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::ffff:0:0:0/96",
        "100::/64",
        "2001:db8::/32",
        "3fff::/20",
        "5f00::/16",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
        "168.63.129.16/32",
        "fd00:ec2::254/128",
    ],
)
def test_both_ends_of_every_special_range_are_refused_unless_allowed(network: str) -> None:
    block = ip_network(network)
    for address in (block[0], block[-1]):
        assert not allowed(str(address), RULES)
        assert allowed(str(address), replace(RULES, networks=(block,)))


def nat64(inner: str) -> str:
    return f"64:ff9b::{inner}"


def mapped(inner: str) -> str:
    return f"::ffff:{inner}"


def compatible(inner: str) -> str:
    return f"::{inner}"


def local_nat64(inner: str) -> str:
    return f"64:ff9b:1:2:3:4:{inner}"


def six_to_four(inner: str) -> str:
    return str(IPv6Address((0x2002 << 112) | int(IPv4Address(inner)) << 80 | 1))


def teredo_client(inner: str) -> str:
    return str(
        IPv6Address(
            (0x20010000 << 96) | int(IPv4Address("8.8.8.8")) << 64 | int(IPv4Address(inner)) ^ 0xFFFFFFFF
        )
    )


def teredo_server(inner: str) -> str:
    return str(
        IPv6Address(
            (0x20010000 << 96) | int(IPv4Address(inner)) << 64 | int(IPv4Address("8.8.8.8")) ^ 0xFFFFFFFF
        )
    )


def isatap(inner: str) -> str:
    return f"2606:4700::5efe:{inner}"


def isatap_global(inner: str) -> str:
    return f"2606:4700::200:5efe:{inner}"


WAYS = [
    nat64,
    mapped,
    compatible,
    local_nat64,
    six_to_four,
    teredo_client,
    teredo_server,
    isatap,
    isatap_global,
]
INSIDE = [
    "127.0.0.1",
    "169.254.169.254",
    "168.63.129.16",
    "100.64.0.1",
    "0.0.0.5",
    "255.255.255.255",
    "192.0.2.1",
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("inner", INSIDE)
def test_an_embedded_refused_address_is_refused_even_in_an_allowed_network(
    way: Callable[[str], str], inner: str
) -> None:
    everything = replace(RULES, networks=(ip_network("::/0"),))
    assert not allowed(way(inner), RULES)
    assert not allowed(way(inner), everything)
    assert allowed(way(inner), replace(everything, networks=(ip_network("::/0"), ip_network(f"{inner}/32"))))


@pytest.mark.parametrize("inner", ["10.0.0.1", "172.31.255.255", "192.168.1.1", "8.8.8.8", *INSIDE])
def test_a_translated_address_follows_the_rule_of_what_it_embeds(inner: str) -> None:
    for rules in (RULES, PUBLIC_ONLY, replace(RULES, networks=(ip_network(f"{inner}/32"),))):
        assert allowed(nat64(inner), rules) == allowed(inner, rules)
        for way in WAYS:
            assert not allowed(way(inner), rules) or allowed(inner, rules)


def test_non_public_networks_are_refused_whatever_they_embed() -> None:
    for way in (mapped, compatible, local_nat64, six_to_four, teredo_client):
        assert not allowed(way("8.8.8.8"), RULES)
        assert allowed(way("8.8.8.8"), replace(RULES, networks=(ip_network("::/0"),)))


@pytest.mark.parametrize("network", ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"])
def test_private_ranges_follow_the_rule_to_their_ends(network: str) -> None:
    block = ip_network(network)
    for address in (block[0], block[-1]):
        assert allowed(str(address), RULES)
        assert not allowed(str(address), PUBLIC_ONLY)


@pytest.mark.parametrize(
    "ip", ["9.255.255.255", "11.0.0.0", "172.32.0.0", "100.128.0.0", "198.20.0.0", "223.255.255.255"]
)
def test_neighbours_of_special_ranges_are_public(ip: str) -> None:
    assert allowed(ip, PUBLIC_ONLY)


def test_nothing_passes_as_public_that_python_does_not_call_global() -> None:
    chance = random.Random(7)
    for _ in range(5_000):
        for address in (IPv4Address(chance.getrandbits(32)), IPv6Address(chance.getrandbits(128))):
            if not address.is_global:
                assert not allowed(str(address), PUBLIC_ONLY), address


@pytest.mark.parametrize(
    "text", ["", "good.example", "127.1", "1.2.3.4.5", "0x7f000001", " 8.8.8.8", "8.8.8.8/32"]
)
def test_an_invalid_address_is_refused(text: str) -> None:
    assert not allowed(text, RULES)


def test_an_address_with_a_zone_is_refused() -> None:
    assert not allowed("2606:4700::1%eth0", RULES)
    assert not allowed("fc00::1%eth0", RULES)
    assert ip_address("2606:4700::1").is_global
