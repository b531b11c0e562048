"""Downloads of a version, in full or by range."""

from __future__ import annotations

import re
from urllib.parse import quote

from flask import Response, request

from simulator.contents import Content
from simulator.values import Version
from simulator.web import RefusedError, api_blueprint, document_at, flag, invalid, me, split_id, state

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
blueprint = api_blueprint("downloads")
L = "/libraries/<lib>"


@blueprint.get(f"{L}/documents/<doc>/download")
@blueprint.get(f"{L}/documents/<doc>/download/<file_name>")
def download(doc: str, file_name: str = "") -> Response:
    newest = flag("latest")
    if split_id(doc)[1] is None and not newest:
        raise invalid("id", "The id must name a version")
    document, version = document_at(doc, latest=newest)
    activity = request.args.get("activity", "")
    if activity:
        state().world.add_activity(document, activity.capitalize(), 13, me().id, version.number)
    return send_bytes(version)


def send_bytes(version: Version) -> Response:
    """The content as an attachment, in full or the requested range."""
    content, settings = version.content, state().settings
    headers = {
        "Content-Disposition": disposition(version.file_name),
        "Content-Type": "application/octet-stream",
    }
    start, stop, status = 0, content.size, 200
    if settings.range_supported:
        headers["Accept-Ranges"] = "bytes"
        asked = _RANGE.fullmatch(request.headers.get("Range", ""))
        if asked and any(asked.groups()):
            start, stop = _range(asked[1], asked[2], content)
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{content.size}"
            status = 206
    if settings.download_length:
        headers["Content-Length"] = str(stop - start)
    return Response(content.blocks(start, stop), status, headers)


def _range(first: str, last: str, content: Content) -> tuple[int, int]:
    size = content.size
    start = int(first) if first else max(0, size - int(last))
    stop = min(size, int(last) + 1) if first and last else size
    if start >= size or start >= stop:
        raise RefusedError(
            416,
            "NRC_INVALID_PARAM",
            "The range is not in the file",
            "Range",
            {"Content-Range": f"bytes */{size}"},
        )
    return start, stop


def disposition(name: str) -> str:
    """A Content-Disposition header with an ASCII fallback and the UTF-8 name (RFC 6266), safely escaped."""
    plain = "".join(char if " " <= char <= "~" and char not in '"\\' else "_" for char in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
