"""The addresses that an admin enters for a server: parsed, checked against the address rules, and resolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from imanage.addresses import (
    AddressRefusedError,
    AddressRules,
    ServerAddress,
    parse_server_url,
    parse_subdomain,
)
from imanage.dialling import check_origin
from services.core.errors import InvalidError
from services.servers.transport import CLOUD, is_proxied, rules_for
from services.servers.validation import host_of


@dataclass(frozen=True)
class Addresses:
    """Both origins of a server, the origin of each form field, and notices about what was corrected."""

    url: str
    api_url: str
    fields: Mapping[str, str]
    subdomain: str = ""
    notices: tuple[str, ...] = ()


def problem_with(kind: str, text: str) -> str | None:
    """Why this subdomain (Cloud) or URL (on-premise) is not accepted, None where it is."""
    try:
        _read(kind, text)
    except AddressRefusedError as refused:
        return refused.sentence
    return None


def notice_about(kind: str, text: str) -> str | None:
    """What was corrected in an accepted address, such as a path that was removed."""
    try:
        return _read(kind, text).notice
    except AddressRefusedError:
        return None


def read(kind: str, subdomain: str, url: str, api_url: str) -> Addresses:
    """Parse the form's fields, without network access. Raises InvalidError with a sentence for each field."""
    typed = {"subdomain": subdomain} if kind == CLOUD else {"url": url, "api_url": api_url}
    if not api_url.strip():
        typed.pop("api_url", None)
    found: dict[str, ServerAddress] = {}
    refused: dict[str, str] = {}
    for name, text in typed.items():
        try:
            found[name] = _read(kind, text)
        except AddressRefusedError as error:
            refused[name] = error.sentence
    if refused:
        raise InvalidError(refused)
    browser = found["subdomain" if kind == CLOUD else "url"]
    return Addresses(
        url=browser.origin,
        api_url=found.get("api_url", browser).origin,
        fields={name: address.origin for name, address in found.items()},
        subdomain=(label_in(subdomain) or subdomain.strip().lower()) if kind == CLOUD else "",
        notices=tuple(dict.fromkeys(address.notice for address in found.values() if address.notice)),
    )


def label_in(text: str) -> str:
    """The subdomain in a full Cloud address or URL; "" where it is not one."""
    host = _host_in(text)
    suffix = f".{_cloud_domain()}"
    label = host.removesuffix(suffix)
    return label if host.endswith(suffix) and "." not in label else ""


def is_cloud(text: str) -> bool:
    """Whether an address is one of Cloud iManage."""
    host = _host_in(text)
    return host == _cloud_domain() or host.endswith(f".{_cloud_domain()}")


def _host_in(text: str) -> str:
    """The host of a URL or a bare host name, leniently; validated elsewhere."""
    rest = text.strip().lower()
    rest = rest.partition("://")[2] if "://" in rest else rest
    for mark in "/?#":
        rest = rest.partition(mark)[0]
    return rest.rpartition("@")[2].partition(":")[0].rstrip(".")


def _cloud_domain() -> str:
    return rules_for(CLOUD).cloud_domain


def resolve(kind: str, addresses: Addresses) -> tuple[str, ...]:
    """Resolve each host once; returns a warning for unknown ones. Raises InvalidError for refused addresses.

    Names that a proxy looks up need not be known here.
    """
    refused: dict[str, str] = {}
    unknown: dict[str, None] = {}
    for name, origin in addresses.fields.items():
        try:
            if not check_origin(origin, rules_for(kind)):
                unknown[host_of(origin)] = None
        except AddressRefusedError as error:
            refused[name] = f"This host name leads to an address that cannot be used. {error.sentence}"
    if refused:
        raise InvalidError(refused)
    if not unknown or all(map(is_proxied, unknown)):
        return ()
    hosts = " or ".join(f"“{host}”" for host in unknown)
    return (
        f"Counterpart’s DNS does not know {hosts}. Check the spelling, or ask your network team to add the name.",
    )


def _read(kind: str, text: str) -> ServerAddress:
    rules = rules_for(kind)
    if kind == CLOUD:
        return _read_subdomain(text, rules)
    if is_cloud(text):
        raise AddressRefusedError(
            "cloud_address",
            f"This is a Cloud iManage address ({rules.cloud_domain}). Choose Cloud iManage.",
        )
    return parse_server_url(text, rules)


def _read_subdomain(text: str, rules: AddressRules) -> ServerAddress:
    """A full Cloud iManage address is accepted for its subdomain, with a notice; any other is refused."""
    label = label_in(text)
    if label and label != text.strip().lower():
        notice = f"We used the subdomain “{label}” from the address that you entered."
        return replace(parse_subdomain(label, rules), notice=notice)
    if "/" in text and "." in _host_in(text) and not is_cloud(text):
        raise AddressRefusedError(
            "subdomain_other",
            f"This is not a {rules.cloud_domain} address. Choose On-premise for your own server, or enter the word "
            f"before “.{rules.cloud_domain}”.",
        )
    return parse_subdomain(text, rules)
