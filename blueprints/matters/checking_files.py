"""Checks files by name and size before they are uploaded."""

from __future__ import annotations

import uuid

from flask import render_template, request
from werkzeug.wrappers import Response

from blueprints.authorization import actor, needs
from blueprints.htmx import placed
from blueprints.matters import bp
from services.matters import upload_checks

MAX_FILES = 1000


@bp.post("/matters/<uuid:matter_id>/documents/check")
@needs("member")
def check_new_documents(matter_id: uuid.UUID) -> Response:
    return _answer(upload_checks.of_documents(actor(), matter_id, _chosen()))


@bp.post("/documents/<uuid:document_id>/versions/check")
@needs("member")
def check_new_version(document_id: uuid.UUID) -> Response:
    return _answer(upload_checks.of_version(actor(), document_id, _chosen()))


def _chosen() -> list[tuple[str, int]]:
    names, sizes = (
        request.form.getlist("name")[:MAX_FILES],
        request.form.getlist("size", type=int)[:MAX_FILES],
    )
    return list(zip(names, sizes, strict=False))


def _answer(problems: list[str]) -> Response:
    """Status 422 with the problems, or an empty 204."""
    if not problems:
        return Response(status=204)
    return placed(
        render_template("matters/_file_problems.html", problems=problems), 422, "[data-file-problems]"
    )
