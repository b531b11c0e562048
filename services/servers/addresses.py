"""The addresses that an admin types for a server: read, judged where names lead, and explained."""

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
from services.servers.transport import CLOUD, rules_for
from services.servers.validation import host_of


@dataclass(frozen=True)
class Addresses:
    """Both origins of a server, the fields they came from, and what we changed about what was typed."""

    url: str
    api_url: str
    fields: Mapping[str, str]
    subdomain: str = ""
    notices: tuple[str, ...] = ()


def problem_with(kind: str, text: str) -> str | None:
    """The sentence why this subdomain (Cloud) or URL (on-premise) is no address, None where it is one."""
    try:
        _read(kind, text)
    except AddressRefusedError as refused:
        return refused.sentence
    return None


def notice_about(kind: str, text: str) -> str | None:
    """What we changed about an address that is accepted, such as a path that was left off."""
    try:
        return _read(kind, text).notice
    except AddressRefusedError:
        return None


def read(kind: str, subdomain: str, url: str, api_url: str) -> Addresses:
    """Read what was typed; no network is asked. Raises InvalidError with a sentence at each field."""
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
    """The subdomain in a whole Cloud address that was pasted, or typed as a URL; empty where it is none."""
    host = _host_in(text)
    suffix = f".{_cloud_domain()}"
    label = host.removesuffix(suffix)
    return label if host.endswith(suffix) and "." not in label else ""


def is_cloud(text: str) -> bool:
    """Whether an address is one of Cloud iManage, whichever form it was typed into."""
    host = _host_in(text)
    return host == _cloud_domain() or host.endswith(f".{_cloud_domain()}")


def _host_in(text: str) -> str:
    """The host of what may be a URL or a bare host, as far as it can be read; judged elsewhere."""
    rest = text.strip().lower()
    rest = rest.partition("://")[2] if "://" in rest else rest
    for mark in "/?#":
        rest = rest.partition(mark)[0]
    return rest.rpartition("@")[2].partition(":")[0].rstrip(".")


def _cloud_domain() -> str:
    return rules_for(CLOUD).cloud_domain


def look_up(kind: str, addresses: Addresses) -> tuple[str, ...]:
    """Ask once where each host leads. Warns of unknown ones; raises InvalidError where an address is refused."""
    refused: dict[str, str] = {}
    unknown: dict[str, None] = {}
    for name, origin in addresses.fields.items():
        try:
            if not check_origin(origin, rules_for(kind)):
                unknown[host_of(origin)] = None
        except AddressRefusedError as error:
            refused[name] = f"This host leads to an address that cannot be used. {error.sentence}"
    if refused:
        raise InvalidError(refused)
    if not unknown:
        return ()
    hosts = " or ".join(f"“{host}”" for host in unknown)
    return (
        f"We could not find {hosts} from here. Check the spelling, or ask your network team to make the name "
        "known to this installation.",
    )


def _read(kind: str, text: str) -> ServerAddress:
    rules = rules_for(kind)
    if kind == CLOUD:
        return _read_subdomain(text, rules)
    if is_cloud(text):
        raise AddressRefusedError(
            "cloud_address",
            f"This is an address of Cloud iManage ({rules.cloud_domain}), not of a server of your own. Choose Cloud "
            "iManage.",
        )
    return parse_server_url(text, rules)


def _read_subdomain(text: str, rules: AddressRules) -> ServerAddress:
    """A whole address of Cloud iManage is as good as its subdomain, and said so; another one belongs elsewhere."""
    label = label_in(text)
    if label and label != text.strip().lower():
        notice = f"We took the subdomain “{label}” out of the address that you entered."
        return replace(parse_subdomain(label, rules), notice=notice)
    if "/" in text and "." in _host_in(text) and not is_cloud(text):
        raise AddressRefusedError(
            "subdomain_other",
            f"This is no address of {rules.cloud_domain}. Choose On-premise for a server of your own, or enter the "
            f"word before “.{rules.cloud_domain}”.",
        )
    return parse_subdomain(text, rules)
