"""The documentation matches the code: generated parts are current, links resolve, every setting is documented."""

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


@pytest.mark.parametrize("page", drawing.PAGES)
def test_what_is_drawn_from_the_code_is_current(page: str) -> None:
    assert text_of(page) == drawing.redrawn(page), "python -m tests.architecture.drawing"


def test_the_table_of_settings_is_complete_and_has_nothing_else() -> None:
    rows = re.findall(r"(?m)^\| `(COUNTERPART_[A-Z_]+)` \|", text_of("docs/operations.md"))
    assert len(rows) == len(set(rows))
    assert set(rows) == settings_read()
    assert len(rows) >= len(Settings.__dataclass_fields__)
    assert "docs/operations.md" in text_of("README.md")


def test_no_link_is_broken() -> None:
    links = [(page, link) for page in PAGES for link in LINK.findall(text_of(page))]
    assert [(page, link) for page, link in links if not ((REPOSITORY / page).parent / link).exists()] == []


def test_every_sequence_diagram_declares_its_participants() -> None:
    """Mermaid draws an undeclared name as a new box: always a slip."""
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


def test_the_glossary_is_short_and_every_term_has_its_file() -> None:
    rows = re.findall(r"(?m)^\| ([^|]+) \| [^|]+ \| `([^`]+)` \|$", text_of("docs/glossary.md"))
    terms = [term for term, _file in rows]
    assert terms == sorted(set(terms)) and 40 <= len(terms) <= 60
    assert [name for _term, name in rows if not (REPOSITORY / name).is_file()] == []
