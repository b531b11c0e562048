"""Signing in to iManage and disconnecting from it."""

from __future__ import annotations

import uuid
from urllib.parse import urlsplit

from flask import Response, abort, current_app, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from blueprints.authorization import actor, get_only, needs
from blueprints.htmx import go_to, is_htmx, redirect_whole_page
from blueprints.oauth import bp, sign_ins
from services.connections import disconnecting, oauth
from services.connections.oauth_errors import SignInUnfinishedError, unfinished
from services.transfers import control

__all__ = ["bp", "sign_ins"]


@bp.post("/connect/<uuid:server_id>")
@needs("staff")
def begin(server_id: uuid.UUID) -> AnyResponse:
    """Send the browser to iManage. Our CSP has no form-action for it, so without scripts a page has a link."""
    url = oauth.begin(actor(), server_id, request.form.get("return_to", ""))
    if is_htmx():
        return redirect_whole_page(url)
    return Response(render_template("oauth/leave.html", url=url, host=urlsplit(url).hostname))


@bp.get("/auth/v0/oauth2/authorized")
@needs("public")
@get_only
def authorized() -> AnyResponse:
    """Public, so that a person whose session has ended reads that, and no code ends up in a `next` parameter."""
    if target := _on_public_host():
        return redirect(target, 303)
    try:
        if not current_user.is_authenticated:
            raise unfinished("oauth.signed_out")
        if current_user.is_guest:
            abort(404)
        done = oauth.finish(actor(), _answer())
        control.resume_after_sign_in(actor(), done.server_id)
    except SignInUnfinishedError as failure:
        return _unfinished_page(failure)
    flash(f"You are signed in to {done.label} as {done.imanage_name}.", "success")
    for sentence in done.warnings:
        flash(sentence, "warning")
    return redirect(done.return_to, 303)


@bp.post("/disconnect/<uuid:server_id>")
@needs("staff")
def disconnect(server_id: uuid.UUID) -> AnyResponse:
    if (asked := _confirm(disconnecting.own(actor(), server_id))) is not None:
        return asked
    if disconnecting.disconnect(actor(), server_id):
        flash("You are disconnected. Your documents and their links are kept.", "success")
    return go_to(url_for("account.index"))


@bp.post("/disconnect")
@needs("staff")
def disconnect_all() -> AnyResponse:
    if (asked := _confirm(disconnecting.own(actor()))) is not None:
        return asked
    if disconnecting.disconnect(actor()):
        flash("You are disconnected from all servers. Your documents and their links are kept.", "success")
    return go_to(url_for("account.index"))


def _confirm(endings: tuple[disconnecting.EndingSignIn, ...]) -> AnyResponse | None:
    account = url_for("account.index")
    return sign_ins.disconnect_dialog(endings, request.path, ("Account", account), account, is_own=True)


def _answer() -> oauth.CallbackAnswer:
    args = request.args
    return oauth.CallbackAnswer(
        state=args.get("state", ""),
        code=args.get("code", ""),
        error=args.get("error", ""),
        issuer=args.get("iss", ""),
    )


def _on_public_host() -> str | None:
    """The same address on the public host, which has the session cookie, where iManage returned to the API host."""
    settings = current_app.config["SETTINGS"]
    if settings.api_url == settings.public_url or request.host_url.rstrip("/") != settings.api_url:
        return None
    return f"{settings.public_url}{request.path}?{request.query_string.decode('ascii', 'replace')}"


def _unfinished_page(failure: SignInUnfinishedError) -> AnyResponse:
    status = 502 if failure.code.startswith("imanage.") else 400
    return Response(render_template("oauth/unfinished.html", failure=failure), status)
