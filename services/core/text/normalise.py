"""Names that people type: normalised, compared and searched alike on every database."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Literal

from anyascii import anyascii

ESCAPE = "\\"
APOSTROPHES = frozenset("'`´‘’‛′‵ʹʻʼʽʾʿ")
CASED = frozenset({"Lu", "Ll", "Lt"})
# Unicode's Stream-Safe Text Format (UAX 15): no language puts more marks than this on one letter.
_MOST_MARKS = 30
_JOINER = "\u034f"
_SHORT = 256


def normalise(form: Literal["NFC", "NFKC", "NFKD"], text: str) -> str:
    """A Unicode normal form, in linear time.

    Python sorts the marks on one letter in quadratic time, so 500 kB of them would block the process for minutes; a
    run of more than 30 is broken by a combining grapheme joiner, which is invisible.
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
    """One line in NFC, without outer and repeated spaces. Checks nothing; see hidden_characters()."""
    return " ".join(normalise("NFC", text or "").split())


def hidden_characters(text: str) -> bool:
    """Whether a name contains control characters or direction marks, with which it could pass for another."""
    return any(
        unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for character in text
    )


def fold(text: str) -> str:
    """A comparison key that ignores letter case and accents: two names with one key are one name.

    NUL is dropped: PostgreSQL refuses it in a query before any validation could report it.
    """
    decomposed = normalise("NFKD", normalise("NFKC", text.replace("\0", "")).casefold())
    return clean_line("".join(c for c in decomposed if not unicodedata.combining(c)))


def search_fold(text: str) -> str:
    """The search key of a text: as fold(), transliterated to ASCII and without apostrophes.

    Letters of alphabets that have capitals become Latin (`Łukasz` is `lukasz`, `Иванов` is `ivanov`), and every dash
    becomes a hyphen. Scripts without capitals stay unchanged: different words would become equal.
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
    # Soft signs and the like become apostrophes, which are dropped.
    return "".join(c for c in latin.casefold() if c.isalnum()) if latin else character


def bytes_in_words(size: int) -> str:
    """A size for display: `1.5 GB`, `20 MB`, `300 kB`."""
    for factor, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if size >= factor:
            return f"{size / factor:.3g} {name}"
    return f"{size} bytes"


def like_pattern(text: str) -> str:
    """A LIKE pattern that finds the text anywhere, with wildcards escaped (ESCAPE '\\')."""
    for character in (ESCAPE, "%", "_"):
        text = text.replace(character, ESCAPE + character)
    return f"%{text}%"


def search_words(text: str) -> list[str]:
    """The text of a search box as folded words, all of which must match."""
    return search_fold(text[:200].replace("\0", " ")).split()[:12]
