"""The usual ways in which the redirect URL registered in iManage differs from ours."""

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
    """Code and URL of each variant, the likeliest first, ours not among them."""
    seen = {ours}
    for code, url in _all(ours, our_hosts):
        if url not in seen:
            seen.add(url)
            yield code, url


def _all(ours: str, our_hosts: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    parts = urlsplit(ours)
    scheme, netloc, path = parts.scheme, parts.netloc, parts.path
    other = "http" if scheme == "https" else "https"
    yield "redirect.trailing_slash", f"{ours}/"
    yield "redirect.scheme", f"{other}://{netloc}{path}"
    if parts.port:
        yield "redirect.scheme", f"{other}://{parts.hostname}{path}"
    yield from (("redirect.letter_case", f"{scheme}://{spelled}") for spelled in _cases(netloc, path))
    yield from (("redirect.spaces", text) for text in (f"{ours} ", f" {ours}", f" {ours} ", f"{ours}%20"))
    yield from (("redirect.host", f"{scheme}://{host}{path}") for host in _hosts(netloc, our_hosts))
    yield from (("redirect.path", f"{scheme}://{netloc}{wrong}") for wrong in (*PATHS, "/"))
    yield "redirect.scheme", f"{other}://{netloc}{path}/"


def _cases(netloc: str, path: str) -> Iterator[str]:
    for spelled in (path.replace("oauth", "OAuth"), path.title(), path.upper(), path.lower()):
        yield netloc + spelled
    yield netloc + path.replace("/auth/", "/Auth/")
    yield netloc + path.replace("authorized", "Authorized")
    yield netloc.title() + path
    yield netloc.upper() + path
    yield (netloc + path).upper()


def _hosts(netloc: str, our_hosts: tuple[str, ...]) -> Iterator[str]:
    host, _, port = netloc.partition(":")
    yield from (urlsplit(origin).netloc for origin in our_hosts)
    yield f"www.{netloc}"
    yield netloc.removeprefix("www.")
    yield host if port else f"{host}:443"
    if "." in host and not host.replace(".", "").isdigit():
        yield host.partition(".")[0]
    yield from (f"{local}:{port}" if port else local for local in ("localhost", "127.0.0.1"))
