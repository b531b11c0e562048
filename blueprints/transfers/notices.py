"""Notices of finished transfers in the page header, and a transfer's results as CSV."""

from __future__ import annotations

import uuid

from flask import render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from blueprints.authorization import actor, needs
from blueprints.downloads import csv_attachment
from blueprints.htmx import fragment, go_to, is_htmx
from blueprints.transfers import bp
from services.transfers import export as transfer_export
from services.transfers import notices
from services.transfers.notices import News
from services.transfers.views import TransferView

FILTERS = {
    "all": "All",
    "you": "Waiting for you",
    "running": "Running",
    "waiting": "Waiting",
    "done": "Done",
    "failed": "Failed",
    "stopped": "Cancelled or stopped",
}


@bp.app_context_processor
def news_of_transfers() -> dict[str, News]:
    return {"transfer_news": notices.of(actor()) if current_user.is_authenticated else News()}


@bp.get("/transfers/_news")
@needs("staff")
def news() -> str:
    """Polled by the page header while a transfer is in progress."""
    return render_template("transfers/_polled.html")


@bp.post("/transfers/seen")
@needs("staff")
def see_news() -> Response:
    notices.see(actor())
    return fragment(render_template("transfers/_news.html")) if is_htmx() else go_to(url_for(".index"))


@bp.get("/transfers/<uuid:transfer_id>/results.csv")
@needs("staff")
def results(transfer_id: uuid.UUID) -> Response:
    # The byte order mark tells spreadsheets that the file is UTF-8.
    return csv_attachment(transfer_export.as_csv(actor(), transfer_id), "transfer-results.csv")


def mark_seen(view: TransferView) -> None:
    """Mark a finished transfer as seen when the member who started it opens its page."""
    if view.is_mine and not view.is_live:
        notices.see(actor(), view.id)


def tabs_of(view: TransferView) -> list[dict[str, object]]:
    return [
        {
            "label": FILTERS[name],
            "count": count,
            "current": name == view.show,
            "url": url_for(".transfer", transfer_id=view.id, show=name),
        }
        for name, count in view.filters.items()
    ]
