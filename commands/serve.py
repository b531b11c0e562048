"""`flask --app app up`, `web` and `worker`: the processes of an installation."""

from __future__ import annotations

import os
import sys

import flask_migrate
import waitress
from flask import Flask

from commands.supervise import Child, supervise
from config import Settings
from jobs.worker import run as run_worker
from services import setup

WEB_THREADS = 16
WEB_CONNECTIONS = 1000
BODY_ROOM = 2 * 1024 * 1024
PRIVATE = 0o077


def init_app(app: Flask, settings: Settings) -> None:
    """Add the commands; they close over the application, which this module must not import."""

    @app.cli.command("web")
    def web() -> None:
        """Serve pages in this process."""
        os.umask(PRIVATE)
        serve_web(app, settings)

    @app.cli.command("worker")
    def worker() -> None:
        """Do the background work in this process."""
        os.umask(PRIVATE)
        run_worker(settings, app.app_context)

    @app.cli.command("up")
    def up() -> None:
        """Bring the database up to date, then serve pages and do the background work until Ctrl-C."""
        prepare()
        sys.exit(supervise(children(), ready=lambda: _say_where(settings)))


def prepare() -> None:
    """Bring the database to this version before any process uses it; what is written is the owner's alone."""
    os.umask(PRIVATE)
    flask_migrate.upgrade()


def children() -> list[Child]:
    flask = [sys.executable, "-m", "flask", "--app", "app"]
    return [Child("web", [*flask, "web"]), Child("worker", [*flask, "worker"])]


def serve_web(app: Flask, settings: Settings) -> None:
    waitress.serve(
        app,
        host=settings.host,
        port=settings.port,
        threads=WEB_THREADS,
        connection_limit=WEB_CONNECTIONS,
        max_request_body_size=settings.max_document_bytes + BODY_ROOM,
        ident=None,
        clear_untrusted_proxy_headers=False,
        _quiet=True,
    )


def _say_where(settings: Settings) -> None:
    print(f"\n  Counterpart:  {settings.public_url}")
    if (code := setup.code_for_terminal()) is not None:
        print(f"  Set-up code:  {code}\n\n  The first page asks for it and makes the first System Admin.")
    print("\n  Ctrl-C stops it.\n", flush=True)
