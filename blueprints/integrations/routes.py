"""Admin System > Integrations > iManage: the list of servers, adding one, its page and its details."""

from __future__ import annotations

import uuid
from typing import Any

from flask import flash, render_template, request, url_for
from werkzeug.wrappers import Response

from blueprints import errors
from blueprints.authorization import actor, needs
from blueprints.htmx import go_to, is_htmx
from blueprints.integrations import access_explainer as access_explainer
from blueprints.integrations import bp as bp
from blueprints.integrations import certificates as certificates
from blueprints.integrations import checks as checks
from blueprints.integrations import credentials as credentials
from blueprints.integrations import facts as facts
from blueprints.integrations import health as health
from blueprints.integrations import learning as learning
from blueprints.integrations import packages as packages
from blueprints.integrations import removal as removal
from blueprints.integrations import repoint as repoint
from blueprints.integrations import restriction as restriction
from blueprints.integrations import server_route as server_route
from blueprints.integrations import switching as switching
from blueprints.integrations.forms import AddServerForm, ChangeServerForm, as_id
from blueprints.integrations.pages import flash_notices, popup, server_answer, servers_context
from services.core.errors import InvalidError
from services.servers import practice as practice_server
from services.servers import registry, transport
from services.servers import views as server_views
from services.servers.packages import packages as application_packages
from services.servers.registry import ServerGoneError

NOT_FOUND = 404


@bp.get("")
@needs("admin")
def index() -> str:
    return render_template("integrations/index.html", gone=None, **servers_context(actor()))


@bp.errorhandler(ServerGoneError)
def server_is_gone(gone: ServerGoneError) -> Response:
    """An htmx request from a page opened before the removal gets the notice as a toast."""
    if is_htmx():
        return errors.answer(gone, NOT_FOUND)
    html = render_template("integrations/index.html", gone=gone, **servers_context(actor()))
    return Response(html, NOT_FOUND, mimetype="text/html")


@bp.get("/new")
@needs("admin")
def new_server() -> Response:
    """With the id of an application package, its Client ID and secret are used, without being on the page."""
    package = as_id(request.args.get("package", ""))
    if package is None:
        return _add_answer(AddServerForm(formdata=None))
    return _add_answer(AddServerForm(formdata=None, package=str(package), kind=transport.ON_PREMISE))


@bp.post("/new/fields")
@needs("admin")
def new_server_fields() -> str:
    """The fields for the chosen kind. By POST, so that nothing entered is in a URL."""
    return render_template("integrations/_kind_fields.html", **_form_context(AddServerForm()))


@bp.post("/new")
@needs("admin")
def add_server() -> Response:
    form = AddServerForm()
    if request.form.get("to_cloud"):
        form.switch_to_cloud()
        return _add_answer(form, switched=True)
    if form.validate():
        try:
            saved = registry.add(actor(), form.command())
        except InvalidError as refusal:
            form.add_errors(refusal)
        else:
            flash(f"“{saved.name}” has been added. Members see it once you switch it on.", "success")
            flash_notices(saved)
            return go_to(url_for(".server", server_id=saved.id))
    else:
        form.add_errors(InvalidError(registry.problems(actor(), form.command())), keep_own=True)
    form.reduce_to_subdomain()
    return _add_answer(form)


@bp.get("/practice/new")
@needs("admin")
def new_practice_server() -> Response:
    return popup("practice", "Add practice server")


@bp.post("/practice")
@needs("admin")
def add_practice_server() -> Response:
    saved = practice_server.add(actor())
    flash(f"“{saved.name}” has been added. Switch it on to start it.", "success")
    return go_to(url_for(".server", server_id=saved.id))


@bp.get("/<uuid:server_id>")
@needs("admin")
def server(server_id: uuid.UUID) -> Response:
    return server_answer(server_id)


@bp.get("/<uuid:server_id>/edit")
@needs("admin")
def edit_server(server_id: uuid.UUID) -> Response:
    view = server_views.server(actor(), server_id)
    return _change_answer(view, ChangeServerForm(obj=view))


@bp.post("/<uuid:server_id>/edit")
@needs("admin")
def change_server(server_id: uuid.UUID) -> Response:
    form = ChangeServerForm()
    if form.validate():
        try:
            saved = registry.change(actor(), server_id, form.command())
        except InvalidError as refusal:
            form.add_errors(refusal)
        else:
            flash(f"Saved name and limits of “{saved.name}”.", "success")
            flash_notices(saved)
            return go_to(url_for(".server", server_id=server_id))
    else:
        form.add_errors(
            InvalidError(registry.change_problems(actor(), server_id, form.command())), keep_own=True
        )
    view = server_views.server(actor(), server_id)
    form.version.data = view.version
    return _change_answer(view, form)


def _add_answer(form: AddServerForm, *, switched: bool = False) -> Response:
    return popup("add", "Add server", switched=switched, **_form_context(form))


def _form_context(form: AddServerForm) -> dict[str, Any]:
    """The form's context; a package that is no longer available is dropped, so that the fields show."""
    form.package_client_id = application_packages.available_client_id(actor(), form.package_id)
    if form.package_client_id is None:
        form.package.data = ""
    return {"form": form, "cloud_domain": registry.cloud_domain(), "redirect_url": registry.redirect_url()}


def _change_answer(view: server_views.ServerView, form: ChangeServerForm) -> Response:
    return popup("edit", "Change name and limits", form=form, server=view)
