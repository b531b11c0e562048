"""Where Flask's command line and WSGI servers find Counterpart. Imports little: each command brings what it needs."""

from __future__ import annotations

from flask import Flask

from commands import CommandLine
from config import Settings


def create_app(settings: Settings | None = None) -> Flask:
    """The application of one installation. Raises CannotStartError where a setting is wrong."""
    from composition import compose

    return compose(settings)


def create_web() -> Flask:
    """The same for a WSGI server. Raises RuntimeError on another version's tables, or with keys that do not fit."""
    from composition import compose_web

    return compose_web()


app = CommandLine(__name__, create_app)
