"""The URL of an empty database, for rows that are measured on both kinds."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.measure import MissingToolError
from tests.support import postgres


@contextmanager
def sqlite(folder: Path) -> Iterator[str]:
    database = Path(tempfile.mkdtemp(prefix="database-", dir=folder))
    yield f"sqlite:///{database / 'counterpart.sqlite'}"
    shutil.rmtree(database, ignore_errors=True)


@contextmanager
def postgresql(_folder: Path) -> Iterator[str]:
    """On a server of its own. Raises MissingToolError."""
    if not any(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        raise MissingToolError("PostgreSQL is missing. Install it as root: apt-get install postgresql")
    with postgres.running() as url:
        yield url
