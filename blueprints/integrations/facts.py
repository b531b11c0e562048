"""What is known of a server: its facts with their sources, the form that corrects one, and the report."""

from __future__ import annotations

import uuid
from typing import Any

from flask import flash, render_template, url_for
from werkzeug.wrappers import Response
from wtforms import RadioField, StringField, TextAreaField

from blueprints.authorization import actor, needs
from blueprints.downloads import attachment
from blueprints.forms_base import BaseForm
from blueprints.htmx import go_to
from blueprints.integrations import bp
from blueprints.integrations.pages import popup
from services.core.errors import InvalidError
from services.server_admin import learning
from services.servers import server_facts
from services.servers import views as server_views


class ChoiceFactForm(BaseForm):
    value = RadioField("Value", validate_choice=False)


class LineFactForm(BaseForm):
    value = StringField("Value")


class PairsFactForm(BaseForm):
    value = TextAreaField("Value")


FactForm = ChoiceFactForm | LineFactForm | PairsFactForm
HINTS = {
    "number": "A whole number.",
    "words": "Separate them with commas.",
    "pairs": "One pair a line, such as: docx = WORDX",
}


@bp.get("/<uuid:server_id>/facts")
@needs("admin")
def facts(server_id: uuid.UUID) -> str:
    view = server_views.server(actor(), server_id)
    return render_template(
        "integrations/facts.html",
        server=view,
        facts=server_facts.page(actor(), server_id),
        run=learning.latest(actor(), server_id),
    )


@bp.get("/<uuid:server_id>/facts/report.txt")
@needs("admin")
def facts_report(server_id: uuid.UUID) -> Response:
    text = server_facts.report(actor(), server_id)
    return attachment(text.encode(), "text/plain", "Facts about an iManage server.txt")


@bp.get("/<uuid:server_id>/facts/<key>")
@needs("admin")
def correct_fact(server_id: uuid.UUID, key: str) -> Response:
    fact, row, text = server_facts.fact_to_tell(actor(), server_id, key)
    return _answer(server_id, row, _form(fact, formdata=None, value=text), fact.kind)


@bp.post("/<uuid:server_id>/facts/<key>")
@needs("admin")
def save_fact(server_id: uuid.UUID, key: str) -> Response:
    fact, row, _text = server_facts.fact_to_tell(actor(), server_id, key)
    form = _form(fact)
    try:
        title = server_facts.tell(actor(), server_id, key, form.value.data or "")
    except InvalidError as refusal:
        form.add_errors(refusal)
        return _answer(server_id, row, form, fact.kind)
    flash(f"Saved “{title}”. It applies to the next call.", "success")
    return go_to(url_for(".facts", server_id=server_id))


@bp.post("/<uuid:server_id>/facts/<key>/forget")
@needs("admin")
def forget_fact(server_id: uuid.UUID, key: str) -> Response:
    title = server_facts.forget(actor(), server_id, key)
    flash(f"“{title}” is assumed again, until it is measured.", "success")
    return go_to(url_for(".facts", server_id=server_id))


def _form(fact: server_facts.Fact, **given: Any) -> FactForm:
    if fact.kind == "pairs":
        return PairsFactForm(**given)
    if fact.kind in {"choice", "yes_no"}:
        form = ChoiceFactForm(**given)
        form.value.choices = list(fact.choices.items()) or [("yes", "Yes"), ("no", "No")]
        return form
    return LineFactForm(**given)


def _answer(server_id: uuid.UUID, row: server_facts.FactRow, form: FactForm, kind: str) -> Response:
    view = server_views.server(actor(), server_id)
    return popup("fact", row.title, form=form, server=view, fact=row, hint=HINTS.get(kind))
