"""Re-pointing a server: choosing the new one and its libraries, the preview, confirming, and undoing."""

from __future__ import annotations

import uuid

from flask import flash, render_template, request, url_for
from werkzeug.wrappers import Response

from blueprints.authorization import actor, needs
from blueprints.htmx import fragment, go_to
from blueprints.integrations import bp
from blueprints.integrations.forms import ConfirmRepointForm, RepointForm, as_id
from blueprints.integrations.pages import popup
from services.core.errors import InvalidError, RemoteRefusedError, SignInNeededError
from services.server_admin import repoint, repoint_preview
from services.server_admin.repoint_preview import PreviewCommand
from services.servers import views as server_views


@bp.get("/<uuid:server_id>/re-point")
@needs("admin")
def repoint_server(server_id: uuid.UUID) -> Response:
    """The choice of a server, and once it is made the libraries of both."""
    target_id = as_id(request.args.get("to", ""))
    return _plan_answer(server_id, RepointForm(formdata=None, target=str(target_id or "")))


@bp.post("/<uuid:server_id>/re-point")
@needs("admin")
def preview_repoint(server_id: uuid.UUID) -> Response:
    form = RepointForm()
    if form.target_id is None:
        return go_to(url_for(".repoint_server", server_id=server_id))
    wanted = PreviewCommand(form.target_id, form.libraries, bool(form.copies_restriction.data))
    try:
        repoint_id = repoint_preview.start(actor(), server_id, wanted)
    except InvalidError as refusal:
        form.add_errors(refusal)
        return _plan_answer(server_id, form)
    except (SignInNeededError, RemoteRefusedError) as refusal:
        return _plan_answer(server_id, form, refusal)
    return go_to(url_for(".previewed_repoint", server_id=server_id, repoint_id=repoint_id))


@bp.get("/<uuid:server_id>/re-point/<uuid:repoint_id>")
@needs("admin")
def previewed_repoint(server_id: uuid.UUID, repoint_id: uuid.UUID) -> Response:
    return _preview_answer(server_id, repoint_id, ConfirmRepointForm(formdata=None))


@bp.post("/<uuid:server_id>/re-point/<uuid:repoint_id>")
@needs("admin")
def confirm_repoint(server_id: uuid.UUID, repoint_id: uuid.UUID) -> Response:
    form = ConfirmRepointForm()
    try:
        moved = repoint.confirm(actor(), server_id, repoint_id, form.typed_name.data or "")
    except InvalidError as refusal:
        form.add_errors(refusal)
        return _preview_answer(server_id, repoint_id, form)
    flash(f"{_links(moved.links)} moved to “{moved.target}”. This server is switched off.", "success")
    return go_to(url_for(".server", server_id=server_id))


@bp.get("/<uuid:server_id>/re-point/<uuid:repoint_id>/undo")
@needs("admin")
def confirm_undo_repoint(server_id: uuid.UUID, repoint_id: uuid.UUID) -> Response:
    view = server_views.server(actor(), server_id)
    found = repoint.undo_preview(actor(), server_id, repoint_id)
    return popup("repoint_undo", "Undo the re-point?", server=view, found=found)


@bp.post("/<uuid:server_id>/re-point/<uuid:repoint_id>/undo")
@needs("admin")
def undo_repoint(server_id: uuid.UUID, repoint_id: uuid.UUID) -> Response:
    undone = repoint.undo(actor(), server_id, repoint_id)
    flash(f"{_links(undone.links)} moved back from “{undone.target}”.", "success")
    if undone.kept:
        documents = "1 document keeps its" if undone.kept == 1 else f"{undone.kept:,} documents keep their"
        flash(f"{documents} newer links, because of what was done since.", "info")
    return go_to(url_for(".server", server_id=server_id))


def _plan_answer(
    server_id: uuid.UUID,
    form: RepointForm,
    refusal: SignInNeededError | RemoteRefusedError | None = None,
) -> Response:
    """The page with what the new server's libraries are, or why they could not be read."""
    view, plan = server_views.server(actor(), server_id), None
    targets = repoint_preview.targets(actor(), server_id)
    if form.target_id is not None and refusal is None:
        try:
            plan = repoint_preview.plan(actor(), server_id, form.target_id)
        except (SignInNeededError, RemoteRefusedError) as error:
            refusal = error
    html = render_template(
        "integrations/repoint.html",
        server=view,
        targets=targets,
        form=form,
        plan=plan,
        refusal=refusal,
        needs_sign_in=isinstance(refusal, SignInNeededError),
        samples=repoint_preview.SAMPLES,
    )
    failed = isinstance(refusal, RemoteRefusedError)
    return fragment(html, 502 if failed else 422 if form.errors else 200)


def _preview_answer(server_id: uuid.UUID, repoint_id: uuid.UUID, form: ConfirmRepointForm) -> Response:
    html = render_template(
        "integrations/repoint_preview.html",
        server=server_views.server(actor(), server_id),
        preview=repoint.preview(actor(), server_id, repoint_id),
        form=form,
    )
    return fragment(html, 422 if form.errors else 200)


def _links(count: int) -> str:
    return "1 link has" if count == 1 else f"{count:,} links have"
