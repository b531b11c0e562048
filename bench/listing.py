"""The small documents as on a plain web server: one page of links per folder.

rclone cannot read iManage's lists, so the practice server offers the same content in this form too, with the same HTTP
server and latency.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from email.utils import formatdate
from typing import Any

from simulator.values import Document

Folder = Mapping[str, Document]
PREFIX = "/listing/"


def listing(folders: Sequence[Folder]) -> Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]:
    """The WSGI application: `/listing/0/` is the page of the first folder, `/listing/0/NAME` a document."""

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        number, _, name = environ["PATH_INFO"].removeprefix(PREFIX).partition("/")
        folder = folders[int(number)]
        if not name:
            page = "".join(f'<a href="{each}">{each}</a>\n' for each in folder).encode()
            start("200 OK", [("Content-Type", "text/html"), ("Content-Length", str(len(page)))])
            return [page]
        version = folder[name].latest
        fields = [("Content-Type", "application/octet-stream")]
        fields += [("Content-Length", str(version.content.size))]
        fields += [("Last-Modified", formatdate(version.edited.timestamp(), usegmt=True))]
        start("200 OK", fields)
        return version.content.blocks()

    return answer
