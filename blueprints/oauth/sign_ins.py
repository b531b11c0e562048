"""For System Admins: sign-ins to a server and of a member, and ending one or all of a server."""

from __future__ import annotations

import uuid
from typing import Any

from flask import flash, render_template, request, url_for
from werkzeug.wrappers import Response

from blueprints.authorization import actor, needs
from blueprints.dialogs import CONFIRM, confirmation, popup
from blueprints.htmx import fragment, go_to, is_htmx
from blueprints.oauth import bp
from blueprints.query_params import page_number, search_text
from services.connections import admin as connection_admin
from services.connections import disconnecting
from services.servers import views as server_views

OF_SERVER = "/admin/integrations/imanage/<uuid:server_id>/sign-ins"
OF_MEMBER = "/admin/members/<uuid:member_id>/sign-ins"
ENDED = "The sign-in has ended. Documents and links are kept."


@bp.get(OF_SERVER, endpoint="sign_ins")
@needs("admin")
def of_server(server_id: uuid.UUID) -> Response:
    """A part of the server's page; opened by itself, it redirects to the page."""
    if not is_htmx():
        return go_to(url_for("integrations.server", server_id=server_id))
    return fragment(_of_server(server_id))


@bp.post(f"{OF_SERVER}/<uuid:member_id>/end")
@needs("admin")
def end_sign_in(server_id: uuid.UUID, member_id: uuid.UUID) -> Response:
    back = url_for("integrations.server", server_id=server_id)
    endings = disconnecting.of_member(actor(), server_id, member_id)
    crumb = (endings[0].server if endings else "iManage", back)
    if (asked := disconnect_dialog(endings, request.path, crumb, back, "#sign-ins")) is not None:
        return asked
    connection_admin.end(actor(), server_id, member_id)
    if is_htmx():
        return fragment(_of_server(server_id), closeDialog=True)
    flash(ENDED, "success")
    return go_to(back)


@bp.get(f"{OF_SERVER}/end")
@needs("admin")
def confirm_end_of_all(server_id: uuid.UUID) -> Response:
    """The pop-up with how many would have to sign in again."""
    view = server_views.server(actor(), server_id)
    crumb = (view.name, url_for("integrations.server", server_id=server_id))
    return popup("oauth/_end_all.html", "Disconnect all members?", crumb, server=view)


@bp.post(f"{OF_SERVER}/end")
@needs("admin")
def end_all_sign_ins(server_id: uuid.UUID) -> Response:
    ended = connection_admin.end(actor(), server_id)
    flash(
        f"{'1 sign-in has' if ended == 1 else f'{ended} sign-ins have'} ended. Documents and links are kept.",
        "success",
    )
    return go_to(url_for("integrations.server", server_id=server_id))


@bp.get(OF_MEMBER)
@needs("admin")
def member_sign_ins(member_id: uuid.UUID) -> Response:
    """A part of the member's page; opened by itself, it redirects to the page."""
    if not is_htmx():
        return go_to(url_for("members.member", member_id=member_id))
    return fragment(_of_member(member_id))


@bp.post(f"{OF_MEMBER}/<uuid:server_id>/end")
@needs("admin")
def end_member_sign_in(member_id: uuid.UUID, server_id: uuid.UUID) -> Response:
    back = url_for("members.member", member_id=member_id)
    endings = disconnecting.of_member(actor(), server_id, member_id)
    crumb = (endings[0].member if endings else "Members", back)
    if (asked := disconnect_dialog(endings, request.path, crumb, back, "#member-sign-ins")) is not None:
        return asked
    connection_admin.end(actor(), server_id, member_id)
    if is_htmx():
        return fragment(_of_member(member_id), closeDialog=True)
    flash(ENDED, "success")
    return go_to(back)


def disconnect_dialog(
    endings: tuple[disconnecting.EndingSignIn, ...],
    url: str,
    crumb: tuple[str, str],
    back: str,
    target: str = "",
    *,
    is_own: bool = False,
) -> Response | None:
    """The pop-up that asks for confirmation; None once confirmed, or where there is nothing to end.

    `target` is the element that the response of `url` replaces; without one, it redirects.
    """
    if not endings or request.form.get("sure") == "1":
        return None
    if len(endings) > 1:
        title = "Disconnect from all servers?"
    else:
        title = f"Disconnect {'from ' + endings[0].server if is_own else endings[0].member}?"
    context: dict[str, Any] = {
        "endings": endings,
        "url": url,
        "back": back,
        "target": target,
        "is_own": is_own,
    }
    return confirmation(popup("oauth/_disconnect.html", title, crumb, CONFIRM, **context))


def _of_server(server_id: uuid.UUID) -> str:
    found = connection_admin.of_server(actor(), server_id, search_text(), page_number())
    return render_template("oauth/_sign_ins.html", sign_ins=found, server_id=server_id)


def _of_member(member_id: uuid.UUID) -> str:
    found = connection_admin.of_member(actor(), member_id)
    return render_template("oauth/_member_sign_ins.html", sign_ins=found, member_id=member_id)
