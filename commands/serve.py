"""`flask --app app up`, `web` and `worker`: the processes of an installation."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager

import flask_migrate
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from commands.practice import PracticeProcess
from commands.practice import run as run_practice
from commands.preflight import cannot_listen, only_one_here, require_free
from commands.supervise import Child, supervise
from commands.web_server import Web, listen
from config import Settings
from jobs import gc_tuning
from jobs.worker import run as run_worker
from services.core.unit_of_work import session
from services.members import first_admin
from services.operations import database, keys, schema

PRIVATE = 0o077
Process = Callable[..., AbstractContextManager[None]]


def init_app(app: Flask, settings: Settings, process: Process) -> None:
    """Add the commands; they close over the application, which this module must not import.

    `process` stands around what serves or works, and says in the log when it began and ended.
    """

    @app.cli.command("web")
    def web() -> None:
        """Serve pages in this process."""
        os.umask(PRIVATE)
        require_ready()
        database.share_as_web()
        with process("web", host=settings.host, port=settings.port):
            serve_web(app, settings)

    @app.cli.command("worker")
    def worker() -> None:
        """Do the background work in this process."""
        os.umask(PRIVATE)
        require_ready()
        database.share_as_worker()
        with process("worker"):
            run_worker(settings, app.app_context)

    @app.cli.command("practice")
    def practice() -> None:
        """Keep the practice iManage running while a practice server is there and switched on."""
        os.umask(PRIVATE)
        require_ready()
        with process("practice"):
            sys.exit(run_practice(app))

    @app.cli.command("up")
    def up() -> None:
        """Bring the database up to date, then serve pages and do the background work until Ctrl-C."""
        with only_one_here(settings.data_dir):
            require_free(settings.host, settings.port)
            prepare()
            sys.exit(supervise(children(), ready=lambda: _say_where(settings), beside=PracticeProcess(app)))


def prepare() -> None:
    """Bring the database to this version before any process uses it; what is written is the owner's alone."""
    os.umask(PRIVATE)
    try:
        if (found := schema.mismatch()) is schema.NEWER:
            sys.exit(_refused(found))
    except SQLAlchemyError as error:
        sys.exit(_refused(_away(error)))
    flask_migrate.upgrade()
    require_ready()


def require_ready() -> None:
    """End this process, before it has written anything, where tables or keys are not those that it needs."""
    if why := refusal():
        sys.exit(why)


def refusal() -> str | None:
    """Why this process must not start, in words for whoever reads the terminal: the tables, then the keys."""
    try:
        if why := tables_refusal():
            return why
        said = keys.refusal()
    except SQLAlchemyError as error:
        return _refused(_away(error))
    return f"Counterpart cannot start. {said}" if said else None


def tables_refusal() -> str | None:
    """The same without the keys, for commands that mend those."""
    try:
        said = database.encoding_refusal(session().connection())
        if said is None and (found := schema.mismatch()) is not None:
            return _refused(found)
    except SQLAlchemyError as error:
        return _refused(_away(error))
    return f"Counterpart cannot start. {said}" if said else None


def _away(error: SQLAlchemyError) -> schema.Mismatch:
    cause = str(getattr(error, "orig", error)).strip()
    return schema.Mismatch("The database does not answer.", f"Check COUNTERPART_DATABASE_URL. {cause}")


def _refused(found: schema.Mismatch) -> str:
    return f"Counterpart cannot start. {found.sentence}\n{found.next_step}"


def children() -> list[Child]:
    flask = [sys.executable, "-m", "flask", "--app", "app"]
    return [Child("web", [*flask, "web"]), Child("worker", [*flask, "worker"])]


def serve_web(app: Flask, settings: Settings) -> None:
    """Serve until SIGTERM or Ctrl-C, then end what has begun; a second one cuts it."""
    try:
        sockets = listen(settings.host, settings.port)
    except OSError as error:
        sys.exit(cannot_listen(settings.host, settings.port, error))
    web = Web(app, sockets)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: web.stop())
    gc_tuning.started()
    gc_tuning.give_back_large()
    web.run()


def _say_where(settings: Settings) -> None:
    print(f"\n  Counterpart:  {settings.public_url}")
    if (code := first_admin.code_for_terminal()) is not None:
        print(f"  Set-up code:  {code}\n\n  The first page asks for it and makes the first System Admin.")
    print("\n  Ctrl-C stops it.\n", flush=True)
