"""The files of the repository, each read and parsed once for all tests that walk over them."""

from __future__ import annotations

import ast
import subprocess
from functools import cache
from pathlib import Path

from tests.support.repository import ROOT

REPOSITORY = ROOT
MADE_BY_TOOLS = ("migrations/versions/", "static/vendor/")


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that git tracks or would add; without git, every file that is not a tool's."""
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


def files(suffix: str | tuple[str, ...], *, below: str = "") -> list[str]:
    """Paths relative to the root that end in `suffix`, without those that a tool writes."""
    names = (path.relative_to(REPOSITORY).as_posix() for path in tracked())
    return [
        name
        for name in names
        if name.endswith(suffix) and name.startswith(below) and not name.startswith(MADE_BY_TOOLS)
    ]


@cache
def text_of(name: str) -> str:
    return (REPOSITORY / name).read_text(encoding="utf-8")


@cache
def tree_of(name: str) -> ast.Module:
    return ast.parse(text_of(name))
