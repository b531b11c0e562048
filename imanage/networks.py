"""Which IP addresses may be connected to. Used by the form and by every connection."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


@dataclass(frozen=True)
class AddressRules:
    """What an installation allows. `networks` and `domains` list exceptions that would be refused otherwise.

    If `only` is not empty, connections are limited to its hosts and ports.
    """

    ports: frozenset[int] = frozenset({443})
    allow_http: bool = False
    networks: tuple[Network, ...] = ()
    allow_private: bool = True
    cloud_domain: str = "cloudimanage.com"
    domains: tuple[str, ...] = ()
    only: frozenset[tuple[str, int]] = frozenset()


class AddressRefusedError(ValueError):
    """An address that is not allowed. `code` is stable; `sentence` is shown to the administrator who typed it."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = f"address.{code}"
        self.sentence = sentence


def _nets(*texts: str) -> tuple[Network, ...]:
    return tuple(ip_network(text) for text in texts)


_PRIVATE = _nets("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
# Cloud metadata and platform services inside ranges that are otherwise allowed.
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
    "Only this machine or its network equipment can reach this address. "
    "The operator of this installation can allow it with COUNTERPART_IMANAGE_NETWORKS."
)
_LOOPBACK = (ip_address("127.0.0.1"), ip_address("::1"))


def is_allowed_by_name(ip: str, rules: AddressRules) -> bool:
    """Whether `networks` lists this address."""
    return _within(ip_address(ip), rules.networks)


def allows_loopback(rules: AddressRules) -> bool:
    """Whether `networks` lists a loopback address, so that `localhost` is accepted."""
    return any(_within(address, rules.networks) for address in _LOOPBACK)


def check_address(ip: str, rules: AddressRules) -> None:
    """Raise AddressRefusedError unless this address may be connected to."""
    try:
        address = ip_address(ip)
    except ValueError:
        raise AddressRefusedError("not_an_address", "This is not an IP address.") from None
    if isinstance(address, IPv6Address):
        # An embedded IPv4 address must be allowed too, even if the IPv6 network is listed.
        for inner in embedded(address):
            check_address(str(inner), rules)
    if _within(address, rules.networks):
        return
    if isinstance(address, IPv6Address) and address.scope_id:
        raise AddressRefusedError("special", _SPECIAL_SENTENCE)
    if _within(address, _PRIVATE) and not _within(address, _METADATA):
        if not rules.allow_private:
            raise AddressRefusedError("private", "Addresses of private networks are not allowed here.")
    elif address not in _NAT64 and not _public(address):
        raise AddressRefusedError("special", _SPECIAL_SENTENCE)


def embedded_in(ip: str) -> tuple[IPv4Address, ...]:
    """The IPv4 addresses embedded in an address; none for an IPv4 address."""
    address = ip_address(ip)
    return embedded(address) if isinstance(address, IPv6Address) else ()


def embedded(address: IPv6Address) -> tuple[IPv4Address, ...]:
    """The embedded IPv4 addresses: NAT64, IPv4-mapped, 6to4, Teredo (server and client) and ISATAP."""
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
