"""Which IP addresses may be reached: the one place that says so, for the form and for the socket alike."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


@dataclass(frozen=True)
class AddressRules:
    """What an installation allows. `networks` and `domains` name what would be refused otherwise.

    Where `only` is not empty, no other host and port is connected to, whatever the rest allows.
    """

    ports: frozenset[int] = frozenset({443})
    allow_http: bool = False
    networks: tuple[Network, ...] = ()
    allow_private: bool = True
    cloud_domain: str = "cloudimanage.com"
    domains: tuple[str, ...] = ()
    only: frozenset[tuple[str, int]] = frozenset()


class AddressRefusedError(ValueError):
    """An address that is not accepted. `code` is stable, `sentence` is for the person who typed it."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = f"address.{code}"
        self.sentence = sentence


def _nets(*texts: str) -> tuple[Network, ...]:
    return tuple(ip_network(text) for text in texts)


_PRIVATE = _nets("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
# Cloud metadata and platform services that live among addresses which are otherwise allowed.
_METADATA = _nets("168.63.129.16/32", "fd00:ec2::/32", "fd20:ce::/32")
_PUBLIC_IPV6 = ip_network("2000::/3")
_NAT64 = ip_network("64:ff9b::/96")
_NAT64_LOCAL = ip_network("64:ff9b:1::/48")
_MAPPED = ip_network("::ffff:0:0/96")
_COMPATIBLE = ip_network("::/96")
# IANA's special-purpose registries. Everything outside 2000::/3 is refused for IPv6 without being listed.
_SPECIAL = _nets(
    "0.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.31.196.0/24",
    "192.52.193.0/24",
    "192.88.99.0/24",
    "192.175.48.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "2620:4f:8000::/48",
    "3fff::/20",
)
_SPECIAL_SENTENCE = (
    "This address is one that only the server itself or its network equipment can reach. "
    "Whoever runs this installation can allow it with COUNTERPART_IMANAGE_NETWORKS."
)
_LOOPBACK = (ip_address("127.0.0.1"), ip_address("::1"))


def is_named(ip: str, rules: AddressRules) -> bool:
    """Whether the installation names this address as one that may be reached."""
    return _within(ip_address(ip), rules.networks)


def names_this_machine(rules: AddressRules) -> bool:
    """Whether the installation allows loopback, so that `localhost` may be typed."""
    return any(_within(address, rules.networks) for address in _LOOPBACK)


def judge_address(ip: str, rules: AddressRules) -> None:
    """Raise AddressRefusedError unless this address may be reached."""
    try:
        address = ip_address(ip)
    except ValueError:
        raise AddressRefusedError("not_an_address", "This is not an IP address.") from None
    if isinstance(address, IPv6Address):
        # What leads to an IPv4 address is judged as that too, also where its own network is named.
        for inner in embedded(address):
            judge_address(str(inner), rules)
    if _within(address, rules.networks):
        return
    if isinstance(address, IPv6Address) and address.scope_id:
        raise AddressRefusedError("special", _SPECIAL_SENTENCE)
    if _within(address, _PRIVATE) and not _within(address, _METADATA):
        if not rules.allow_private:
            raise AddressRefusedError("private", "Addresses of private networks are not allowed here.")
    elif address not in _NAT64 and not _public(address):
        raise AddressRefusedError("special", _SPECIAL_SENTENCE)


def leads_to(ip: str) -> tuple[IPv4Address, ...]:
    """The IPv4 addresses behind an address; none behind an IPv4 address."""
    address = ip_address(ip)
    return embedded(address) if isinstance(address, IPv6Address) else ()


def embedded(address: IPv6Address) -> tuple[IPv4Address, ...]:
    """The IPv4 addresses that this one leads to: translated (NAT64), mapped, or through a tunnel.

    A tunnel of Teredo names two, its server and its client.
    """
    whole, last = int(address), IPv4Address(int(address) & 0xFFFFFFFF)
    translated = any(address in network for network in (_NAT64, _NAT64_LOCAL, _MAPPED))
    if translated or (address in _COMPATIBLE and whole > 1):
        return (last,)
    if address.sixtofour is not None:
        return (address.sixtofour,)
    if address.teredo is not None:
        return address.teredo
    # ISATAP: any network, and then 0:5efe or 200:5efe before the IPv4 address.
    return (last,) if whole >> 32 & 0xFDFFFFFF == 0x00005EFE else ()


def _within(address: Address, networks: tuple[Network, ...]) -> bool:
    return any(address in network for network in networks)


def _public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and address not in _PUBLIC_IPV6:
        return False
    return not _within(address, _SPECIAL) and not _within(address, _METADATA)
