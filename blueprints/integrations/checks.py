"""Checking a server: a run and its progress, its report as text; the request sheet and the support bundle."""

from __future__ import annotations

import uuid

from flask import render_template, url_for
from werkzeug.wrappers import Response

from blueprints.authorization import actor, get_only, needs
from blueprints.downloads import attachment
from blueprints.htmx import fragment, go_to, is_htmx
from blueprints.integrations import bp
from services.monitoring import check_report as monitoring_check_report
from services.monitoring import check_runs, history
from services.monitoring import state as monitoring_state
from services.operations import support_bundle
from services.server_admin import network_sheet, onboarding
from services.servers import views as server_views


@bp.post("/<uuid:server_id>/checks")
@needs("admin")
def start_check(server_id: uuid.UUID) -> Response:
    """From the page, or from a pop-up with Check first, which then closes."""
    run_id = check_runs.start(actor(), server_id)
    answer = _answer(server_id, run_id)
    if is_htmx():
        answer.headers["HX-Trigger-After-Swap"] = "closeDialog"
    return answer


@bp.get("/<uuid:server_id>/checks/<uuid:run_id>")
@needs("admin")
def check_run(server_id: uuid.UUID, run_id: uuid.UUID) -> Response:
    """A part of the server's page, polled during the run; opened by itself, it redirects to the page."""
    return _answer(server_id, run_id)


@bp.get("/<uuid:server_id>/checks/<uuid:run_id>/report.txt")
@needs("admin")
def check_report(server_id: uuid.UUID, run_id: uuid.UUID) -> Response:
    run = check_runs.of(actor(), run_id)
    text = monitoring_check_report.report_text(run)
    return attachment(text.encode(), "text/plain", f"Check of {run.server_name}.txt")


@bp.get("/<uuid:server_id>/request-sheet")
@needs("admin")
def request_sheet_page(server_id: uuid.UUID) -> str:
    sheet = network_sheet.sheet(actor(), server_id)
    return render_template(
        "integrations/request_sheet.html", sheet=sheet, sheet_text=network_sheet.as_text(sheet)
    )


@bp.get("/support-bundle.zip")
@needs("admin")
@get_only
def download_support_bundle() -> Response:
    name, content = support_bundle.bundle(actor())
    return attachment(content, "application/zip", name)


def _answer(server_id: uuid.UUID, run_id: uuid.UUID) -> Response:
    if not is_htmx():
        return go_to(url_for(".server", server_id=server_id, _anchor="check"))
    run = check_runs.of(actor(), run_id)
    report = monitoring_check_report.report_text(run)
    if run.is_running:
        return fragment(render_template("integrations/_check_run.html", run=run, report=report))
    html = render_template(
        "integrations/_finished_check.html",
        run=run,
        report=report,
        server=server_views.server(actor(), run.server_id),
        checklist=onboarding.checklist(actor(), run.server_id),
        health=monitoring_state.health(actor(), run.server_id),
        days=history.strip(actor(), run.server_id),
        check_minutes=monitoring_state.minutes(),
    )
    return fragment(html, checked=True)
