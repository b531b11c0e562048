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
from services import check_text, health_states, practice, restriction, server_page
from services.pasted_people import Pasted
from services.servers import Saved


def popup(name: str, title: str, status: int = 200, **context: object) -> Response:
    crumb = ("iManage", url_for("integrations.index"))
    return popups.popup(f"integrations/_{name}_form.html", title, crumb, status, **context)


def server_answer(
    server_id: uuid.UUID,
    draft: RestrictionForm | None = None,
    status: int = 200,
    pasted: Pasted | None = None,
) -> Response:
    """The server's page; `draft` holds a restriction that is not saved yet, `pasted` what became of a pasted list."""
    page = server_page.of(actor(), server_id)
    kept = page.kept
    form = draft or RestrictionForm(formdata=None, restricted=kept.is_restricted)
    form.version.data = kept.version
    html = render_template(
        "integrations/server.html",
        server=page.server,
        checklist=page.checklist,
        health=page.health,
        days=page.days,
        check_minutes=health_states.minutes(),
        pause=page.pause,
        authorities=page.authorities,
        run=page.run,
        report=check_text.report_text(page.run) if page.run else "",
        kept=kept,
        practice_users=practice.users(),
        form=form,
        people=restriction.people(actor(), form.chosen) if draft else kept.people,
        groups=kept.all_groups,
        chosen_groups=form.group.data if draft else tuple(each.id for each in kept.groups),
        is_draft=draft is not None,
        pasted=pasted,
    )
    return allow_connect(fragment(html, status), page.server.url)


def say(saved: Saved) -> None:
    """What an admin should know of a server that was saved, at the top of the next page."""
    for sentence in saved.notices:
        flash(sentence, "info")
    for sentence in saved.warnings:
        flash(sentence, "warning")
