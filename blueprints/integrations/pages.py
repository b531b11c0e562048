"""The answers that several routes of the room give: a form in its pop-up, and a server's page."""

from __future__ import annotations

import uuid

from flask import flash, render_template, url_for
from werkzeug.wrappers import Response

from blueprints import popups
from blueprints.access import actor
from blueprints.headers import allow_connect
from blueprints.htmx import fragment
from blueprints.integrations.forms import RestrictionForm
from services import (
    check_runs,
    check_text,
    checklist,
    health_days,
    health_states,
    own_ca,
    practice,
    restriction,
    server_pauses,
    server_views,
)
from services.pasted_people import Pasted
from services.servers import Saved


def popup(name: str, title: str, status: int = 200, **context: object) -> Response:
    crumb = ("iManage", url_for("integrations.index"))
    return popups.popup(f"integrations/_{name}_form.html", title, crumb, status, **context)


def server_page(
    server_id: uuid.UUID,
    draft: RestrictionForm | None = None,
    status: int = 200,
    pasted: Pasted | None = None,
) -> Response:
    """The server's page; `draft` holds a restriction that is not saved yet, `pasted` what became of a pasted list."""
    kept = restriction.restriction(actor(), server_id)
    form = draft or RestrictionForm(formdata=None, restricted=kept.is_restricted)
    form.version.data = kept.version
    view = server_views.server(actor(), server_id)
    run = check_runs.latest(actor(), server_id)
    html = render_template(
        "integrations/server.html",
        server=view,
        checklist=checklist.checklist(actor(), server_id),
        health=health_states.health(actor(), server_id),
        days=health_days.strip(actor(), server_id),
        check_minutes=health_states.minutes(),
        pause=server_pauses.paused_now().get(server_id),
        authorities=own_ca.authorities(actor(), server_id),
        run=run,
        report=check_text.report_text(run) if run else "",
        kept=kept,
        practice_users=practice.users(),
        form=form,
        people=restriction.people(actor(), form.chosen) if draft else kept.people,
        groups=restriction.all_groups(actor()),
        chosen_groups=form.group.data if draft else tuple(each.id for each in kept.groups),
        is_draft=draft is not None,
        pasted=pasted,
    )
    return allow_connect(fragment(html, status), view.url)


def say(saved: Saved) -> None:
    """What an admin should know of a server that was saved, at the top of the next page."""
    for sentence in saved.notices:
        flash(sentence, "info")
    for sentence in saved.warnings:
        flash(sentence, "warning")
