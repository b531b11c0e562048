"""Which migrations there are, read from their files without running them: Alembic itself takes long to import."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
_NAMED = re.compile(r"^(revision|down_revision) = ['\"](\w+)['\"]", re.MULTILINE)


@cache
def read() -> tuple[frozenset[str], frozenset[str]]:
    """The revisions at which the migrations end, and all of them."""
    known: set[str] = set()
    followed: set[str] = set()
    for path in (FOLDER / "versions").glob("*.py"):
        for name, revision in _NAMED.findall(path.read_text(encoding="utf-8")):
            (known if name == "revision" else followed).add(revision)
    return frozenset(known - followed), frozenset(known)
