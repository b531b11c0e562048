"""Restricting a server: searching members, changing or pasting the list, and saving it with the switch."""

from __future__ import annotations

import uuid

from flask import flash, render_template, request, url_for
from werkzeug.wrappers import Response

from blueprints.authorization import actor, needs
from blueprints.htmx import fragment, go_to, is_htmx
from blueprints.integrations import bp
from blueprints.integrations.forms import RestrictionForm
from blueprints.integrations.pages import question, restriction_answer, server_answer
from blueprints.query_params import count_search
from services.core.errors import InvalidError
from services.servers import access_loss, bulk_add, restriction
from services.servers import views as server_views


@bp.post("/<uuid:server_id>/restriction/search")
@needs("admin")
def search_people(server_id: uuid.UUID) -> str:
    """Members who could be added. By POST, because the list so far is sent and may be long."""
    server_views.server(actor(), server_id)
    add = url_for(".choose_person", server_id=server_id)
    found = _found(RestrictionForm())
    return render_template("groups/_found.html", add=add, name="add", target="#people", **found)


@bp.post("/<uuid:server_id>/restriction/chosen")
@needs("admin")
def choose_person(server_id: uuid.UUID) -> str:
    """The list with one more member, not saved yet."""
    server_views.server(actor(), server_id)
    form = RestrictionForm()
    return render_template(
        "integrations/_people.html",
        server_id=server_id,
        people=restriction.people(actor(), form.chosen),
        was_added=True,
        **_found(form),
    )


@bp.post("/<uuid:server_id>/restriction/pasted")
@needs("admin")
def paste_people(server_id: uuid.UUID) -> Response:
    """The list with the members found, and what happened to the other emails."""
    server_views.server(actor(), server_id)
    form = RestrictionForm()
    pasted = bulk_add.match(actor(), form.pasted.data or "", form.chosen)
    form.add.data = (*form.add.data, *pasted.ids)
    if not is_htmx():
        return server_answer(server_id, draft=form, pasted=pasted)
    people = restriction.people(actor(), form.chosen)
    context = {"server_id": server_id, "people": people, "pasted": pasted, "q": "", "found": ()}
    return fragment(render_template("integrations/_people.html", **context))


@bp.post("/<uuid:server_id>/restriction")
@needs("admin")
def save_restriction(server_id: uuid.UUID) -> Response:
    form = RestrictionForm()
    if form.add.data or form.remove.data:
        return server_answer(server_id, draft=form)
    view, wanted = server_views.server(actor(), server_id), form.command()
    try:
        losses = access_loss.by_restriction(actor(), server_id, wanted)
        access_loss.require_no_loss(losses, is_sure=request.form.get("sure") == "1")
        saved = restriction.save(actor(), server_id, wanted)
    except access_loss.WouldLoseAccessError as loss:
        return question("losing", f"Restrict “{view.name}”?", server=view, losses=loss.losses, form=form)
    except InvalidError as refusal:
        form.add_errors(refusal)
        return restriction_answer(server_id, form)
    _flash(saved)
    return go_to(url_for(".server", server_id=server_id))


def _found(form: RestrictionForm) -> dict[str, object]:
    query = (form.q.data or "").strip()
    if query:
        count_search()
    return {"q": query, "found": restriction.find_people(actor(), query, form.chosen)}


def _flash(saved: restriction.RestrictionSaved) -> None:
    if not saved.changed:
        flash("Nothing has changed.", "info")
        return
    if not saved.is_restricted:
        flash("Saved. All members can use the server.", "success")
        return
    members = "1 member" if saved.listed == 1 else f"{saved.listed} members"
    if saved.listed:
        flash(f"Saved. Only {members} can use the server.", "success")
    else:
        flash("Saved. No members are listed, so nobody can use the server.", "warning")
    if saved.signed_out:
        sign_ins = "1 sign-in has" if saved.signed_out == 1 else f"{saved.signed_out} sign-ins have"
        flash(f"{sign_ins} ended.", "info")
