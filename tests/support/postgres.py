"""`python -m tests.support.postgres COMMAND…`: run a command with a PostgreSQL server of its own.

The server is in a temporary folder and listens on a socket there; the machine's own server is not touched.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

USER = "postgres"
DATA = "data"
SOCKET = ".s.PGSQL.5432"


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        raise SystemExit("PostgreSQL is not installed: apt-get install postgresql")
    return found[-1].parent


def _as_its_user(command: list[str], **options: Any) -> subprocess.CompletedProcess[bytes]:
    """PostgreSQL refuses to run as root, so root runs it as the user `postgres`."""
    if os.getuid() == 0:
        account = pwd.getpwnam(USER)
        options |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    options.setdefault("stdout", subprocess.DEVNULL)
    return subprocess.run(command, check=True, **options)


def _control(data: Path, *command: str) -> None:
    """Run pg_ctl until it is done. The server logs beside its data."""
    named = ["--pgdata", str(data), "--wait", "--log", str(data.parent / "log")]
    _as_its_user([str(_binaries() / "pg_ctl"), *named, *command], cwd=data.parent)


def _start(data: Path, sockets: Path) -> None:
    options = [
        "listen_addresses=''",
        f"unix_socket_directories='{sockets}'",
        "fsync=off",
        "full_page_writes=off",
    ]
    _control(data, "--options", " ".join(f"-c {option}" for option in options), "start")


@contextmanager
def running() -> Iterator[str]:
    """A fresh server; gives the URL of an empty database."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    data = folder / DATA
    try:
        if os.getuid() == 0:
            shutil.chown(folder, USER, USER)
        superuser = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"]
        _as_its_user([str(_binaries() / "initdb"), "--pgdata", str(data), *superuser], cwd=folder)
        _start(data, folder)
        try:
            yield f"postgresql+psycopg://postgres@/postgres?host={folder}"
        finally:
            if (data / "postmaster.pid").exists():
                _control(data, "--mode=immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def folder_of(url: str) -> Path:
    """The folder of the tests' server. No other may be stopped."""
    folder = Path(str(make_url(url).query.get("host", "")))
    if not (folder / DATA / "postmaster.pid").exists():
        raise SystemExit("This needs the server that `python -m tests.support.postgres` starts.")
    return folder


def restart(url: str, mode: str) -> None:
    """`fast` closes connections and shuts down cleanly; `immediate` is a crash with recovery."""
    _control(folder_of(url) / DATA, f"--mode={mode}", "restart")


def stop(url: str, mode: str = "immediate") -> None:
    """No server answers at this URL until `start`."""
    _control(folder_of(url) / DATA, f"--mode={mode}", "stop")


def start(url: str) -> None:
    folder = Path(str(make_url(url).query["host"]))
    _start(folder / DATA, folder)


def dump(url: str, file: Path) -> None:
    """Make a backup as docs/operations.md describes."""
    command = [str(_binaries() / "pg_dump"), "--format=custom", *_database(url)]
    file.write_bytes(_as_its_user(command, cwd=folder_of(url), stdout=subprocess.PIPE).stdout)


def restore(url: str, file: Path) -> None:
    """Restore the backup."""
    command = [str(_binaries() / "pg_restore"), "--clean", "--if-exists", *_database(url)]
    with file.open("rb") as held:
        _as_its_user(command, cwd=folder_of(url), stdin=held)


def _database(url: str) -> list[str]:
    return ["--host", str(folder_of(url)), "--username", USER, "--dbname", str(make_url(url).database)]


class Standby:
    """A synchronous standby of the first server, which can replace it."""

    def __init__(self, url: str) -> None:
        self._first = folder_of(url)
        self._folder = self._first / "standby"
        self._data = self._folder / DATA
        self._has_taken_over = False

    def follow(self) -> None:
        self._folder.mkdir()
        if os.getuid() == 0:
            shutil.chown(self._folder, USER, USER)
        copy = [str(_binaries() / "pg_basebackup"), "--host", str(self._first), "--username", USER]
        _as_its_user(
            [*copy, "--pgdata", str(self._data), "--write-recovery-conf", "--checkpoint=fast"],
            cwd=self._folder,
        )
        _start(self._data, self._folder)
        self._ask("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self._ask("SELECT pg_reload_conf()")
        deadline = time.monotonic() + 20
        while self._ask("SELECT sync_state FROM pg_stat_replication") != "sync":
            assert time.monotonic() < deadline, "the standby is not synchronous"
            time.sleep(0.05)

    def take_over(self) -> None:
        """Crash the first server and let its socket lead to this one, as a moved address would."""
        _control(self._first / DATA, "--mode=immediate", "stop")
        _control(self._data, "promote")
        (self._first / SOCKET).unlink(missing_ok=True)
        (self._first / SOCKET).symlink_to(self._folder / SOCKET)
        self._has_taken_over = True

    def give_back(self) -> None:
        """Restore the first server, for the tests that follow."""
        _control(self._data, "--mode=immediate", "stop")
        (self._first / DATA / "postgresql.auto.conf").write_text("")  # it waits for no other any more
        if self._has_taken_over:
            (self._first / SOCKET).unlink()
            _start(self._first / DATA, self._first)
        else:
            self._ask("SELECT pg_reload_conf()")
        shutil.rmtree(self._folder)

    def _ask(self, statement: str) -> str:
        ask = ["psql", "--host", str(self._first), "--username", USER, "--no-psqlrc", "-At", "-c", statement]
        return _as_its_user(ask, cwd=self._first, stdout=subprocess.PIPE).stdout.decode().strip()


@contextmanager
def standby(url: str) -> Iterator[Standby]:
    second = Standby(url)
    second.follow()
    try:
        yield second
    finally:
        second.give_back()


def main() -> int:
    with running() as url:
        environment = {**os.environ, "COUNTERPART_TEST_DATABASE_URL": url}
        return subprocess.run(sys.argv[1:], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
