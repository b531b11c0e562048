"""Links that open a document in iManage's web client, always on the host where users sign in."""

from __future__ import annotations

from urllib.parse import urlsplit

from .ids import VersionId, segment
from .types import Document, Endpoints


def document_link(endpoints: Endpoints, document: Document) -> str:
    """The web link of this version."""
    return _checked_link(endpoints, document.url) or id_link(endpoints, document.id)


def id_link(endpoints: Endpoints, id: VersionId) -> str:
    """The web link built from the id alone."""
    return f"{endpoints.browser}/work/link/d/{segment(str(id))}"


def _checked_link(endpoints: Endpoints, url: str | None) -> str | None:
    """The link in a profile, if it belongs to this server: profiles are not trusted."""
    if not url or not url.isascii() or not url.isprintable() or any(sign in url for sign in ' \\"<>'):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or "@" in parts.netloc or not parts.hostname:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    default = 443 if parts.scheme == "https" else 80
    origin = f"{parts.scheme}://{host}" + ("" if port in {None, default} else f":{port}")
    return url if origin == endpoints.browser else None
