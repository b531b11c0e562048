"""Every error code has its words in services/guidance, and only there; none of the words is left without a use."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache

from blueprints.audit.words import WORDS
from services.core import errors
from services.guidance.advice import most_specific
from services.guidance.refusals import ADVICE
from services.guidance.tables import TABLES
from tests.architecture.sources import files, tree_of

GUIDANCE = "services/guidance/"
PRODUCT = ("blueprints/", "commands/", "copying/", "imanage/", "jobs/", "services/", "storage/")
CODE = re.compile(r"[a-z_]+(\.[a-z_]+)+")
CATEGORIES = {
    kind.code
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.RefusedError)
}
"""The codes of the classes: a refusal that has no code of its own says what it is about where it is raised."""
LOG = {"debug", "info", "warning", "error", "exception"}
FOR_THE_LOG = ("imanage/",)
"""The client is a package of its own: its errors have a sentence for the log, too."""


def sources() -> Iterator[tuple[str, ast.Module]]:
    for name in files(".py"):
        if name.startswith(PRODUCT) and not name.startswith(GUIDANCE):
            yield name, tree_of(name)


@cache
def texts() -> dict[str, str]:
    """The texts of the product but the events of its log, each with a file it is in."""
    found = {}
    for name, tree in sources():
        no_code = {
            id(each)
            for node in ast.walk(tree)
            if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Call) and _is_log(node))
            for each in (node.values if isinstance(node, ast.JoinedStr) else node.args)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in no_code:
                found[node.value] = name
    return found


def _is_log(call: ast.Call) -> bool:
    """`log.info("event")`, or `partial(log.info, "event")`."""
    return any(getattr(each, "attr", "") in LOG for each in (call.func, *call.args))


def beginnings() -> tuple[str, ...]:
    """What codes begin with that are put together at run time, such as `invitation.`."""
    return tuple(
        first.value
        for _, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        and isinstance(first := node.values[0], ast.Constant)
        and CODE.fullmatch(f"{first.value}x")
    )


def test_every_code_has_a_message() -> None:
    subjects = {code.split(".")[0] for code in ADVICE if "." in code}
    codes = {text for text in texts() if CODE.fullmatch(text) and text.split(".")[0] in subjects}
    others = {code: texts()[code] for code in codes - WORDS.keys() if not _has_words(code)}
    assert others == {}, "These codes have no words in services/guidance."
    assert len(codes) > 200


def test_every_message_has_a_use() -> None:
    used, begun = texts().keys(), beginnings()
    left = {
        code
        for table in TABLES.values()
        for code in table
        if not code.startswith(begun) and code not in used and not {*_variant(code)} <= used
    }
    assert left == set(), "Nothing raises these codes any more."


def _has_words(code: str) -> bool:
    return most_specific(ADVICE, code) is not None or any(each.startswith(f"{code}.") for each in ADVICE)


def _variant(code: str) -> tuple[str, str]:
    """`scan.away.upload` is the wording `upload` of `scan.away`."""
    before, _, variant = code.rpartition(".")
    return (before, variant) if "." in before or before in CATEGORIES | ADVICE.keys() else (code, code)


def test_words_of_a_code_are_in_guidance_only() -> None:
    found = []
    for name, tree in sources():
        for node in ast.walk(tree) if not name.startswith(FOR_THE_LOG) else ():
            if isinstance(node, ast.Call):
                code = next((each.value for each in node.keywords if each.arg == "code"), None)
                has_words = any(isinstance(each, ast.Constant | ast.JoinedStr) for each in node.args)
                if isinstance(code, ast.Constant) and code.value not in CATEGORIES and has_words:
                    found.append(f"{name}:{node.lineno} {code.value}")
            if isinstance(node, ast.ClassDef):
                names = {ast.unparse(each.targets[0]) for each in node.body if isinstance(each, ast.Assign)}
                if "code" in names and names & {"sentence", "next_step"}:
                    found.append(f"{name}:{node.lineno} {node.name}")
    assert found == [], "Name the code only: services.guidance.refusals has its words."
