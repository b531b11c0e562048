"""What runs is what was tested: exact pins, nothing that overwrites a package, a licence beside what is borrowed."""

from __future__ import annotations

import re
from importlib.metadata import distributions
from pathlib import Path

import pytest

from tests.architecture.sources import REPOSITORY, files, text_of

PIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[a-z,]+\])?==[0-9][0-9A-Za-z.]*")
# It brings a package that overwrites urllib3, and with it every connection of ours.
OVERWRITE = {"niquests", "urllib3-future"}
LOCKED: dict[str, str] = dict(re.findall(r"^([\w.-]+)==(\S+)", text_of("requirements.lock"), re.MULTILINE))
INSTALLED = {each.name.lower().replace("_", "-"): each.version for each in distributions()}
VENDORED = sorted(path for path in (REPOSITORY / "static" / "vendor").iterdir() if path.is_dir())


@pytest.mark.parametrize("name", [name for name in files(".txt") if name.startswith("requirements")])
def test_every_requirement_is_pinned_exactly(name: str) -> None:
    lines = [line.strip() for line in text_of(name).splitlines() if line.strip() and not line.startswith("#")]
    wanted = [line for line in lines if not line.startswith("-r ")]
    assert wanted
    assert [line for line in wanted if not PIN.fullmatch(line)] == []


def test_the_lock_is_of_what_is_pinned() -> None:
    """`make lock` makes it."""
    for line in text_of("requirements.txt").splitlines():
        if line and not line.startswith("#"):
            name, version = re.sub(r"\[.*?\]", "", line.strip()).split("==")
            assert LOCKED[name.lower()] == version


def test_every_locked_file_has_its_hash() -> None:
    entries = re.split(r"^(?=\w)", text_of("requirements.lock"), flags=re.MULTILINE)[1:]
    assert len(entries) == len(LOCKED) > 30
    assert [entry for entry in entries if not re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry)] == []


def test_what_is_installed_is_what_is_locked() -> None:
    assert {name: INSTALLED.get(name) for name in LOCKED} == LOCKED


def test_nothing_overwrites_the_library_that_connects() -> None:
    assert not INSTALLED.keys() & OVERWRITE


@pytest.mark.parametrize("folder", VENDORED, ids=lambda folder: folder.name)
def test_what_is_vendored_has_its_version_in_its_name_and_its_licence_beside_it(folder: Path) -> None:
    assert re.fullmatch(r"[a-z-]+-\d+\.\d+\.\d+", folder.name)
    (licence,) = folder.glob("LICENSE*")
    assert len(licence.read_text(encoding="utf-8")) > 200


def test_every_vendored_folder_is_named_in_a_template_or_a_page() -> None:
    """Of icons only the few that are used are kept, in one file of ours."""
    named = "".join(
        text_of(name) for name in [*files(".html"), *files(".md"), *files(".svg"), *files(".css")]
    )
    assert [
        folder.name for folder in VENDORED if folder.name not in named and "icons" not in folder.name
    ] == []
