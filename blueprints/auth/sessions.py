"""The browser's session when somebody signs in."""

from __future__ import annotations

from blueprints.access import forget_session, keep_session
from services import sessions


def begin_session(token: str) -> None:
    """A browser that was somebody's before is nobody else's now."""
    if before := forget_session():
        sessions.end(before)
    keep_session(token)
