"""Static files at URLs that change with their content, and template globals."""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from pathlib import Path
from types import SimpleNamespace

from flask import Flask, request, url_for
from werkzeug.local import LocalProxy
from werkzeug.wrappers import Response

from blueprints.security_headers import FOR_EVER

COMPRESSED_TYPES = frozenset({"text/css", "text/javascript", "application/javascript", "image/svg+xml"})
COMPONENTS = ("controls", "forms", "display", "layout")


@cache
def _digest(path: str, modified: int) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:12]


@cache
def _compressed(path: str, modified: int) -> bytes:
    """Compressed once for each file and process: the default web server does not compress."""
    return gzip.compress(Path(path).read_bytes(), mtime=0)


def components(app: Flask) -> LocalProxy[SimpleNamespace]:
    """`ui` in every template: the macros of templates/components/, loaded by the first page, whose icons have a URL."""

    @cache
    def macros() -> SimpleNamespace:
        parts = (app.jinja_env.get_template(f"components/{name}.html").module for name in COMPONENTS)
        return SimpleNamespace(**{name: macro for part in parts for name, macro in vars(part).items()})

    return LocalProxy(macros)


def init_app(app: Flask) -> None:
    folder = Path(app.static_folder or "static")

    def asset(name: str) -> str:
        """The URL of a static file; it changes with the content, so browsers may cache it for ever."""
        file = folder / name
        return url_for("static", filename=name, v=_digest(str(file), file.stat().st_mtime_ns))

    @app.after_request
    def keep_named_content(response: Response) -> Response:
        if request.endpoint != "static" or response.status_code != 200:
            return response
        if "v" in request.args:
            response.headers["Cache-Control"] = FOR_EVER
        if response.mimetype in COMPRESSED_TYPES:
            response.vary.add("Accept-Encoding")
            if request.accept_encodings.quality("gzip"):
                file = folder / (request.view_args or {})["filename"]
                response.close()
                response.direct_passthrough = False
                response.set_data(_compressed(str(file), file.stat().st_mtime_ns))
                response.headers["Content-Encoding"] = "gzip"
                response.set_etag(f"{response.get_etag()[0]}-gzip")
        return response

    app.jinja_env.globals.update(asset=asset, ui=components(app))
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
