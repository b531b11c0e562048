"""The addresses that an admin types for a server: read, judged where names lead, and explained."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from imanage.addresses import AddressRefused, ServerAddress, parse_server_url, parse_subdomain
from imanage.guard import judge_origin
from services.errors import Invalid
from services.remote import CLOUD, rules_for


@dataclass(frozen=True)
class Addresses:
    """Both origins of a server, what we changed about what was typed, and what may be wrong with it."""

    url: str
    api_url: str
    subdomain: str = ""
    notices: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def problem_with(kind: str, text: str) -> str | None:
    """The sentence why this subdomain (Cloud) or URL (on-premise) is no address, None where it is one."""
    try:
        _read(kind, text)
    except AddressRefused as refused:
        return refused.sentence
    return None


def notice_about(kind: str, text: str) -> str | None:
    """What we changed about an address that is accepted, such as a path that was left off."""
    try:
        return _read(kind, text).notice
    except AddressRefused:
        return None


def settle(kind: str, subdomain: str, url: str, api_url: str) -> Addresses:
    """Read what was typed and look its hosts up once. Raises Invalid with a sentence at each field."""
    typed = {"subdomain": subdomain} if kind == CLOUD else {"url": url, "api_url": api_url}
    if not api_url.strip():
        typed.pop("api_url", None)
    found: dict[str, ServerAddress] = {}
    refused: dict[str, str] = {}
    for name, text in typed.items():
        try:
            found[name] = _read(kind, text)
        except AddressRefused as error:
            refused[name] = error.sentence
    warnings = [_look_up(kind, name, address.origin, refused) for name, address in found.items()]
    if refused:
        raise Invalid(refused)
    browser = found["subdomain" if kind == CLOUD else "url"]
    return Addresses(
        url=browser.origin,
        api_url=found.get("api_url", browser).origin,
        subdomain=subdomain.strip().lower() if kind == CLOUD else "",
        notices=_distinct(address.notice for address in found.values()),
        warnings=_distinct(warnings),
    )


def _read(kind: str, text: str) -> ServerAddress:
    rules = rules_for(kind)
    return parse_subdomain(text, rules) if kind == CLOUD else parse_server_url(text, rules)


def _look_up(kind: str, name: str, origin: str, refused: dict[str, str]) -> str | None:
    """A warning where nobody knows the host; a refusal where its name leads to an address that we refuse."""
    try:
        if judge_origin(origin, rules_for(kind)):
            return None
    except AddressRefused as error:
        refused[name] = f"This host leads to an address that cannot be used. {error.sentence}"
        return None
    return (
        f"We could not find “{origin.partition('://')[2]}” in the network's names from here. "
        "Check the spelling, or ask your network team to make the name known to this installation."
    )


def _distinct(sentences: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(sentence for sentence in sentences if sentence))
