"""A WebDAV target for rclone, with just the methods that rclone uses.

rclone cannot save to iManage, so the practice server accepts the same documents by WebDAV too, with the same HTTP
server and latency. Uploads are read and discarded; only their size is kept, which is all that rclone compares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from xml.sax.saxutils import escape

PREFIX = "/webdav/"
BLOCK = 1 << 20
_MULTISTATUS = '<?xml version="1.0"?><D:multistatus xmlns:D="DAV:">{}</D:multistatus>'
_ROW = (
    "<D:response><D:href>{href}</D:href><D:propstat><D:prop>{kind}"
    "<D:getlastmodified>Mon, 23 Nov 2026 10:00:00 GMT</D:getlastmodified></D:prop>"
    "<D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
)
_FOLDER = "<D:resourcetype><D:collection/></D:resourcetype>"
_FILE = "<D:resourcetype/><D:getcontentlength>{}</D:getcontentlength>"


def webdav() -> Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]:
    """The WSGI application: every folder below `/webdav/` exists and is empty until something is uploaded."""
    sizes: dict[str, int] = {}

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        match environ["REQUEST_METHOD"]:
            case "PUT":
                sizes[path] = _read(environ)
                return _respond(start, "201 Created")
            case "MKCOL":
                return _respond(start, "201 Created")
            case "PROPFIND" if path in sizes or path.endswith("/"):
                kind = _FILE.format(sizes[path]) if path in sizes else _FOLDER
                rows = _ROW.format(href=escape(path), kind=kind)
                return _respond(start, "207 Multi-Status", _MULTISTATUS.format(rows).encode())
        return _respond(start, "404 Not Found")

    return answer


def _read(environ: dict[str, Any]) -> int:
    size = 0
    while block := environ["wsgi.input"].read(BLOCK):
        size += len(block)
    return size


def _respond(start: Callable[..., Any], status: str, body: bytes = b"") -> Iterable[bytes]:
    start(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
    return [body]
