"""`flask --app app web`, `worker` and what goes before them: the processes that use the application."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import AbstractContextManager

import click
from flask import current_app
from sqlalchemy.exc import SQLAlchemyError

from commands.practice import PracticeProcess, child
from commands.preflight import cannot_listen
from commands.sockets import listen
from commands.supervise import READY, become, supervise
from commands.up import PRIVATE
from config import Settings
from jobs import gc_tuning
from services.core.unit_of_work import session
from services.members import first_admin
from services.operations import database, keys, schema
from services.servers import practice as practice_server


@click.command("web")
@click.option("--announce", is_flag=True, hidden=True)
@click.option("--ready-fd", type=int, hidden=True)
def web(announce: bool, ready_fd: int | None) -> None:
    """Serve pages in this process."""
    os.umask(PRIVATE)
    require_ready()
    database.limit_web_process()
    settings = _settings()
    with process("web", host=settings.host, port=settings.port):
        serve_web(announce, ready_fd)


@click.command("worker")
def worker() -> None:
    """Run background work in this process."""
    from jobs.worker import run

    os.umask(PRIVATE)
    require_ready()
    database.limit_worker_pool()
    with process("worker"):
        run(_settings(), current_app.app_context)


@click.command("practice")
def practice() -> None:
    """Keep the practice iManage running while there is a practice server and it is switched on."""
    os.umask(PRIVATE)
    require_ready()
    with process("practice"):
        sys.exit(supervise((), beside=PracticeProcess(_settings())))


@click.command("practice-imanage")
def practice_imanage() -> None:
    """Replace this process by the practice iManage that is switched on."""
    if (wanted := practice_server.to_run()) is not None:
        become(child(wanted))


@click.command("prepare")
def prepare() -> None:
    """Migrate and check the database before `up` starts its processes."""
    os.umask(PRIVATE)
    try:
        if (found := schema.mismatch()) is schema.NEWER:
            sys.exit(_refused(found))
    except SQLAlchemyError as error:
        sys.exit(_refused(_away(error)))
    if found is not None:
        from commands.migrations import upgrade

        upgrade()
    require_ready()


def process(kind: str, **facts: object) -> AbstractContextManager[None]:
    """Logs when this process starts and stops."""
    logged: AbstractContextManager[None] = current_app.extensions["process"](kind, **facts)
    return logged


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings


def require_ready() -> None:
    """End this process, before it has written anything, where tables or keys are not those that it needs."""
    if why := refusal():
        sys.exit(why)


def refusal() -> str | None:
    """Why this process must not start, as a sentence for the terminal: the tables, then the keys."""
    try:
        if why := tables_refusal():
            return why
        said = keys.refusal()
    except SQLAlchemyError as error:
        return _refused(_away(error))
    return f"Counterpart cannot start. {said}" if said else None


def tables_refusal() -> str | None:
    """The same without the keys, for the commands that repair them."""
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


def serve_web(announce: bool, ready_fd: int | None) -> None:
    """Serve until SIGTERM or Ctrl-C, then finish the requests in progress; a second signal cuts them off."""
    from commands.web_server import Web

    settings = _settings()
    try:
        sockets = listen(settings.host, settings.port)
    except OSError as error:
        sys.exit(cannot_listen(settings.host, settings.port, error))
    server = Web(current_app.wsgi_app, sockets)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: server.stop())
    if announce:
        _announce(settings)
    if ready_fd is not None:
        os.write(ready_fd, READY)
        os.close(ready_fd)
    gc_tuning.freeze()
    gc_tuning.give_back_large()
    server.run()


def _announce(settings: Settings) -> None:
    print(f"\n  Counterpart:  {settings.public_url}")
    if (code := first_admin.code_for_terminal()) is not None:
        print(f"  Set-up code:  {code}\n\n  Enter it on the first page to become the first System Admin.")
    print("\n  Press Ctrl-C to stop.\n", flush=True)
