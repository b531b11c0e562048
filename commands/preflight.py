"""Checks before anything starts: the settings, the data folder, its lock, and the ports."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import click

from commands.sockets import listen
from config import Settings, SettingsError

LOCK = ".up"
OURS = "COUNTERPART_PORT and COUNTERPART_PUBLIC_URL"


class CannotStartError(click.ClickException):
    """In a terminal this is its sentence and exit status 1, without a traceback."""

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(self.message, file=file or sys.stderr)


def read_settings() -> Settings:
    """The settings of the environment. Raises CannotStartError, which names every wrong one."""
    try:
        return Settings.from_env()
    except SettingsError as error:
        raise CannotStartError(str(error)) from None


def make_data_dir(settings: Settings) -> None:
    """Raises CannotStartError."""
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        said = f"{settings.data_dir} cannot be created: {error.strerror}.\n{MAKE_WRITABLE}"
        raise CannotStartError(f"Counterpart cannot start. {said}") from None


@contextmanager
def only_one_here(data_dir: Path) -> Iterator[None]:
    """Lock the data folder while `up` or the demo runs. The lock ends with the process."""
    path = data_dir / LOCK
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        sys.exit(f"Counterpart cannot start. {data_dir} is not writable: {error.strerror}.\n{MAKE_WRITABLE}")
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            who = os.pread(file, 20, 0).decode("ascii", "replace").strip()
            sys.exit(
                f"Counterpart cannot start. It is already running on {data_dir}"
                f"{f', as process {who}' if who else ''}.\n"
                "Stop it first, or set COUNTERPART_DATA_DIR to another folder. "
                "For more workers on this one: flask --app app worker"
            )
        os.truncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(file)


MAKE_WRITABLE = (
    "Make it writable for the user that runs Counterpart, or set COUNTERPART_DATA_DIR to another folder."
)


def require_free(host: str, port: int, settings: str = OURS) -> None:
    """Exit with a sentence if this process could not listen there. `settings`: which settings change the port."""
    try:
        for each in listen(host, port):
            each.close()
    except OSError as error:
        sys.exit(cannot_listen(host, port, error, settings))


def cannot_listen(host: str, port: int, error: OSError, settings: str = OURS) -> str:
    if error.errno == errno.EADDRINUSE:
        said = f"Port {port} is already in use. Stop the program that uses it, or choose another: {settings}."
    elif error.errno in {errno.EACCES, errno.EPERM}:
        said = f"This user may not listen on port {port}. Choose one above 1023: {settings}."
    elif error.errno == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
        said = f"{host} is not an address of this machine. Check COUNTERPART_HOST."
    else:
        said = f"It cannot listen on {host}, port {port}: {error.strerror or error}."
    return f"Counterpart cannot start. {said}"
