"""Responses that browsers save as files."""

from __future__ import annotations

import io

from flask import send_file
from werkzeug.wrappers import Response


def attachment(content: bytes, mimetype: str, name: str) -> Response:
    return send_file(io.BytesIO(content), mimetype=mimetype, as_attachment=True, download_name=name)


def csv_attachment(text: str, name: str) -> Response:
    """The byte order mark tells spreadsheets that the file is UTF-8."""
    return attachment(text.encode("utf-8-sig"), "text/csv", name)
