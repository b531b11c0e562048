"""No request leaves a file descriptor open: not a page, a download, an upload, nor a refusal."""

from __future__ import annotations

import gc
import io
import uuid
from collections import Counter
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.datastructures import FileStorage
from werkzeug.test import stream_encode_multipart

from services.core import background_tasks
from tests.integration.blueprints.test_routes_and_permissions import ROUTES
from tests.support.routes import Firm, make_firm

ROUNDS = 2
UPLOAD = 600_000  # above what Werkzeug keeps in memory: a temporary file


@pytest.fixture
def firm(app: Flask, database: None) -> Firm:
    return make_firm(app)


def _visit_everything(firm: Firm) -> None:
    for route in ROUTES:
        if route.method == "GET":
            for person in ("nobody", "lead", "admin"):
                firm.ask(route, person)
    for name, status in ((f"{uuid.uuid4()}.txt", 204), ("nul.txt", 422)):
        assert _upload(firm, name) == status
    background_tasks.wait(60)


def _upload(firm: Firm, name: str) -> int:
    """Its body lies in memory at this end, so that every file is the application's."""
    form = {"exposure": "members", "file": FileStorage(io.BytesIO(b"x" * UPLOAD), name)}
    body, length, boundary = stream_encode_multipart(form, use_tempfile=False)
    answer = firm.browsers["lead"].post(
        f"/matters/{firm.places['matter']}/documents/new",
        body.read(),
        htmx=True,
        content_type=f"multipart/form-data; boundary={boundary}",
        content_length=length,
    )
    answer.close()
    return answer.status_code


def _open() -> Counter[str]:
    """Where the open descriptors lead, but for numbers that differ from one to the next."""
    gc.collect()
    links = [str(path.readlink()) for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
    return Counter(link.partition(":[")[0] for link in links)


def test_no_request_leaves_a_descriptor_open(firm: Firm) -> None:
    _visit_everything(firm)
    before = _open()
    for _ in range(ROUNDS):
        _visit_everything(firm)
    more = _open() - before
    assert {link: count for link, count in more.items() if count >= ROUNDS} == {}
