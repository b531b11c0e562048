"""The browser's session after signing in, and its device cookie."""

from __future__ import annotations

from flask import after_this_request, current_app, request
from werkzeug.wrappers import Response

from blueprints.authorization import forget_session, keep_session
from services.auth import known_devices, sessions


def begin_session(token: str) -> None:
    """Start a session, ending the browser's previous one."""
    if before := forget_session():
        sessions.end(before)
    keep_session(token)
    if person := sessions.resume(token):
        _keep_device(known_devices.remember(device_cookie(), person.id))


def device_cookie() -> str:
    """The device cookie of this browser; empty if it has none."""
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
