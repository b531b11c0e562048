"""Troubleshooting: the messages that people see when iManage does not open, their causes, and a live check."""

from __future__ import annotations

import uuid

from flask import Blueprint, make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from blueprints.authorization import actor, needs
from blueprints.htmx import fragment, go_to, is_htmx
from blueprints.query_params import search_text
from blueprints.security_headers import allow_connect
from services.access import permissions, server_access
from services.core.errors import NotFoundError
from services.guidance import topics
from services.monitoring import check_report, check_runs
from services.servers import views as server_views

bp = Blueprint("troubleshooting", __name__, url_prefix="/troubleshooting")


@bp.get("")
@needs("staff")
def index() -> Response:
    """The three messages, or a search's results; htmx only gets the list."""
    query = search_text().strip()
    page = "_results.html" if is_htmx() else "index.html"
    html = render_template(
        f"troubleshooting/{page}",
        topics=topics.TOPICS,
        q=query,
        matches=topics.search(query),
    )
    return fragment(html)


@bp.get("/<slug>")
@needs("staff")
def topic(slug: str) -> str:
    """Admins can check a server; members can check it from their browser."""
    is_admin = permissions.may_administer(actor())
    servers = server_views.all_servers(actor()) if is_admin else ()
    wanted = request.args.get("server", type=uuid.UUID)
    chosen = next((each for each in servers if each.id == wanted), servers[0] if servers else None)
    found = _topic(slug)
    run = check_runs.latest(actor(), chosen.id) if chosen else None
    return render_template(
        "troubleshooting/topic.html",
        topic=found,
        topics=topics.TOPICS,
        is_admin=is_admin,
        servers=servers,
        chosen=chosen,
        results=run.results if run else (),
        own=server_access.available_to(actor()),
        **(_check_context(found, run) if run else {}),
    )


@bp.post("/<slug>/check/<uuid:server_id>")
@needs("admin")
def start_check(slug: str, server_id: uuid.UUID) -> Response:
    found = _topic(slug)
    return _answer(found, server_id, check_runs.start(actor(), server_id))


@bp.get("/<slug>/check/<uuid:server_id>/<uuid:run_id>")
@needs("admin")
def check_run(slug: str, server_id: uuid.UUID, run_id: uuid.UUID) -> Response:
    return _answer(_topic(slug), server_id, run_id)


@bp.get("/this-browser/<uuid:server_id>")
@needs("staff")
def this_browser(server_id: uuid.UUID) -> Response:
    """The only page for members whose CSP allows a request to another origin, the server's."""
    server = next((each for each in server_access.available_to(actor()) if each.id == server_id), None)
    if server is None:
        raise NotFoundError()
    html = render_template("troubleshooting/this_browser.html", server=server, topics=topics.TOPICS)
    return allow_connect(make_response(html), server.url)


def _topic(slug: str) -> topics.Topic:
    found = topics.topic(slug)
    if found is None:
        raise NotFoundError()
    return found


def _answer(found: topics.Topic, server_id: uuid.UUID, run_id: uuid.UUID) -> Response:
    if not is_htmx():
        return go_to(url_for(".topic", slug=found.slug, server=server_id))
    run = check_runs.of(actor(), run_id)
    return fragment(render_template("integrations/_check_run.html", **_check_context(found, run)))


def _check_context(found: topics.Topic, run: check_runs.RunView) -> dict[str, object]:
    """The run with only this topic's checks, and this page's address to poll."""
    poll = url_for(".check_run", slug=found.slug, server_id=run.server_id, run_id=run.id)
    return {"run": run.about(found), "report": check_report.report_text(run), "poll": poll}
