"""The files of the house, as the architecture tests walk over them."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

from tests.support.repository import ROOT

REPOSITORY = ROOT
MADE_BY_TOOLS = ("migrations/versions/", "static/vendor/")


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that is, or is about to be, in the repository; where git is missing, what lies here."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0:
        found = (REPOSITORY / name for name in listed.stdout.splitlines())
    else:
        outside = {".venv", ".git", "instance", "__pycache__"}
        found = (path for path in REPOSITORY.rglob("*") if not outside & set(path.parts))
    return tuple(sorted(path for path in found if path.is_file()))


def files(suffix: str, *, below: str = "") -> list[str]:
    """Names with this ending, written by hand, from the repository's root."""
    names = (path.relative_to(REPOSITORY).as_posix() for path in tracked())
    return [
        name
        for name in names
        if name.endswith(suffix) and name.startswith(below) and not name.startswith(MADE_BY_TOOLS)
    ]


def text_of(name: str) -> str:
    return (REPOSITORY / name).read_text(encoding="utf-8")
