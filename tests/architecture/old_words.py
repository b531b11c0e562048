"""Words that the code, documentation and templates no longer use.

`python -m tests.architecture.old_words [path…]` prints where they are. Identifiers
count as their words: `_take_over` and `TakeOver` are "take over".
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

from tests.architecture.sources import files, text_of

ENDINGS = (
    ".py",
    ".md",
    ".html",
    ".txt",
    ".js",
    ".css",
    ".toml",
    ".sh",
    "Makefile",
    "tests/run",
    "tests/prepare",
)
NOT_READ = ("tests/support/lists/", "tests/architecture/old_words", "requirements", "docs/glossary.md")

WORDS = (
    "he|she|his|her|him|hers|himself|herself|whoever|whomever|one's own",
    r"halls?|houses?|(?<!data )(?<!meeting )rooms?",
    r"stands?(?! (?:for|out|in|alone)\b)(?!-)",
    "what is to be had|at hand|in nobody else's hands|puts? on record",
    "goes on|go on|lets? go|forgives?|after a look",
    "leaderless|reaper|fences?|lanes?|beats?|standings?|recorders?|tidy|tidies|move log",
    "the same request again|(?:leave|leaves|leaving) (?:a|the) server alone",
)
OLD = re.compile(rf"\b(?:{'|'.join(WORDS)})\b")
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def _plain(line: str) -> str:
    return CAMEL.sub(" ", line.replace("_", " ")).casefold()


def read() -> list[str]:
    """The files that the rule is about."""
    return [name for name in files(ENDINGS) if not name.startswith(NOT_READ)]


def old_words(name: str) -> Iterator[tuple[int, str, str]]:
    """Line number, word and line of every old word in a file."""
    for number, line in enumerate(text_of(name).splitlines(), start=1):
        for match in OLD.finditer(_plain(line)):
            yield number, match[0], line.strip()


def main(arguments: list[str]) -> int:
    for name in read():
        if not arguments or name.startswith(tuple(arguments)):
            for number, word, line in old_words(name):
                print(f"{name}:{number}: {word}: {line}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
