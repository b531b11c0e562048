"""Every regular expression of the product meets its worst text, and takes no longer than in ratio to its length.

Names, pages and headers come from strangers, and Python holds its lock while it matches: one expression that takes the
square of the length stops everybody. So each is compiled at the head of its module, where this finds it, and is tried
on texts made from its own parts: a beginning of it said again and again, or one part of it repeated, and a wrong end.
"""

from __future__ import annotations

import ast
import importlib
import re
import time
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

from imanage.pages import read_page
from services.core.text.normalise import clean_line, fold, normalise
from tests.architecture.sources import files, text_of

NOT_THE_PRODUCT = ("tests/", "bench/", "migrations/")
PRODUCT = [name for name in files(".py") if not name.startswith(NOT_THE_PRODUCT)]
METHODS = {"search", "match", "fullmatch", "sub", "subn", "split", "findall", "finditer"}
# The fault dials of the stand-in take an expression from whoever tests with it, and from nobody else.
MADE_WHILE_RUNNING = {"simulator/faults.py": 2}

SHORT, TIMES = 4_000, 8  # in ratio: 8 times as long; by the square: 64 times
MOST = 28
NOTICED = 0.004  # seconds of the processor: what takes less tells nothing


@cache
def tree_of(name: str) -> ast.Module:
    return ast.parse(text_of(name))


def _of_re(node: ast.AST) -> str:
    """The function of `re` that is called here, if any."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        owner = node.func.value
        if isinstance(owner, ast.Name) and owner.id == "re":
            return node.func.attr
    return ""


def _at_the_head(tree: ast.Module) -> Iterator[ast.AST]:
    for statement in tree.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            yield statement.value


@pytest.mark.parametrize("name", PRODUCT)
def test_expressions_stand_at_the_head_of_their_module(name: str) -> None:
    tree = tree_of(name)
    heads = {node for node in _at_the_head(tree) if _of_re(node) == "compile"}
    calls = [node for node in ast.walk(tree) if _of_re(node) in METHODS | {"compile"} and node not in heads]
    assert len(calls) == MADE_WHILE_RUNNING.get(name, 0)


def _methods(module: str, name: str) -> set[str]:
    """How a pattern is used: in its own module, or anywhere where its name is a public one."""
    places = [module] if name.startswith("_") else PRODUCT
    return {
        node.attr
        for place in places
        for node in ast.walk(tree_of(place))
        if isinstance(node, ast.Attribute) and node.attr in METHODS and _last_name(node.value) == name
    }


def _last_name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _uses() -> Iterator[tuple[str, re.Pattern[str], str]]:
    for name in PRODUCT:
        if "re.compile" not in text_of(name) or name in MADE_WHILE_RUNNING:
            continue
        module = importlib.import_module(name.removesuffix(".py").replace("/", "."))
        for word, value in vars(module).items():
            if isinstance(value, re.Pattern) and f"{word} = re.compile" in text_of(name):
                methods = _methods(name, word)
                assert methods, f"{name} uses {word} in a way that this test does not see"
                for method in sorted(methods):
                    yield f"{name}:{word}.{method}", value, method


USES = list(_uses())


def _parts(pattern: re.Pattern[str]) -> list[list[str]]:
    """Ways through the expression, each as the texts that its parts take, one after the other."""
    parsed: Any = importlib.import_module("re._parser").parse(pattern.pattern, pattern.flags)
    return _ways(list(parsed))[:8]


def _ways(items: list[Any]) -> list[list[str]]:
    ways: list[list[str]] = [[]]
    for kind, value in items:
        more = _one(str(kind), value)
        ways = [way + part for way in ways[:8] for part in more]
    return ways


def _one(kind: str, value: Any) -> list[list[str]]:
    if kind == "LITERAL":
        return [[chr(value)]]
    if kind in {"ANY", "NOT_LITERAL"}:
        return [["a" if value is None or chr(value) != "a" else "b"]]
    if kind == "IN":
        return [[sign] for sign in _signs(value)[:3]] or [["a"]]
    if kind in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
        least, _, inside = value
        once = _ways(list(inside))
        return [way * max(1, min(least, 64)) for way in once] + ([[]] if least == 0 else [])
    if kind == "BRANCH":
        return [way for branch in value[1] for way in _ways(list(branch))]
    if kind == "SUBPATTERN":
        return _ways(list(value[-1]))
    return [[]]  # edges and looks around take no text


def _signs(members: list[Any]) -> list[str]:
    """Characters that a class takes."""
    text = "".join(map(chr, range(9, 256)))
    accepted = re.compile(_class_of(members)).match
    found = [sign for sign in text if accepted(sign)]
    return [found[0], found[len(found) // 2], found[-1]] if found else []


def _class_of(members: list[Any]) -> str:
    names = {
        "CATEGORY_DIGIT": r"\d",
        "CATEGORY_NOT_DIGIT": r"\D",
        "CATEGORY_SPACE": r"\s",
        "CATEGORY_NOT_SPACE": r"\S",
        "CATEGORY_WORD": r"\w",
        "CATEGORY_NOT_WORD": r"\W",
    }
    inside = ""
    for kind, value in members:
        if str(kind) == "NEGATE":
            inside += "^"
        elif str(kind) == "LITERAL":
            inside += re.escape(chr(value))
        elif str(kind) == "RANGE":
            inside += f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}"
        else:
            inside += names[str(value)]
    return f"[{inside}]"


def _worst(pattern: re.Pattern[str]) -> list[Callable[[int], str]]:
    """Texts of any length that could hold this expression up."""
    makers: dict[str, Callable[[int], str]] = {}
    for way in _parts(pattern):
        for end in range(1, len(way) + 1):
            head, part = "".join(way[:end]), way[end - 1]
            before = "".join(way[: end - 1])
            makers[f"beginnings {head}"] = lambda length, head=head: head * (length // len(head)) + "\x00"
            makers[f"{before} and {part}"] = lambda length, before=before, part=part: (
                before + part * length + "\x00"
            )
            for other in {"a", " ", part} - {part}:
                makers[f"{before} and {part}{other}"] = lambda length, before=before, pair=part + other: (
                    before + pair * (length // 2) + "\x00"
                )
    return list(makers.values())


def _seconds(work: Callable[[], object], times: int = 3) -> float:
    """Of this thread's time on the processor, the least of several: a busy machine counts for nothing."""
    found = []
    for _ in range(times):
        began = time.thread_time()
        work()
        found.append(time.thread_time() - began)
    return min(found)


def _grows_too_fast(
    work: Callable[[str], object], makers: list[Callable[[int], str]], length: int = SHORT
) -> bool:
    """Whether any of the texts takes more than in ratio when it is 8 times as long. Twice seen, or it was chance."""
    for maker in makers:
        short, long = maker(length), maker(length * TIMES)
        if _seconds(lambda text=long: work(text), times=1) < NOTICED:
            continue
        if all(_growth(work, short, long) > MOST for _ in range(2)):
            return True
    return False


def _growth(work: Callable[[str], object], short: str, long: str) -> float:
    return _seconds(lambda: work(long), times=2) / max(_seconds(lambda: work(short)), 1e-6)


def _work(pattern: re.Pattern[Any], method: str) -> Callable[[str], object]:
    called = getattr(pattern, method)
    of_bytes = isinstance(pattern.pattern, bytes)

    def work(text: str) -> object:
        subject = text.encode("latin-1", "replace") if of_bytes else text
        if method in {"sub", "subn"}:
            return called(b"" if of_bytes else "", subject)
        return list(called(subject)) if method == "finditer" else called(subject)

    return work


@pytest.mark.parametrize(("pattern", "method"), [use[1:] for use in USES], ids=[use[0] for use in USES])
def test_an_expression_takes_no_more_than_in_ratio(pattern: re.Pattern[str], method: str) -> None:
    assert not _grows_too_fast(_work(pattern, method), _worst(pattern))


@pytest.mark.parametrize(
    "text",
    [
        r"<title[^>]*>(.*?)</title>",
        r"<(script|style)\b.*?</\1>|<[^>]+>",
        r"mismatch\w*\W+(the\W+)?redirect",
    ],
)
def test_the_texts_would_find_one_that_takes_the_square(text: str) -> None:
    pattern = re.compile(text, re.IGNORECASE | re.DOTALL)
    assert _grows_too_fast(pattern.search, _worst(pattern), length=SHORT // 3)


PAGES = [
    "<title>",
    "<title",
    "<",
    "<!--",
    "</",
    "<a ",
    '<a b="',
    "<!",
    "<?",
    "<![",
    "<script>",
    "<script",
    "&",
    "&#",
    "<a =",
    "<!doctype ",
    "<![cdata[",
    "</title ",
    "<textarea>",
    "\x00<",
    "</a ",
    "<b>",
    "<b><p>",
    "<table><td>",
    "<i><p></i>",
]


@pytest.mark.parametrize("pieces", PAGES)
def test_a_page_is_read_in_no_more_than_in_ratio(pieces: str) -> None:
    assert not _grows_too_fast(read_page, [lambda length: pieces * (8 * length // len(pieces))])


MARKS = ["\u0327\u0301", "e\u0344\u0327", "\u0344", "\u1e9b\u0323"]


@pytest.mark.parametrize("marks", MARKS)
@pytest.mark.parametrize("work", [clean_line, fold, lambda text: normalise("NFKC", text)])
def test_marks_on_one_letter_take_no_more_than_in_ratio(work: Callable[[str], object], marks: str) -> None:
    assert not _grows_too_fast(work, [lambda length: "a" + marks * length])


def test_what_any_writing_needs_is_normalised_as_unicode_says() -> None:
    for text in ("Łódź Zoë", "e" + "\u0301" * 30, "한글 ﷺ ﬁ" * 200, "x" * 1000 + "e\u0301"):
        for form in ("NFC", "NFKC", "NFKD"):
            assert normalise(form, text) == unicodedata.normalize(form, text)


@pytest.mark.parametrize("name", PRODUCT)
def test_normal_forms_are_made_in_one_place(name: str) -> None:
    """But for host names, which are cut to 2,000 characters before."""
    if name not in {"services/core/text/normalise.py", "imanage/addresses.py", "imanage/hostnames.py"}:
        assert "unicodedata.normalize(" not in text_of(name)
