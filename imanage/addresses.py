"""Turns the server address that an administrator typed into an origin, or refuses it with a reason."""

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
from .networks import allows_loopback
from .networks import check_address as check_address

_MAX_TEXT = 2000
_MAX_HOST = 253
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:(?![0-9])", re.IGNORECASE)
# Names that resolve only on this machine or network segment, or that cloud providers reserve for instance metadata.
_LOCAL_SUFFIXES = ("localdomain", "localdomain4", "localdomain6", "local", "internal", "home.arpa")
_METADATA_LABELS = frozenset({"metadata", "instance-data"})
# Public wildcard DNS services: their names resolve to any address, loopback included.
_WILDCARD_DNS = ("nip.io", "sslip.io", "xip.io", "localtest.me", "lvh.me", "vcap.me", "traefik.me")


@dataclass(frozen=True)
class ServerAddress:
    """An accepted origin, and what was changed in the typed text, if anything."""

    origin: str
    notice: str | None = None


def parse_server_url(text: str, rules: AddressRules) -> ServerAddress:
    """The origin of a typed URL or bare host. Raises AddressRefusedError."""
    typed = _checked_text(text)
    scheme, rest = _scheme(typed, rules)
    authority, path = _split_path(rest)
    if "@" in authority:
        raise AddressRefusedError("user_info", "Remove the user name and the “@”. Only the host is needed.")
    host, port = _split_port(authority)
    origin = f"{scheme}://{_host(host, rules)}{_port(port, scheme, rules)}"
    notices = []
    if "://" not in typed:
        notices.append("We added “https://”.")
    if path.strip("/"):
        notices.append(f"We removed “{path[:60]}”. Only the host is needed.")
    return ServerAddress(origin, " ".join(notices) or None)


def parse_subdomain(text: str, rules: AddressRules) -> ServerAddress:
    """The origin for a Cloud iManage customer's subdomain; an empty one means the shared host."""
    label = text.strip(" \t\r\n").lower()
    if not label:
        return ServerAddress(f"https://{rules.cloud_domain}")
    if "/" in label or ":" in label:
        raise AddressRefusedError(
            "subdomain_url", f"Enter only the part before “.{rules.cloud_domain}”, not a URL."
        )
    if label.endswith(f".{rules.cloud_domain}") or label == rules.cloud_domain:
        raise AddressRefusedError("subdomain_dots", f"Remove “{rules.cloud_domain}”. We add it.")
    if "." in label:
        raise AddressRefusedError("subdomain_dots", "A subdomain cannot contain dots.")
    if "_" in label:
        raise AddressRefusedError("subdomain_underscore", "A subdomain cannot contain an underscore.")
    if label.startswith("-") or label.endswith("-"):
        raise AddressRefusedError("subdomain_hyphen", "A subdomain cannot begin or end with a hyphen.")
    if len(label) > 63:
        raise AddressRefusedError("subdomain_long", "A subdomain must be 63 characters or fewer.")
    if not _LABEL.fullmatch(label):
        raise AddressRefusedError(
            "subdomain_characters", "A subdomain can contain only letters a to z, digits and hyphens."
        )
    return ServerAddress(f"https://{label}.{rules.cloud_domain}")


def _checked_text(text: str) -> str:
    typed = text.strip(" \t\r\n")
    if not typed:
        raise AddressRefusedError("empty", "Enter the address of the iManage server.")
    if len(typed) > _MAX_TEXT:
        raise AddressRefusedError("too_long", "The address is too long.")
    if any(character.isspace() or not character.isprintable() for character in typed):
        raise AddressRefusedError("spaces", "The address contains a space or an invisible character.")
    if "\\" in typed:
        raise AddressRefusedError("backslash", "The address contains a backslash. Use “/” instead.")
    if "#" in typed:
        raise AddressRefusedError("fragment", "Remove the “#” and everything after it.")
    if "?" in typed:
        raise AddressRefusedError("query", "Remove the “?” and everything after it.")
    return typed


def _scheme(typed: str, rules: AddressRules) -> tuple[str, str]:
    scheme, mark, rest = typed.partition("://")
    if not mark:
        if typed.startswith("/") or _SCHEME.match(typed):
            raise AddressRefusedError("scheme", "The address must start with https://")
        return "https", typed
    if scheme.lower() == "https":
        return "https", rest
    if scheme.lower() == "http":
        if rules.allow_http:
            return "http", rest
        raise AddressRefusedError(
            "http", "Use https:// instead of http:// so that documents are encrypted in transit."
        )
    raise AddressRefusedError("scheme", "The address must start with https://")


def _split_path(rest: str) -> tuple[str, str]:
    authority, slash, path = rest.partition("/")
    return authority, slash + path


def _split_port(authority: str) -> tuple[str, str | None]:
    if authority.startswith("["):
        host, bracket, after = authority.partition("]")
        if not bracket or (after and not after.startswith(":")):
            raise AddressRefusedError("ipv6", "The IPv6 address is incomplete.")
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
        raise AddressRefusedError("port_number", "The port must be a number between 1 and 65535.")
    if number not in rules.ports:
        allowed = ", ".join(map(str, sorted(rules.ports))) or "none"
        raise AddressRefusedError(
            "port",
            f"Port {number} is not allowed (allowed: {allowed}). "
            "The operator of this installation can allow it with COUNTERPART_IMANAGE_PORTS.",
        )
    return "" if number == default else f":{number}"


def _host(host: str, rules: AddressRules) -> str:
    if not host:
        raise AddressRefusedError("no_host", "The address has no host.")
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
        raise AddressRefusedError("ipv6", "The IPv6 address is not valid.") from None
    check_address(text, rules)
    return f"[{address.compressed}]"


def _ipv4(text: str, rules: AddressRules) -> str:
    # Resolvers accept "127.1", "0x7f.1" and "2130706433" too; only dotted decimal can be checked by eye.
    try:
        address = IPv4Address(text)
    except ValueError:
        raise AddressRefusedError(
            "ipv4", "An IPv4 address must be four numbers between 0 and 255, such as 192.168.1.20."
        ) from None
    check_address(text, rules)
    return str(address)


def _ascii(host: str) -> str:
    """The host in lower-case ASCII; other scripts are IDNA-encoded."""
    if "%" in host:
        raise AddressRefusedError("percent", "The host contains a “%”. Enter it in plain letters.")
    if host.isascii():
        return host.lower()
    composed = unicodedata.normalize("NFC", host).lower()
    if unicodedata.normalize("NFKC", composed) != composed or "\u3002" in composed:
        raise AddressRefusedError(
            "lookalike", "The host contains characters that only look like letters or digits."
        )
    try:
        spelled = parse_url(f"//{composed}").host
    except LocationParseError:
        spelled = None
    if not spelled or not spelled.isascii():
        raise AddressRefusedError(
            "characters", "The host contains characters that are not allowed in a host name."
        )
    return spelled


def _refuse_imitation(shown: str, spelled: str) -> None:
    """Refuse a name that only looks like another, and show its real spelling."""
    kind = imitation(shown)
    if kind == "mixed":
        raise AddressRefusedError(
            "mixed_scripts",
            f"This host mixes letters from different alphabets. Its real name is “{spelled}”. Type it by hand.",
        )
    if kind == "lookalike":
        raise AddressRefusedError(
            "lookalike",
            f"This host uses letters that only look like Latin ones. Its real name is “{spelled}”. Type it by hand.",
        )


def _name(name: str, rules: AddressRules) -> str:
    if name.endswith("."):
        raise AddressRefusedError("trailing_dot", "Remove the dot at the end of the host.")
    labels = name.split(".")
    if "" in labels:
        raise AddressRefusedError("empty_label", "The host starts with a dot or has two dots in a row.")
    if len(name) > _MAX_HOST or any(len(label) > 63 for label in labels):
        raise AddressRefusedError("host_long", "The host is too long.")
    if not all(_LABEL.fullmatch(label) for label in labels) or not all(map(_is_valid_punycode, labels)):
        raise AddressRefusedError(
            "characters", "The host contains characters that are not allowed in a host name."
        )
    _refuse_imitation(".".join(map(_decoded, labels)), name)
    if labels[-1] == "localhost" and allows_loopback(rules):
        return name
    if labels[-1] == "localhost" or labels[0] in _METADATA_LABELS:
        raise AddressRefusedError("local_name", "This name only works on one machine or network.")
    if _under(name, _LOCAL_SUFFIXES) and not _under(name, rules.domains):
        raise AddressRefusedError(
            "local_name",
            f"Names ending in “.{labels[-1]}” only work on one network. The operator of this installation "
            "can allow your firm's own domain with COUNTERPART_IMANAGE_DOMAINS.",
        )
    if len(labels) == 1:
        raise AddressRefusedError("single_label", "Enter the full host name, such as imanage.firm.com.")
    if _under(name, _WILDCARD_DNS):
        raise AddressRefusedError(
            "spelled_address", "This name only stands in for an IP address. Enter the server’s own name."
        )
    return name


def _under(name: str, suffixes: tuple[str, ...]) -> bool:
    return any(name == suffix or name.endswith(f".{suffix}") for suffix in suffixes)


def _decoded(label: str) -> str:
    """A label with punycode decoded, as a browser may show it."""
    return label[4:].encode("ascii").decode("punycode") if label.startswith("xn--") else label


def _is_valid_punycode(label: str) -> bool:
    """Whether a label with the punycode prefix decodes to non-ASCII letters and encodes back to itself."""
    if not label.startswith("xn--"):
        return True
    try:
        shown = label[4:].encode("ascii").decode("punycode")
        return not shown.isascii() and _ascii(shown) == label
    except (UnicodeError, AddressRefusedError):
        return False
