"""How a redirect URL that iManage was given may differ from ours: the ways in which people really mistype them."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

PATHS = (
    "/auth/oauth2/authorized",
    "/auth/v0/oauth2/authorize",
    "/auth/v0/oauth2/callback",
    "/auth/v0/oauth/authorized",
    "/v0/oauth2/authorized",
    "/oauth2/authorized",
    "/oauth/callback",
    "/oauth2/callback",
    "/callback",
    "",
)


def variants(ours: str, our_hosts: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Each with the code of what is different in it, the likeliest first. None of them is ours."""
    told = {ours}
    for code, url in _all(ours, our_hosts):
        if url not in told:
            told.add(url)
            yield code, url


def _all(ours: str, our_hosts: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    parts = urlsplit(ours)
    scheme, place, path = parts.scheme, parts.netloc, parts.path
    other = "http" if scheme == "https" else "https"
    yield "redirect.trailing_slash", f"{ours}/"
    yield "redirect.scheme", f"{other}://{place}{path}"
    if parts.port:
        yield "redirect.scheme", f"{other}://{parts.hostname}{path}"
    yield from (("redirect.letter_case", f"{scheme}://{spelled}") for spelled in _cases(place, path))
    yield from (("redirect.spaces", text) for text in (f"{ours} ", f" {ours}", f" {ours} ", f"{ours}%20"))
    yield from (("redirect.host", f"{scheme}://{host}{path}") for host in _hosts(place, our_hosts))
    yield from (("redirect.path", f"{scheme}://{place}{wrong}") for wrong in (*PATHS, "/"))
    yield "redirect.scheme", f"{other}://{place}{path}/"


def _cases(place: str, path: str) -> Iterator[str]:
    for spelled in (path.replace("oauth", "OAuth"), path.title(), path.upper(), path.lower()):
        yield place + spelled
    yield place + path.replace("/auth/", "/Auth/")
    yield place + path.replace("authorized", "Authorized")
    yield place.title() + path
    yield place.upper() + path
    yield (place + path).upper()


def _hosts(place: str, our_hosts: tuple[str, ...]) -> Iterator[str]:
    host, _, port = place.partition(":")
    yield from (urlsplit(origin).netloc for origin in our_hosts)
    yield f"www.{place}"
    yield place.removeprefix("www.")
    yield host if port else f"{host}:443"
    if "." in host and not host.replace(".", "").isdigit():
        yield host.partition(".")[0]
    yield from (f"{local}:{port}" if port else local for local in ("localhost", "127.0.0.1"))
