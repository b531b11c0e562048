"""No regular expression of the product backtracks: each matches its worst text in linear time.

Names, pages and headers come from strangers, and Python holds the GIL while it matches: an expression that takes
quadratic time stops every thread. So each is compiled at the top of its module, where this test finds it, and is tried
on texts made from its own parts: its beginning or one part of it repeated, followed by a character that cannot match.
"""

from __future__ import annotations

import ast
import importlib
import re
import time
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

from imanage.html_text import read_page
from services.core.text.normalise import clean_line, fold, normalise
from tests.architecture.sources import files, text_of, tree_of

NOT_THE_PRODUCT = ("tests/", "bench/", "migrations/")
PRODUCT = [name for name in files(".py") if not name.startswith(NOT_THE_PRODUCT)]
METHODS = {"search", "match", "fullmatch", "sub", "subn", "split", "findall", "finditer"}
# The practice iManage's faults and missing calls are expressions of the person who tests with them, and of nobody else.
MADE_WHILE_RUNNING = {"simulator/faults.py": 2, "simulator/settings.py": 2}

SHORT, TIMES = 1_300, 8  # in ratio: 8 times as long; by the square: 64 times
MOST = 28
NOTICED = 0.004  # seconds of the processor: what takes less tells nothing


def _of_re(node: ast.AST) -> str:
    """The function of `re` that is called here, if any."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        owner = node.func.value
        if isinstance(owner, ast.Name) and owner.id == "re":
            return node.func.attr
    return ""


def _assigned_at_the_top(tree: ast.Module) -> Iterator[ast.AST]:
    for statement in tree.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            yield statement.value


def test_expressions_are_compiled_at_the_top_of_their_module() -> None:
    assert {
        name: calls for name in PRODUCT if (calls := _made_while_running(tree_of(name)))
    } == MADE_WHILE_RUNNING


def _made_while_running(tree: ast.Module) -> int:
    compiled = {node for node in _assigned_at_the_top(tree) if _of_re(node) == "compile"}
    return sum(_of_re(node) in METHODS | {"compile"} and node not in compiled for node in ast.walk(tree))


@cache
def _methods() -> dict[str, dict[str, set[str]]]:
    """How patterns are used: module -> a pattern's name -> methods called."""
    found: dict[str, dict[str, set[str]]] = {}
    for place in PRODUCT:
        used = found.setdefault(place, defaultdict(set))
        for node in ast.walk(tree_of(place)):
            if isinstance(node, ast.Attribute) and node.attr in METHODS:
                used[_last_name(node.value)].add(node.attr)
    return found


def _methods_of(module: str, name: str) -> set[str]:
    """In its own module, or anywhere where its name is a public one."""
    places = [module] if name.startswith("_") else PRODUCT
    return set().union(*(_methods()[place].get(name, set()) for place in places))


def _last_name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _uses() -> Iterator[tuple[str, re.Pattern[str], str]]:
    for name in PRODUCT:
        if "re.compile" not in text_of(name) or name in MADE_WHILE_RUNNING:
            continue
        module = importlib.import_module(name.removesuffix(".py").replace("/", "."))
        for word, value in vars(module).items():
            if isinstance(value, re.Pattern) and f"{word} = re.compile" in text_of(name):
                methods = _methods_of(name, word)
                assert methods, f"{name} uses {word} in a way that this test does not see"
                for method in sorted(methods):
                    yield f"{name}:{word}.{method}", value, method


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


def _grows_too_fast(work: Callable[[str], object], makers: list[Callable[[int], str]]) -> bool:
    """Whether any of the texts takes more than in ratio when it is 8 times as long. Twice seen, or it was chance."""
    for maker in makers:
        short, long = maker(SHORT), maker(SHORT * TIMES)
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


def test_every_expression_takes_no_more_than_in_ratio() -> None:
    uses = list(_uses())
    assert len(uses) > 40
    assert [
        name for name, pattern, method in uses if _grows_too_fast(_work(pattern, method), _worst(pattern))
    ] == []


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
    assert _grows_too_fast(pattern.search, _worst(pattern))


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


def test_only_three_modules_normalise_unicode() -> None:
    """`normalise` bounds its work; host names are cut to 2,000 characters before."""
    assert [name for name in PRODUCT if "unicodedata.normalize(" in text_of(name)] == [
        "imanage/addresses.py",
        "imanage/hostnames.py",
        "services/core/text/normalise.py",
    ]
