"""Receipts of versions, and the public keys that verify them."""

from __future__ import annotations

import uuid

from flask import render_template
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from blueprints.authorization import actor, get_only, needs
from blueprints.downloads import attachment
from blueprints.matters import bp
from services.matters import documents, versions
from services.receipts import receipts, signing_keys


@bp.get("/versions/<uuid:version_id>/receipt")
@needs("staff")
def receipt(version_id: uuid.UUID) -> ResponseReturnValue:
    version = versions.require(actor(), version_id)
    return render_template(
        "matters/receipt.html",
        document=documents.find(actor(), version.document_id),
        version=version,
        facts=receipts.of_version(actor(), version_id),
        keys=signing_keys.public_keys(),
    )


@bp.get("/versions/<uuid:version_id>/receipt.json")
@get_only
@needs("staff")
def receipt_json(version_id: uuid.UUID) -> Response:
    file = receipts.issue(actor(), version_id)
    return attachment(file.content, "application/json", file.name)


@bp.get("/versions/<uuid:version_id>/receipt.pdf")
@get_only
@needs("staff")
def receipt_pdf(version_id: uuid.UUID) -> Response:
    file = receipts.issue_pdf(actor(), version_id)
    return attachment(file.content, "application/pdf", file.name)


@bp.get("/receipt-keys.json")
@needs("public")
def receipt_keys() -> ResponseReturnValue:
    """For everyone who holds a receipt: all keys that ever signed one."""
    return {
        "keys": [
            {"key": each.key, "created_at": each.created_at, "retired_at": each.retired_at}
            for each in signing_keys.public_keys()
        ]
    }
