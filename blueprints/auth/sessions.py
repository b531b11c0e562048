"""The browser's session when somebody signs in, and the cookie by which it is known again."""

from __future__ import annotations

from flask import after_this_request, current_app, request
from werkzeug.wrappers import Response

from blueprints.authorization import forget_session, keep_session
from services.auth import known_devices, sessions


def begin_session(token: str) -> None:
    """A browser that was somebody's before is nobody else's now."""
    if before := forget_session():
        sessions.end(before)
    keep_session(token)
    if person := sessions.resume(token):
        _keep_device(known_devices.remember(device_cookie(), person.id))


def device_cookie() -> str:
    """What this browser shows of its earlier sign-ins; empty where it shows nothing."""
    return request.cookies.get(_name(), "")


def _keep_device(value: str) -> None:
    @after_this_request
    def set_it(response: Response) -> Response:
        response.set_cookie(
            _name(),
            value,
            max_age=known_devices.MAX_AGE,
            secure=current_app.config["SETTINGS"].is_https,
            httponly=True,
            samesite="Lax",
            path="/",
        )
        return response


def _name() -> str:
    return f"{current_app.config['SESSION_COOKIE_NAME']}-device"
