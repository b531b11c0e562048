"""Debian's PgBouncer in front of the tests' PostgreSQL server, in transaction mode."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url

from tests.support.postgres import USER
from tests.support.stack import free_port
from tests.support.worker_processes import until

PROGRAM = "/usr/sbin/pgbouncer"


@contextmanager
def pooled(url: str, mode: str = "transaction", connections: int = 20) -> Iterator[str]:
    """The URL of the same database by way of PgBouncer."""
    behind = make_url(url)
    folder, port = Path(tempfile.mkdtemp(prefix="pgbouncer-")), free_port()
    settings = folder / "pgbouncer.ini"
    settings.write_text(
        f"""[databases]
* = host={behind.query["host"]} user={USER}
[pgbouncer]
listen_addr =
listen_port = {port}
unix_socket_dir = {folder}
auth_type = any
pool_mode = {mode}
default_pool_size = {connections}
max_client_conn = 500
ignore_startup_parameters = extra_float_digits
logfile = {folder / "log"}
"""
    )
    as_user = {}
    if os.getuid() == 0:
        account = pwd.getpwnam(USER)
        for path in (folder, settings):
            shutil.chown(path, USER, USER)
        as_user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    process = subprocess.Popen(
        [PROGRAM, "--quiet", str(settings)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **as_user
    )
    try:
        until((folder / f".s.PGSQL.{port}").exists, "PgBouncer", 10)
        yield f"postgresql+psycopg://{USER}@/{behind.database}?host={folder}&port={port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)
        shutil.rmtree(folder)
