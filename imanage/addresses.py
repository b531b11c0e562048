"""How the address that an administrator typed becomes one, and which are refused, each with its own sentence."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from .hostnames import imitation
from .networks import AddressRefusedError as AddressRefusedError
from .networks import AddressRules as AddressRules
from .networks import judge_address as judge_address
from .networks import names_this_machine

_MAX_TEXT = 2000
_MAX_HOST = 253
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:(?![0-9])", re.IGNORECASE)
# Names that mean something only on this machine or this network segment, or that clouds keep for their metadata.
_LOCAL_SUFFIXES = ("localdomain", "localdomain4", "localdomain6", "local", "internal", "home.arpa")
_METADATA_LABELS = frozenset({"metadata", "instance-data"})
# Public DNS services whose names spell any address one likes, loopback included.
_SPELLED_ADDRESSES = ("nip.io", "sslip.io", "xip.io", "localtest.me", "lvh.me", "vcap.me", "traefik.me")


@dataclass(frozen=True)
class ServerAddress:
    """An accepted origin, and what we changed about what was typed, if anything."""

    origin: str
    notice: str | None = None


def parse_server_url(text: str, rules: AddressRules) -> ServerAddress:
    """Turn a typed URL or bare host into an origin, or say what is wrong with it."""
    typed = _plain(text)
    scheme, rest = _scheme(typed, rules)
    authority, path = _split_path(rest)
    if "@" in authority:
        raise AddressRefusedError(
            "user_info", "Leave out the user name and the “@”: only the host is needed."
        )
    host, port = _split_port(authority)
    origin = f"{scheme}://{_host(host, rules)}{_port(port, scheme, rules)}"
    notices = []
    if "://" not in typed:
        notices.append('We put "https://" in front.')
    if path.strip("/"):
        notices.append(f'We left off "{path[:60]}": only the host is needed.')
    return ServerAddress(origin, " ".join(notices) or None)


def parse_subdomain(text: str, rules: AddressRules) -> ServerAddress:
    """Turn the subdomain of a Cloud iManage customer into an origin; an empty one means the shared host."""
    label = text.strip(" \t\r\n").lower()
    if not label:
        return ServerAddress(f"https://{rules.cloud_domain}")
    if "/" in label or ":" in label:
        raise AddressRefusedError(
            "subdomain_url", f"Type only the part before “.{rules.cloud_domain}”, not a URL."
        )
    if label.endswith(f".{rules.cloud_domain}") or label == rules.cloud_domain:
        raise AddressRefusedError("subdomain_dots", f"Leave off “{rules.cloud_domain}”: we add it.")
    if "." in label:
        raise AddressRefusedError("subdomain_dots", "A subdomain is one word without dots.")
    if "_" in label:
        raise AddressRefusedError("subdomain_underscore", "A subdomain cannot contain an underscore.")
    if label.startswith("-") or label.endswith("-"):
        raise AddressRefusedError("subdomain_hyphen", "A subdomain cannot begin or end with a hyphen.")
    if len(label) > 63:
        raise AddressRefusedError("subdomain_long", "A subdomain has at most 63 characters.")
    if not _LABEL.fullmatch(label):
        raise AddressRefusedError(
            "subdomain_characters", "A subdomain has only letters a to z, digits and hyphens."
        )
    return ServerAddress(f"https://{label}.{rules.cloud_domain}")


def _plain(text: str) -> str:
    typed = text.strip(" \t\r\n")
    if not typed:
        raise AddressRefusedError("empty", "Type the address of the iManage server.")
    if len(typed) > _MAX_TEXT:
        raise AddressRefusedError("too_long", "The address is too long.")
    if any(character.isspace() or not character.isprintable() for character in typed):
        raise AddressRefusedError("spaces", "The address has a space or an invisible character in it.")
    if "\\" in typed:
        raise AddressRefusedError("backslash", "The address has a backslash in it. Use “/”.")
    if "#" in typed:
        raise AddressRefusedError("fragment", "Leave off everything from the “#” on.")
    if "?" in typed:
        raise AddressRefusedError("query", "Leave off everything from the “?” on.")
    return typed


def _scheme(typed: str, rules: AddressRules) -> tuple[str, str]:
    scheme, mark, rest = typed.partition("://")
    if not mark:
        if typed.startswith("/") or _SCHEME.match(typed):
            raise AddressRefusedError("scheme", "The address must begin with https://")
        return "https", typed
    if scheme.lower() == "https":
        return "https", rest
    if scheme.lower() == "http":
        if rules.allow_http:
            return "http", rest
        raise AddressRefusedError(
            "http", "Use https:// instead of http://, so that documents travel encrypted."
        )
    raise AddressRefusedError("scheme", "The address must begin with https://")


def _split_path(rest: str) -> tuple[str, str]:
    authority, slash, path = rest.partition("/")
    return authority, slash + path


def _split_port(authority: str) -> tuple[str, str | None]:
    if authority.startswith("["):
        host, bracket, after = authority.partition("]")
        if not bracket or (after and not after.startswith(":")):
            raise AddressRefusedError("ipv6", "The IPv6 address is not complete.")
        return host + bracket, after[1:] if after else None
    host, mark, port = authority.partition(":")
    return host, port if mark else None


def _port(port: str | None, scheme: str, rules: AddressRules) -> str:
    default = 443 if scheme == "https" else 80
    if port is None:
        number = default
    elif _PORT.fullmatch(port) and int(port) <= 65535:
        number = int(port)
    else:
        raise AddressRefusedError("port_number", "The port must be a number from 1 to 65535.")
    if number not in rules.ports:
        allowed = ", ".join(map(str, sorted(rules.ports))) or "none"
        raise AddressRefusedError(
            "port",
            f"Port {number} is not allowed (allowed: {allowed}). "
            "Whoever runs this installation can allow it with COUNTERPART_IMANAGE_PORTS.",
        )
    return "" if number == default else f":{number}"


def _host(host: str, rules: AddressRules) -> str:
    if not host:
        raise AddressRefusedError("no_host", "The address has no host in it.")
    if host.startswith("["):
        return _ipv6(host[1:-1], rules)
    name = _ascii(host)
    if _NUMBER.fullmatch(name.rstrip(".").rpartition(".")[2]):
        return _ipv4(name, rules)
    return _name(name, rules)


def _ipv6(text: str, rules: AddressRules) -> str:
    try:
        address = IPv6Address(text)
    except ValueError:
        raise AddressRefusedError("ipv6", "The IPv6 address is not one.") from None
    judge_address(text, rules)
    return f"[{address.compressed}]"


def _ipv4(text: str, rules: AddressRules) -> str:
    # Resolvers read "127.1", "0x7f.1" and "2130706433" as addresses too; only the plain form can be judged by eye.
    try:
        address = IPv4Address(text)
    except ValueError:
        raise AddressRefusedError(
            "ipv4", "An address of numbers must be four plain numbers from 0 to 255, such as 192.168.1.20."
        ) from None
    judge_address(text, rules)
    return str(address)


def _ascii(host: str) -> str:
    """The host in lower case and in ASCII; letters of other scripts as IDNA spells them."""
    if "%" in host:
        raise AddressRefusedError("percent", "The host has a “%” in it. Type it in plain letters.")
    if host.isascii():
        return host.lower()
    composed = unicodedata.normalize("NFC", host).lower()
    if unicodedata.normalize("NFKC", composed) != composed or "\u3002" in composed:
        raise AddressRefusedError(
            "lookalike", "The host has characters in it that only look like letters or digits."
        )
    try:
        spelled = parse_url(f"//{composed}").host
    except LocationParseError:
        spelled = None
    if not spelled or not spelled.isascii():
        raise AddressRefusedError("characters", "The host has characters in it that a host name cannot have.")
    return spelled


def _refuse_imitation(shown: str, spelled: str) -> None:
    """A name that only looks like another is refused, with what it really is."""
    kind = imitation(shown)
    if kind == "mixed":
        raise AddressRefusedError(
            "mixed_scripts",
            f"This host mixes letters of different alphabets: it is really “{spelled}”. Type it again by hand.",
        )
    if kind == "lookalike":
        raise AddressRefusedError(
            "lookalike",
            f"This host has letters that only look like Latin ones: it is really “{spelled}”. Type it again by hand.",
        )


def _name(name: str, rules: AddressRules) -> str:
    if name.endswith("."):
        raise AddressRefusedError("trailing_dot", "Leave off the dot at the end of the host.")
    labels = name.split(".")
    if "" in labels:
        raise AddressRefusedError("empty_label", "The host has two dots in a row, or begins with one.")
    if len(name) > _MAX_HOST or any(len(label) > 63 for label in labels):
        raise AddressRefusedError("host_long", "The host is longer than a host name can be.")
    if not all(_LABEL.fullmatch(label) for label in labels) or not all(map(_honest_punycode, labels)):
        raise AddressRefusedError("characters", "The host has characters in it that a host name cannot have.")
    _refuse_imitation(".".join(map(_decoded, labels)), name)
    if labels[-1] == "localhost" and names_this_machine(rules):
        return name
    if labels[-1] == "localhost" or labels[0] in _METADATA_LABELS:
        raise AddressRefusedError("local_name", "This name only has a meaning on one machine or network.")
    if _under(name, _LOCAL_SUFFIXES) and not _under(name, rules.domains):
        raise AddressRefusedError(
            "local_name",
            f"Names that end in “.{labels[-1]}” only have a meaning on one network. Whoever runs this "
            "installation can allow your firm's own domain with COUNTERPART_IMANAGE_DOMAINS.",
        )
    if len(labels) == 1:
        raise AddressRefusedError("single_label", "Type the host in full, such as imanage.firm.com.")
    if _under(name, _SPELLED_ADDRESSES):
        raise AddressRefusedError("spelled_address", "This name is a stand-in for an address of numbers.")
    return name


def _under(name: str, suffixes: tuple[str, ...]) -> bool:
    return any(name == suffix or name.endswith(f".{suffix}") for suffix in suffixes)


def _decoded(label: str) -> str:
    """A label as a browser may show it."""
    return label[4:].encode("ascii").decode("punycode") if label.startswith("xn--") else label


def _honest_punycode(label: str) -> bool:
    """Whether a label that claims to be encoded really hides letters of another script."""
    if not label.startswith("xn--"):
        return True
    try:
        shown = label[4:].encode("ascii").decode("punycode")
        return not shown.isascii() and _ascii(shown) == label
    except (UnicodeError, AddressRefusedError):
        return False
