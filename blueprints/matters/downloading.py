"""Downloads of a version or a zip file: always an attachment, never rendered as a page, streamed in chunks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import quote

from flask import Request
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.wrappers import Response
from werkzeug.wsgi import ClosingIterator

from services.core.actor import Actor
from services.core.text.file_names import split
from services.matters import versions, zip_downloads

OFFICE = "application/vnd.openxmlformats-officedocument"
# Types that no browser executes. All others are sent as plain bytes.
SAFE_TYPES = {
    "docx": f"{OFFICE}.wordprocessingml.document",
    "xlsx": f"{OFFICE}.spreadsheetml.sheet",
    "pptx": f"{OFFICE}.presentationml.presentation",
    "doc": "application/msword",
    "xls": "application/vnd.ms-excel",
    "ppt": "application/vnd.ms-powerpoint",
    "msg": "application/vnd.ms-outlook",
    "pdf": "application/pdf",
    "zip": "application/zip",
}
CHUNK = 1024 * 1024
ASCII_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ._-()")


def send(actor: Actor, version: versions.VersionView, request: Request) -> Response:
    """The version, or the single byte range requested. Only a response that delivers bytes is audited as a download."""
    response = Response(direct_passthrough=True)
    response.mimetype = SAFE_TYPES.get(split(version.file_name).extension.lower(), "application/octet-stream")
    response.headers["Content-Disposition"] = disposition(version.download_name)
    response.headers["Accept-Ranges"] = "bytes"
    response.set_etag(version.sha256)
    response.make_conditional(request.environ)
    if response.status_code != 200:  # 304 or 412
        return response
    start, stop = span = _span(version, request)
    response.content_length = stop - start
    if span != (0, version.size):
        response.status_code = 206
        response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{version.size}"
    if request.method == "GET":
        stream = versions.send(actor, version, start, stop)
        response.response = _body(stream, stop - start, request)
    return response


def send_zip(download: zip_downloads.ZipDownload) -> Response:
    response = Response(download.chunks, mimetype="application/zip")
    response.content_length = download.size
    response.headers["Content-Disposition"] = disposition(download.name)
    response.call_on_close(download.close)
    return response


def disposition(name: str) -> str:
    """RFC 6266: the full name in `filename*`, and an ASCII fallback in `filename`."""
    plain = "".join(character if character in ASCII_NAME else "_" for character in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _span(version: versions.VersionView, request: Request) -> tuple[int, int]:
    """The first byte and the one after the last. Anything but a single byte range gives the whole (RFC 9110, 14.2).

    Not Werkzeug's make_conditional: it accepts a weak If-Range and refuses a suffix longer than the file.
    """
    whole = 0, version.size
    asked = request.range
    if asked is None or asked.units != "bytes" or len(asked.ranges) != 1 or request.method != "GET":
        return whole
    if request.headers.get("If-Range", f'"{version.sha256}"') != f'"{version.sha256}"':
        return whole
    start, stop = asked.ranges[0]
    if start < 0:
        return max(0, version.size + start), version.size
    if start >= version.size:
        raise RequestedRangeNotSatisfiable(version.size)
    return start, min(stop or version.size, version.size)


def _body(stream: versions.Stream, length: int, request: Request) -> Iterable[bytes]:
    """Through the server's file wrapper if it has one, which needs no web thread."""
    wrapper = request.environ.get("wsgi.file_wrapper")
    return wrapper(stream, CHUNK) if wrapper else ClosingIterator(_chunks(stream, length), [stream.close])


def _chunks(stream: versions.Stream, left: int) -> Iterator[bytes]:
    while left and (chunk := stream.read(min(left, CHUNK))):
        yield chunk
        left -= len(chunk)
    stream.close()
