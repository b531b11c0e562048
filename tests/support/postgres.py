"""`python -m tests.support.postgres COMMAND…`: run a command with a PostgreSQL server of its own.

The server lives in a passing folder and listens on a socket there, so that nothing of the machine's own is touched.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

USER = "postgres"


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        raise SystemExit("PostgreSQL is not installed: apt-get install postgresql")
    return found[-1].parent


def _as_its_user(command: list[str], **options: Any) -> subprocess.CompletedProcess[bytes]:
    """PostgreSQL refuses to run as root; as anybody else it runs as that person."""
    if os.getuid() == 0:
        account = pwd.getpwnam(USER)
        options |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    return subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **options)


@contextmanager
def running() -> Iterator[str]:
    """A fresh server; gives the URL of an empty database."""
    binaries = _binaries()
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    data = folder / "data"
    try:
        if os.getuid() == 0:
            shutil.chown(folder, USER, USER)
        superuser = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"]
        _as_its_user([str(binaries / "initdb"), "--pgdata", str(data), *superuser], cwd=folder)
        options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"
        control = [str(binaries / "pg_ctl"), "--pgdata", str(data), "--wait", "--log", str(folder / "log")]
        _as_its_user([*control, "--options", options, "start"], cwd=folder)
        try:
            yield f"postgresql+psycopg://postgres@/postgres?host={folder}"
        finally:
            _as_its_user([*control, "--mode=immediate", "stop"], cwd=folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    with running() as url:
        environment = {**os.environ, "COUNTERPART_TEST_DATABASE_URL": url}
        return subprocess.run(sys.argv[1:], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
