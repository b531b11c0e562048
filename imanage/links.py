"""Links that open a document, folder or workspace in iManage's own pages: always on the host people sign in to."""

from __future__ import annotations

from urllib.parse import urlsplit

from .ids import VersionId, segment
from .types import Document, Endpoints


def document_link(endpoints: Endpoints, document: Document) -> str:
    """Where this version opens."""
    return _own(endpoints, document.url) or id_link(endpoints, document.id)


def id_link(endpoints: Endpoints, id: VersionId) -> str:
    """The same from the id alone."""
    return f"{endpoints.browser}/work/link/d/{segment(str(id))}"


def _own(endpoints: Endpoints, url: str | None) -> str | None:
    """A profile's ready-made link, if it really is one of this server: profiles can hold anything."""
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
