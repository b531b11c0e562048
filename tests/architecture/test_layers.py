"""Imports point down: the contracts of pyproject.toml hold, and no room is left out of them."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

from tests.architecture.sources import REPOSITORY, files, text_of

LINTER = tomllib.loads(text_of("pyproject.toml"))["tool"]["importlinter"]
BESIDE = {"tests", "bench", "migrations"}


def test_the_contracts_are_kept() -> None:
    command = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([command], cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout


def test_every_package_stands_under_the_contracts() -> None:
    packages = {name.split("/")[0] for name in files("/__init__.py") if name.count("/") == 1}
    assert packages - BESIDE == set(LINTER["root_packages"])


def test_every_room_of_the_blueprints_is_kept_apart_from_the_others() -> None:
    rooms = {name.split("/")[1] for name in files("/routes.py", below="blueprints/")}
    (apart,) = (each for each in LINTER["contracts"] if each["type"] == "independence")
    assert {f"blueprints.{room}" for room in rooms} == set(apart["modules"])


def test_no_ignored_import_is_left_that_nobody_makes() -> None:
    """Each exception is a decision: its list may not grow unseen."""
    ignored = [line for each in LINTER["contracts"] for line in each.get("ignore_imports", [])]
    assert ignored == [
        "models.base -> flask_sqlalchemy",
        "copying.endpoints.imanage_endpoint -> imanage.**",
        "copying.* -> imanage.ids",
    ]
