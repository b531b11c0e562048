"""The documentation keeps up with the code: what is drawn is fresh, what is linked is there, no setting goes unsaid."""

from __future__ import annotations

import re

import pytest

from config import Settings
from tests.architecture import drawing
from tests.architecture.sources import REPOSITORY, files, text_of

PAGES = files(".md")
READ = re.compile(r"""self\._\w+\(\s*["']([A-Z][A-Z_]+)["']""")
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


def settings_read() -> set[str]:
    """The settings that config.py asks the environment for."""
    return {f"COUNTERPART_{name}" for name in READ.findall(text_of("config.py"))}


@pytest.mark.parametrize("page", sorted(drawing.DRAWN))
def test_what_is_drawn_from_the_code_is_fresh(page: str) -> None:
    assert text_of(page) == drawing.redrawn(page), "python -m tests.architecture.drawing"


def test_every_setting_stands_in_the_table_and_nothing_else_does() -> None:
    rows = re.findall(r"(?m)^\| `(COUNTERPART_[A-Z_]+)` \|", text_of("docs/operations.md"))
    assert len(rows) == len(set(rows))
    assert set(rows) == settings_read()
    assert len(rows) >= len(Settings.__dataclass_fields__)
    assert "docs/operations.md" in text_of("README.md")


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    folder = (REPOSITORY / page).parent
    broken = [link for link in LINK.findall(text_of(page)) if not (folder / link).exists()]
    assert broken == []


def test_every_diagram_of_a_sequence_names_who_speaks() -> None:
    """A name that is not declared would be drawn as a new box, which is always a slip of the pen."""
    for block in re.findall(r"```mermaid\nsequenceDiagram\n(.*?)```", text_of("docs/flows.md"), re.DOTALL):
        declared = set(re.findall(r"(?m)^\s*(?:participant|actor) (\w+)", block))
        speaking = {name for pair in re.findall(r"(?m)^\s*(\w+)-+>>(\w+):", block) for name in pair}
        assert speaking <= declared and declared <= speaking


def test_what_the_flows_name_exists() -> None:
    named = set(re.findall(r"\b(?:services|imanage|blueprints|storage)/\w+", text_of("docs/flows.md")))
    assert named
    missing = [
        name
        for name in named
        if not (REPOSITORY / name).is_dir() and not (REPOSITORY / f"{name}.py").is_file()
    ]
    assert missing == []


def test_the_thirty_questions_are_answered_by_files_that_exist() -> None:
    table = text_of("docs/map.md").split("## Thirty questions")[1].split("## ")[0]
    answers = re.findall(r"(?m)^\| [^|]+\? \| `([^`]+)` \|$", table)
    assert len(answers) == 30
    assert [name for name in answers if not (REPOSITORY / name).is_file()] == []
