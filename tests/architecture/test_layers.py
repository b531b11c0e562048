"""The import contracts in pyproject.toml hold and cover every package."""

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


def test_every_package_is_under_the_contracts() -> None:
    packages = {name.split("/")[0] for name in files("/__init__.py") if name.count("/") == 1}
    assert packages - BESIDE == set(LINTER["root_packages"])


def test_the_blueprints_are_independent_of_one_another() -> None:
    blueprints = {name.split("/")[1] for name in files("/routes.py", below="blueprints/")}
    (apart,) = (each for each in LINTER["contracts"] if each["type"] == "independence")
    assert {f"blueprints.{name}" for name in blueprints} == set(apart["modules"])


def test_the_exceptions_to_the_contracts_are_known() -> None:
    """Each exception is a decision."""
    ignored = [line for each in LINTER["contracts"] for line in each.get("ignore_imports", [])]
    assert ignored == [
        "models.base -> flask_sqlalchemy",
        "copying.imanage_endpoint -> imanage.**",
        "copying.* -> imanage.ids",
    ]
