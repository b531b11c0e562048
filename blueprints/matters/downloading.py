"""A version's bytes as an answer: always a file to be kept, never a page of ours, a piece at a time."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from flask import Request
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.wrappers import Response

from services import versions
from services.file_names import split

OFFICE = "application/vnd.openxmlformats-officedocument"
# Types that no browser runs. All others are bytes and nothing more.
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
PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ._-()")


def begins_a_download(request: Request) -> bool:
    """Whether this is the start of a download and not a later piece of it, or a question about its size."""
    asked = request.range
    return request.method == "GET" and (asked is None or any(not start for start, _end in asked.ranges))


def send(version: versions.VersionView, request: Request) -> Response:
    """The version, or the one piece of it that was asked for."""
    span = _span(version, request)
    start, stop = span or (0, version.size)
    response = Response(_pieces(version, start, stop), 206 if span else 200, direct_passthrough=True)
    response.mimetype = SAFE_TYPES.get(split(version.file_name).extension.lower(), "application/octet-stream")
    response.content_length = stop - start
    response.headers["Content-Disposition"] = disposition(version.download_name)
    response.headers["Accept-Ranges"] = "bytes"
    response.set_etag(version.sha256)
    if span:
        response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{version.size}"
    return response


def disposition(name: str) -> str:
    """RFC 6266: the name in full for those who read `filename*`, and a plain likeness of it for the others."""
    plain = "".join(character if character in PLAIN else "_" for character in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _span(version: versions.VersionView, request: Request) -> tuple[int, int] | None:
    """Start and end of the piece asked for; None where the whole is to be sent."""
    asked = request.range
    if asked is None or asked.units != "bytes" or len(asked.ranges) != 1 or request.method != "GET":
        return None
    if "If-Range" in request.headers and request.if_range.etag != version.sha256:
        return None
    span = asked.range_for_length(version.size)
    if span is None or span[0] is None or span[1] is None:
        raise RequestedRangeNotSatisfiable(version.size)
    return span[0], span[1]


def _pieces(version: versions.VersionView, start: int, stop: int) -> Iterator[bytes]:
    left = stop - start
    for piece in versions.chunks(version, start):
        if left <= 0:
            return
        yield piece[:left]
        left -= len(piece)
