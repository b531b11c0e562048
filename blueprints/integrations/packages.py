"""Application packages: making one, downloading it; and the banner while iManage has an earlier redirect URL."""

from __future__ import annotations

import uuid

from flask import flash, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from blueprints.authorization import actor, needs
from blueprints.downloads import attachment
from blueprints.htmx import fragment, go_to, is_htmx
from blueprints.integrations import bp
from blueprints.integrations.forms import PackageForm
from services.core.errors import InvalidError
from services.servers import redirect_urls, registry
from services.servers.packages import packages
from services.servers.packages.keys import Keys

PACKAGE = "/package"
ADMIN = "/admin/"


@bp.get(PACKAGE)
@needs("admin")
def application_package() -> Response:
    form = PackageForm(formdata=None, request_key=str(uuid.uuid4()), **packages.defaults(actor()))
    return _form_page(form)


@bp.post(PACKAGE)
@needs("admin")
def make_package() -> Response:
    """The only response that contains the secret; sending the same form again does not show it."""
    form = PackageForm()
    if form.validate():
        try:
            made = packages.make(actor(), form.command())
        except InvalidError as refusal:
            form.add_errors(refusal)
        else:
            return _package_page(made.package, made.keys)
    return _form_page(form, 422)


@bp.get(f"{PACKAGE}/<uuid:package_id>")
@needs("admin")
def package(package_id: uuid.UUID) -> Response:
    return _package_page(packages.package(actor(), package_id))


@bp.post(f"{PACKAGE}/<uuid:package_id>/manifest.zip")
@needs("admin")
def download_package(package_id: uuid.UUID) -> Response:
    name, content = packages.download(actor(), package_id)
    return attachment(content, "application/zip", name)


@bp.post(f"{PACKAGE}/<uuid:package_id>/settled")
@needs("admin")
def settle_package(package_id: uuid.UUID) -> Response:
    redirect_urls.settle(actor(), package_id)
    flash("Saved. There will be no more reminders about this package.", "success")
    return go_to(url_for(".application_package"))


@bp.post("/<uuid:server_id>/redirect-url")
@needs("admin")
def confirm_redirect_url(server_id: uuid.UUID) -> Response:
    redirect_urls.confirm(actor(), server_id)
    flash("Saved. Check the connection to see whether iManage accepts the redirect URL.", "success")
    return go_to(url_for(".server", server_id=server_id))


@bp.app_context_processor
def redirect_change() -> dict[str, redirect_urls.RedirectChange | None]:
    """For full pages of System Admins."""
    is_page = request.path.startswith(ADMIN) and not is_htmx()
    is_for_admin = is_page and current_user.is_authenticated and current_user.is_admin
    return {"redirect_change": redirect_urls.change(actor()) if is_for_admin else None}


def _form_page(form: PackageForm, status: int = 200) -> Response:
    html = render_template(
        "integrations/package.html",
        form=form,
        redirect_url=registry.redirect_url(),
        packages=packages.all_packages(actor()),
    )
    return fragment(html, status)


def _package_page(view: packages.PackageView, keys: Keys | None = None) -> Response:
    return fragment(
        render_template(
            "integrations/package_made.html", package=view, keys=keys, redirect_url=view.redirect_url
        )
    )
