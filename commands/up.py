"""`flask --app app up`: an installation's processes, kept running by one that stays small."""

from __future__ import annotations

import os
import subprocess
import sys

import click

from commands.database import has_current_tables
from commands.practice import PracticeProcess
from commands.preflight import make_data_dir, only_one_here, read_settings, require_free
from commands.supervise import Child, supervise
from config import Settings

FLASK = (sys.executable, "-m", "flask", "--app", "app")
PRIVATE = 0o077


@click.command("up")
def up() -> None:
    """Migrate the database, then serve pages and run background work until Ctrl-C."""
    settings = read_settings()
    make_data_dir(settings)
    with only_one_here(settings.data_dir):
        require_free(settings.host, settings.port)
        prepare(settings)
        sys.exit(supervise(children("--announce"), beside=PracticeProcess(settings)))


def prepare(settings: Settings) -> None:
    """Bring the database to this version before any process uses it; what is written is private to its owner."""
    os.umask(PRIVATE)
    if not has_current_tables(settings):
        done = subprocess.run([*FLASK, "prepare"], check=False)
        if done.returncode:
            sys.exit(done.returncode)


def children(*options: str) -> list[Child]:
    """The web process, with these options, and a worker."""
    return [Child("web", [*FLASK, "web", *options], says_ready=True), Child("worker", [*FLASK, "worker"])]
