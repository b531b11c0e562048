"""Every action that the services write to the audit log has a label on the audit page."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from blueprints.audit.words import FAILED, WORDS, words_for
from tests.support.repository import ROOT

SERVICES = ROOT / "services"
RECORDING = {"record", "_record", "_note", "_changed"}


def recorded() -> Iterator[str]:
    """The actions named in calls that record; those put together at run time are not seen."""
    for path in SERVICES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or len(node.args) < 2:
                continue
            if getattr(node.func, "attr", getattr(node.func, "id", "")) in RECORDING:
                yield from _texts(node.args[1])


def _texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)


def test_every_action_has_its_words() -> None:
    actions = set(recorded())
    assert {"sign_in", "server.enabled", "server.disabled", "guest.added"} <= actions
    assert actions - WORDS.keys() == set(), "These actions have no words in blueprints/audit/words.py."


def test_words_are_for_people() -> None:
    for sentence in (*WORDS.values(), *FAILED.values()):
        assert sentence[0].isupper() and "_" not in sentence and not sentence.endswith(".")
    assert words_for("thing.made_up", "done") == "Thing: made up"
    assert words_for("sign_in", "failed") == "Tried to sign in"
