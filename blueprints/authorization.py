"""Who may enter: every route is listed under the permission it needs, and the person behind a request is an Actor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from flask import Flask, abort, current_app, g, redirect, request, session, url_for
from flask_login import UserMixin, current_user
from flask_wtf.csrf import CSRFError, validate_csrf
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.wrappers import Response
from wtforms import ValidationError

from blueprints.ended_sessions import is_another_person, signed_out
from blueprints.htmx import is_htmx
from extensions import csrf, login_manager
from services.access import permissions
from services.auth import sessions
from services.core.actor import Actor, Nobody
from services.core.errors import ConflictError, RefusedError
from services.core.text import csv_reading

COOKIE_KEY = "session_token"
FORM_ROOM = 1024 * 1024
BODY_ROOM = "counterpart.body_room"
"""Where the server finds how large a body this call may have, once the call asks for it."""
MOST_SAID = 300
"""So much of what a stranger's header says is put into the log."""
log = structlog.get_logger()
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

# Endpoint -> the permission it needs. A route that is missing here is refused to everybody and fails a test.
# "public": anybody. "member": signed in. "staff": signed in and not a guest. "admin": System Admin.
# Finer rules (which matter, which server) are the services' own.
PERMISSIONS: dict[str, str] = {"static": "public"}


class ForeignOriginError(RefusedError):
    """A write came from a page of another address than ours."""

    title = "This came from a page at another address"

    def __init__(self, expected: str) -> None:
        super().__init__(
            f"Counterpart takes changes only from its own pages, at {expected}. Nothing was changed.",
            code="origin.foreign",
            next_step=f"Open {expected} and do it there. If you were there, tell your System Admin: "
            "COUNTERPART_PUBLIC_URL or the proxy before Counterpart names another address than your browser does.",
        )


class SignInChangedError(ConflictError):
    """The page was made for another person than the one who is signed in now."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"You are signed in as {name} now. This page was opened by somebody else, so nothing was sent.",
            code="session.another_person",
            next_step="Load the page again first.",
        )


def needs(permission: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Mark a view with the permission it needs: `@needs("admin")`, nearest to the function."""
    if permission not in {"public", "member", "staff", "admin"}:
        raise ValueError(f"{permission!r} is no permission.")

    def mark(view: Callable[..., Any]) -> Callable[..., Any]:
        view.__dict__["permission"] = permission
        return view

    return mark


class SignedIn(UserMixin):
    """Flask-Login's view of an Actor."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor
        self.id = str(actor.id)
        self.name = actor.name
        self.email = actor.email
        self.is_admin = permissions.may_administer(actor)
        self.is_guest = actor.is_guest


def actor() -> Actor:
    """The signed-in person. Only for views that need at least "member"."""
    person: Actor = current_user.actor
    return person


def nobody() -> Nobody:
    return Nobody("Not signed in", address=request.remote_addr or "", request_id=g.request_id)


@login_manager.request_loader
def load_person(_request: object) -> SignedIn | None:
    """The person of a live session; the cookie holds a random token whose hash is on record."""
    token = session.get(COOKIE_KEY)
    if not isinstance(token, str):
        return None
    person = sessions.resume(token, address=request.remote_addr or "", request_id=g.request_id)
    if person is None:
        session.pop(COOKIE_KEY, None)
        return None
    return SignedIn(person)


def keep_session(token: str) -> None:
    """A fresh cookie for a fresh sign-in: nothing of the session before it stays."""
    session.clear()
    session[COOKIE_KEY] = token
    session.permanent = True


def forget_session() -> str | None:
    token = session.get(COOKIE_KEY)
    session.clear()
    return token if isinstance(token, str) else None


def takes_files(view: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a view whose body may be a document: every other request stays under the small limit."""
    view.__dict__["takes_files"] = True
    return view


def takes_table(view: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a view whose body may be a table as a file."""
    view.__dict__["takes_table"] = True
    return view


def get_only(view: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a view that records or changes something when it is asked for: HEAD is not answered by it."""
    view.__dict__["get_only"] = True
    return view


def _guard() -> Response | None:
    """Who, then whether the request is ours: a large body is not read for somebody who may not send it."""
    endpoint = request.endpoint
    if endpoint is None:
        return None
    view = current_app.view_functions[endpoint]
    refused = _check(PERMISSIONS.get(endpoint) or getattr(view, "permission", None))
    if refused is not None:
        return refused
    if getattr(view, "get_only", False) and request.method == "HEAD":
        raise MethodNotAllowed(["GET"])
    if getattr(view, "takes_files", False):
        _allow(current_app.config["SETTINGS"].max_document_bytes + FORM_ROOM)
    elif getattr(view, "takes_table", False):
        _allow(csv_reading.MAX_BYTES + FORM_ROOM)
    if (request.content_length or 0) > (request.max_content_length or FORM_ROOM):
        abort(413)
    _check_origin()
    _check_token()
    return None


def _allow(size: int) -> None:
    request.max_content_length = request.environ[BODY_ROOM] = size


def _check_token() -> None:
    """The token of a large body stands in a header: one that stands in the body would have it read for anybody."""
    is_small = request.content_length is not None and request.content_length <= FORM_ROOM
    if request.method in SAFE or is_small:
        csrf.protect()
        return
    if "X-CSRFToken" not in request.headers:
        raise RefusedError(
            "A file of more than 1 MiB can only be added by a page that runs JavaScript.",
            code="upload.no_script",
            next_step="Allow JavaScript for this site, load the page again and add the file once more.",
        )
    try:
        validate_csrf(request.headers.get("X-CSRFToken"))
    except ValidationError as error:
        raise CSRFError(error.args[0]) from None
    g.csrf_valid = True


def _check(permission: str | None) -> Response | None:
    if permission == "public":
        return None
    if permission is None:
        abort(404)
    if not current_user.is_authenticated:
        return _to_sign_in()
    if request.method not in SAFE and is_another_person():
        raise SignInChangedError(current_user.name)
    if permission == "admin":
        permissions.require_admin(actor())
    if permission == "staff" and current_user.is_guest:
        abort(404)
    return None


def _check_origin() -> None:
    """A write that says where it comes from must come from us.

    Under our own no-referrer policy browsers call the origin of a plain form "null"; Sec-Fetch-Site still tells.
    """
    if request.method in SAFE:
        return
    public_url = current_app.config["SETTINGS"].public_url
    ours = {public_url, request.host_url.rstrip("/"), "null", None}
    told, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    if site in {"same-origin", "none", None} and told in ours:
        return
    log.warning(
        "request.foreign_origin",
        request_id=g.request_id,
        origin=told and told[:MOST_SAID],
        site=site and site[:MOST_SAID],
        expected=public_url,
        reached_as=request.host_url.rstrip("/")[:MOST_SAID],
    )
    raise ForeignOriginError(public_url)


def _to_sign_in() -> Response:
    """A page leads to sign-in and back. Whoever sends or keeps a page up to date is told, and loses nothing."""
    if is_htmx() or request.method not in SAFE:
        return signed_out()
    here = request.full_path.rstrip("?")
    return redirect(url_for("auth.sign_in", next=here) if here != "/" else url_for("auth.sign_in"))


def init_app(app: Flask) -> None:
    app.before_request(_guard)
