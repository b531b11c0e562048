"""A server's custom CA: the pop-up with the certificates as PEM, and their removal."""

from __future__ import annotations

import uuid
from contextlib import suppress

from flask import flash, url_for
from flask_wtf.file import FileField
from werkzeug.wrappers import Response
from wtforms import HiddenField, TextAreaField

from blueprints.authorization import actor, needs
from blueprints.forms_base import BaseForm
from blueprints.htmx import go_to
from blueprints.integrations import bp
from blueprints.integrations.pages import popup
from services.core.errors import InvalidError, TooManyError
from services.monitoring import check_runs
from services.servers import certificate_authorities
from services.servers import views as server_views


class OwnCaForm(BaseForm):
    """Pasted certificates or a file. Text with a private key is not sent back to the page."""

    version = HiddenField()
    pem = TextAreaField("Certificates")
    file = FileField("Or choose a file")

    def content(self) -> bytes:
        uploaded = self.file.data.read(certificate_authorities.LARGEST + 1) if self.file.data else b""
        return uploaded or (self.pem.data or "").encode()


class VersionForm(BaseForm):
    version = HiddenField()


@bp.get("/<uuid:server_id>/own-ca")
@needs("admin")
def own_certificates(server_id: uuid.UUID) -> Response:
    view = server_views.server(actor(), server_id)
    return _answer(
        view,
        OwnCaForm(formdata=None, pem=certificate_authorities.pem(actor(), server_id), version=view.version),
    )


@bp.post("/<uuid:server_id>/own-ca")
@needs("admin")
def save_certificates(server_id: uuid.UUID) -> Response:
    form, view = OwnCaForm(), server_views.server(actor(), server_id)
    given = form.content()
    try:
        listed = certificate_authorities.save(actor(), server_id, given, form.version.data or "")
    except InvalidError as refusal:
        form.add_errors(refusal)
        if certificate_authorities.holds_private_key(given) or len(given) > certificate_authorities.LARGEST:
            form.pem.data = ""
        view = server_views.server(actor(), server_id)
        form.version.data = view.version
        return _answer(view, form)
    count = "1 certificate" if len(listed) == 1 else f"{len(listed)} certificates"
    flash(f"Saved. Connections to “{view.name}” now also trust {count} of your own.", "success")
    return _check_again(server_id)


@bp.get("/<uuid:server_id>/own-ca/remove")
@needs("admin")
def confirm_ca_removal(server_id: uuid.UUID) -> Response:
    view = server_views.server(actor(), server_id)
    form = VersionForm(formdata=None, version=view.version)
    return popup("own_ca_removal", "Remove custom CA?", form=form, server=view)


@bp.post("/<uuid:server_id>/own-ca/remove")
@needs("admin")
def remove_certificates(server_id: uuid.UUID) -> Response:
    form, view = VersionForm(), server_views.server(actor(), server_id)
    try:
        certificate_authorities.remove(actor(), server_id, form.version.data or "")
    except InvalidError as refusal:
        form.add_errors(refusal)
        form.version.data = view.version
        return popup("own_ca_removal", "Remove custom CA?", form=form, server=view)
    flash(f"Removed. Connections to “{view.name}” now only trust public authorities.", "success")
    return _check_again(server_id)


def _check_again(server_id: uuid.UUID) -> Response:
    """Start a check and return to the page, where its result shows."""
    with suppress(TooManyError):
        check_runs.start(actor(), server_id)
    return go_to(url_for(".server", server_id=server_id))


def _answer(view: server_views.ServerView, form: OwnCaForm) -> Response:
    return popup("own_ca", "Custom CA", form=form, server=view)
