"""`flask --app app up`, `web` and `worker`: the processes of an installation."""

from __future__ import annotations

import sys

import click
import waitress
from flask import Flask

from commands.supervise import Child, supervise
from config import Settings
from jobs.worker import run as run_worker

WEB_THREADS = 16
WEB_CONNECTIONS = 1000
BODY_ROOM = 2 * 1024 * 1024


def init_app(app: Flask, settings: Settings) -> None:
    """Add the commands; they close over the application, which this module must not import."""

    @app.cli.command("web")
    def web() -> None:
        """Serve pages in this process."""
        serve_web(app, settings)

    @app.cli.command("worker")
    def worker() -> None:
        """Do the background work in this process."""
        run_worker(settings, app.app_context)

    @app.cli.command("up")
    @click.option("--demo", is_flag=True, help="With the practice iManage beside it.")
    def up(demo: bool) -> None:
        """Serve pages and do the background work, in two processes, until Ctrl-C."""
        sys.exit(supervise(children(settings, demo=demo)))


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
    )


def children(settings: Settings, *, demo: bool) -> list[Child]:
    flask = [sys.executable, "-m", "flask", "--app", "app"]
    return [Child("web", [*flask, "web"]), Child("worker", [*flask, "worker"])]
