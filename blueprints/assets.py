"""Static files under names that change with their content, and the few helpers that templates call."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from flask import Flask, request, url_for
from werkzeug.wrappers import Response

from blueprints.headers import FOR_EVER


@cache
def _digest(path: str, modified: int) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:12]


def init_app(app: Flask) -> None:
    folder = Path(app.static_folder or "static")

    def asset(name: str) -> str:
        """The address of a static file, to be cached for ever: another content has another address."""
        file = folder / name
        return url_for("static", filename=name, v=_digest(str(file), file.stat().st_mtime_ns))

    @app.after_request
    def cache_named_content(response: Response) -> Response:
        if request.endpoint == "static" and "v" in request.args and response.status_code == 200:
            response.headers["Cache-Control"] = FOR_EVER
        return response

    app.jinja_env.globals["asset"] = asset
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
