"""The files between the button Get and the committed version: few, and those that docs/flows.md lists."""

from __future__ import annotations

import inspect
import re
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType

from flask import Flask

from jobs.scheduler import Scheduler
from services.operations import worker_heartbeats
from tests.support.repository import ROOT
from tests.support.transfers import Desk, versions

MOST = {"flow": 25, "imanage": 12, "storage": 6}
"""How many files of each group a get may take."""
PRODUCT = ("blueprints", "jobs", "services", "copying", "imanage", "storage", "models")
GENERAL = ("models", "services/core", "services/access", "services/auth", "services/matters/viewing.py")
"""What every request uses, besides the modules directly below `blueprints`."""


@contextmanager
def functions_entered() -> Iterator[set[CodeType]]:
    """The code of every function that this thread, or one that it starts, enters meanwhile."""
    entered: set[CodeType] = set()

    def note(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and frame.f_code.co_flags & inspect.CO_OPTIMIZED:  # no module and no class body
            entered.add(frame.f_code)

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        yield entered
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def group_of(file: str) -> str | None:
    package, _, rest = file.partition("/")
    if package not in PRODUCT or file.startswith(GENERAL) or (package == "blueprints" and "/" not in rest):
        return None
    return package if package in MOST else "flow"


def files_by_group(entered: set[CodeType]) -> dict[str, set[str]]:
    paths = (Path(code.co_filename) for code in entered)
    files = {path.relative_to(ROOT).as_posix() for path in paths if path.is_relative_to(ROOT)}
    return {group: {file for file in files if group_of(file) == group} for group in MOST}


def listed() -> set[str]:
    """The files that docs/flows.md names after "To follow a get". A name without a folder is in the last one named."""
    text = (ROOT / "docs/flows.md").read_text(encoding="utf-8")
    paragraph = text.split("To follow a get", 1)[1].split("\n\n", 1)[0]
    files, folder = set(), ""
    for name in re.findall(r"`([\w/]+)`", paragraph):
        head, slash, last = name.rpartition("/")
        folder = head + slash or folder
        if last:
            files.add(f"{folder}{last}.py")
    return files


def test_a_get_takes_few_files_and_the_docs_list_them(app: Flask, desk: Desk) -> None:
    worker_heartbeats.record("this-process")
    scheduler = Scheduler("this-process", app.app_context)
    form = {"source": desk.practice.world.named("SPA – Project Heron").id(), "request_key": str(uuid.uuid4())}
    with functions_entered() as entered:
        desk.browser.post(f"/matters/{desk.matter_id}/get/{desk.server.id}", form, htmx=True)
        assert scheduler.take_due() == 1
        assert scheduler.wait(10)
    assert len(versions()) == 1
    found = files_by_group(entered)
    assert found["flow"] == listed()
    for group, files in found.items():
        assert len(files) <= MOST[group], sorted(files)
