"""Responses that several routes share: a form in a pop-up, and the server's page."""

from __future__ import annotations

import uuid
from typing import Any

from flask import flash, render_template, url_for
from werkzeug.wrappers import Response

from blueprints import dialogs
from blueprints.authorization import actor
from blueprints.htmx import fragment, is_htmx, placed
from blueprints.integrations.forms import RestrictionForm
from blueprints.security_headers import allow_connect
from services.core.actor import Actor
from services.monitoring import check_report
from services.monitoring import state as monitoring_state
from services.server_admin import server_page
from services.servers import circuit_breaker, practice, removal, restriction
from services.servers import views as server_views
from services.servers.bulk_add import Pasted
from services.servers.registry import SavedServer


def popup(name: str, title: str, status: int = 200, **context: Any) -> Response:
    crumb = ("iManage", url_for("integrations.index"))
    return dialogs.popup(f"integrations/_{name}_form.html", title, crumb, status, **context)


def servers_context(who: Actor) -> dict[str, object]:
    """The template context of the list of servers."""
    return {
        "servers": server_views.all_servers(who),
        "healths": monitoring_state.every_health(who),
        "circuits": circuit_breaker.open_circuits(),
        "has_practice": practice.exists(who),
        "removals": removal.recent_removals(who),
    }


def question(name: str, title: str, **context: Any) -> Response:
    """A pop-up that asks for confirmation; nothing has been done yet."""
    return dialogs.confirmation(popup(name, title, dialogs.CONFIRM, **context))


def server_answer(
    server_id: uuid.UUID,
    draft: RestrictionForm | None = None,
    status: int = 200,
    pasted: Pasted | None = None,
) -> Response:
    """The server's page; `draft` is an unsaved restriction, `pasted` the result of a pasted list."""
    page = server_page.of(actor(), server_id)
    html = render_template(
        "integrations/server.html",
        check_minutes=monitoring_state.minutes(),
        report=check_report.report_text(page.run) if page.run else "",
        practice_users=practice.users(),
        pasted=pasted,
        **vars(page) | _restriction(page.kept, draft),
    )
    return allow_connect(fragment(html, status), page.server.url)


def restriction_answer(server_id: uuid.UUID, draft: RestrictionForm) -> Response:
    """A rejected restriction: the page, or for htmx only its card, with the error and the draft."""
    if not is_htmx():
        return server_answer(server_id, draft, 422)
    kept = restriction.restriction(actor(), server_id)
    html = render_template(
        "integrations/_restriction.html",
        server=server_views.server(actor(), server_id),
        pasted=None,
        **_restriction(kept, draft),
    )
    answer = placed(html, 422, "#who")
    answer.headers["HX-Trigger"] = "closeDialog"
    return answer


def _restriction(kept: restriction.RestrictionView, draft: RestrictionForm | None) -> dict[str, object]:
    form = draft or RestrictionForm(formdata=None, restricted=kept.is_restricted)
    form.version.data = kept.version
    return {
        "kept": kept,
        "form": form,
        "people": restriction.people(actor(), form.chosen) if draft else kept.people,
        "groups": kept.all_groups,
        "chosen_groups": form.group.data if draft else tuple(each.id for each in kept.groups),
        "is_draft": draft is not None,
    }


def flash_notices(saved: SavedServer) -> None:
    """Show the notices and warnings about a saved server on the next page."""
    for sentence in saved.notices:
        flash(sentence, "info")
    for sentence in saved.warnings:
        flash(sentence, "warning")
