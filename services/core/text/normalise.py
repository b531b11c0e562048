"""Names that people type: cleaned, compared and searched the same way on every database."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Literal

from anyascii import anyascii

ESCAPE = "\\"
APOSTROPHES = frozenset("'`´‘’‛′‵ʹʻʼʽʾʿ")
CASED = frozenset({"Lu", "Ll", "Lt"})
# The Stream-Safe Text Format of Unicode (UAX 15): no writing has more marks than this on one letter.
_MOST_MARKS = 30
_JOINER = "\u034f"
_SHORT = 256


def normalise(form: Literal["NFC", "NFKC", "NFKD"], text: str) -> str:
    """A Unicode normal form, in time that grows with the length and no faster.

    Python sorts the marks on one letter in the square of their number, so 500 kB of them would hold the process for
    minutes; a run of more than 30 is broken by a combining grapheme joiner, which shows as nothing.
    """
    return unicodedata.normalize(form, text if len(text) <= _SHORT else _stream_safe(text))


def _stream_safe(text: str) -> str:
    if text.isascii():
        return text
    safe: list[str] = []
    marks = 0
    for sign in text:
        marks = marks + 1 if unicodedata.combining(sign) else 0
        if marks > _MOST_MARKS:
            safe.append(_JOINER)
            marks = 1
        safe.append(sign)
    return "".join(safe)


def clean_line(text: str | None) -> str:
    """One line, NFC, outer and repeated blanks gone. Judges nothing; see hidden_characters()."""
    return " ".join(normalise("NFC", text or "").split())


def hidden_characters(text: str) -> bool:
    """Whether a name holds controls or direction marks, with which it could pass for another."""
    return any(
        unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for character in text
    )


def fold(text: str) -> str:
    """A key under which letter case and accents do not count: two names with one key are one name.

    NUL is left out: PostgreSQL refuses to compare with it, before any rule could say that a name holds it.
    """
    decomposed = normalise("NFKD", normalise("NFKC", text.replace("\0", "")).casefold())
    return clean_line("".join(c for c in decomposed if not unicodedata.combining(c)))


def search_fold(text: str) -> str:
    """What texts are searched by, on every database: as fold(), in plain letters and without apostrophes.

    Letters of alphabets that have capitals become Latin ones (`Łukasz` is `lukasz`, `Иванов` is `ivanov`), and every
    dash is a hyphen. Scripts without capitals stay as they are: there two words would become one.
    """
    return clean_line("".join(map(_plain, fold(text))))


@lru_cache(maxsize=4096)
def _plain(character: str) -> str:
    if character in APOSTROPHES:
        return ""
    if character.isascii():
        return character
    category = unicodedata.category(character)
    if category == "Pd":
        return "-"
    latin = anyascii(character) if category in CASED else ""
    # Soft signs and the like become apostrophes, and go with them.
    return "".join(c for c in latin.casefold() if c.isalnum()) if latin else character


def bytes_in_words(size: int) -> str:
    """A size as the pages write it: `1.5 GB`, `20 MB`, `300 kB`."""
    for factor, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if size >= factor:
            return f"{size / factor:.3g} {name}"
    return f"{size} bytes"


def like_pattern(text: str) -> str:
    """A LIKE pattern that finds the text anywhere, its own wildcards taken literally (ESCAPE '\\')."""
    for character in (ESCAPE, "%", "_"):
        text = text.replace(character, ESCAPE + character)
    return f"%{text}%"


def search_words(text: str) -> list[str]:
    """What somebody typed into a search box, as the folded words that must all be found."""
    return search_fold(text[:200].replace("\0", " ")).split()[:12]
