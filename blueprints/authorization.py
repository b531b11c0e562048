"""Authorization of requests: the permission of each route, the signed-in person, origin and CSRF checks."""

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
from services.core.errors import ConflictError, ForbiddenError, RefusedError
from services.core.text import csv_reading
from services.guidance.refusals import refusal
from services.matters import viewing

COOKIE_KEY = "session_token"
FORM_LIMIT = 1024 * 1024
BODY_LIMIT = "counterpart.body_limit"
"""Key in the WSGI environment: the largest body that the view accepts, for the web server."""
MAX_LOGGED = 300
"""Characters of an untrusted header that are logged."""
log = structlog.get_logger()
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

# Permissions of endpoints whose view has no @needs mark. A route without a permission is refused, and fails a test.
# "public": everyone. "member": signed in. "staff": signed in and not a guest. "admin": System Admin.
# Services check finer rules, such as which matter or which server.
PERMISSIONS: dict[str, str] = {"static": "public"}
OUT_OF_VIEW_AS = frozenset({"matters.leave_view_as", "auth.sign_out", "auth.renew_page"})
"""Endpoints that stay open to a member who views a matter as a guest."""


def needs(permission: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Mark a view with the permission it needs: `@needs("admin")`, nearest to the function."""
    if permission not in {"public", "member", "staff", "admin"}:
        raise ValueError(f"{permission!r} is not a permission.")

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
        self.is_viewing = actor.viewer is not None


def actor() -> Actor:
    """The signed-in person. Only for views that need at least "member"."""
    person: Actor = current_user.actor
    return person


def nobody() -> Nobody:
    return Nobody("Not signed in", address=request.remote_addr or "", request_id=g.request_id)


@login_manager.request_loader
def load_person(_request: object) -> SignedIn | None:
    """The person of an active session; the cookie contains a random token of which only a hash is stored.

    The token of an ended session stays: a late response to a poll must not replace the cookie of the sign-in page.
    """
    token = session.get(COOKIE_KEY)
    if not isinstance(token, str):
        return None
    person = sessions.resume(token, address=request.remote_addr or "", request_id=g.request_id)
    if person and person.viewed_as_id:
        person = viewing.as_seen(person)
    return SignedIn(person) if person else None


def keep_session(token: str) -> None:
    """Store the token of a new sign-in, and clear the rest of the session against session fixation."""
    session.clear()
    session[COOKIE_KEY] = token
    session.permanent = True


def forget_session() -> str | None:
    token = session.get(COOKIE_KEY)
    session.clear()
    return token if isinstance(token, str) else None


def _mark(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def mark(view: Callable[..., Any]) -> Callable[..., Any]:
        view.__dict__[name] = True
        return view

    return mark


takes_files = _mark("takes_files")
"""Marks a view that accepts a document: other requests have a small size limit."""
takes_table = _mark("takes_table")
"""Marks a view that accepts a CSV file, or as much pasted text."""
get_only = _mark("get_only")
"""Marks a GET view that records or changes something, so that it does not answer HEAD."""


def _guard() -> Response | None:
    """Check the permission, then origin and token, so that no large body is read from an unauthorized client."""
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
        _limit_body(current_app.config["SETTINGS"].max_document_bytes + FORM_LIMIT)
    elif getattr(view, "takes_table", False):
        _limit_body(csv_reading.MAX_BYTES + FORM_LIMIT)
        request.max_form_memory_size = request.max_content_length
    if (request.content_length or 0) > (request.max_content_length or FORM_LIMIT):
        abort(413)
    _check_origin()
    _check_token()
    return None


def _limit_body(size: int) -> None:
    request.max_content_length = request.environ[BODY_LIMIT] = size


def _check_token() -> None:
    """A large body needs its CSRF token in a header: a token in the body would require reading it first."""
    is_small = request.content_length is not None and request.content_length <= FORM_LIMIT
    if request.method in SAFE or is_small:
        csrf.protect()
        return
    if "X-CSRFToken" not in request.headers:
        raise refusal(RefusedError, "upload.no_script")
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
    if actor().viewer is not None:
        _check_view_as()
    if request.method not in SAFE and is_another_person():
        raise refusal(ConflictError, "session.another_person", name=current_user.name)
    if permission == "admin":
        permissions.require_admin(actor())
    if permission == "staff" and current_user.is_guest:
        abort(404)
    return None


def _check_view_as() -> None:
    """A member who views a matter as a guest reads its pages only, and changes nothing."""
    if request.endpoint in OUT_OF_VIEW_AS:
        return
    if request.method not in SAFE:
        raise refusal(ForbiddenError, "view_as.read_only", name=current_user.name)
    if request.blueprint != "matters":
        raise refusal(ConflictError, "view_as.elsewhere", name=current_user.name)


def _check_origin() -> None:
    """Refuse a write whose Origin or Sec-Fetch-Site is not ours.

    Under our no-referrer policy browsers send "null" as the origin of a plain form; Sec-Fetch-Site is still right.
    """
    if request.method in SAFE:
        return
    public_url = current_app.config["SETTINGS"].public_url
    ours = {public_url, request.host_url.rstrip("/"), "null", None}
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    if site in {"same-origin", "none", None} and origin in ours:
        return
    log.warning(
        "request.foreign_origin",
        request_id=g.request_id,
        origin=origin and origin[:MAX_LOGGED],
        site=site and site[:MAX_LOGGED],
        expected=public_url,
        reached_as=request.host_url.rstrip("/")[:MAX_LOGGED],
    )
    raise refusal(RefusedError, "origin.foreign", url=public_url)


def _to_sign_in() -> Response:
    """Pages redirect to sign-in and back; htmx requests and writes get a notice, so that no input is lost."""
    if is_htmx() or request.method not in SAFE:
        return signed_out()
    here = request.full_path.rstrip("?")
    return redirect(url_for("auth.sign_in", next=here) if here != "/" else url_for("auth.sign_in"))


def init_app(app: Flask) -> None:
    app.before_request(_guard)
