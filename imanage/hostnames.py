"""Detects homograph host names: labels that mix scripts, or use letters that only look like Latin ones.

Follows the "highly restrictive" level of Unicode's security mechanisms (UTS 39), by which browsers decide whether to
show a name or its punycode. `_LATIN_LOOKALIKES` comes from its confusables table.
"""

from __future__ import annotations

import unicodedata
from typing import Literal

Imitation = Literal["mixed", "lookalike"]

_EAST_ASIAN = (
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
)
_RECOMMENDED = frozenset(
    {
        *(
            "ARABIC",
            "ARMENIAN",
            "BENGALI",
            "BOPOMOFO",
            "CJK",
            "CYRILLIC",
            "DEVANAGARI",
            "ETHIOPIC",
            "GEORGIAN",
        ),
        *(
            "GREEK",
            "GUJARATI",
            "GURMUKHI",
            "HANGUL",
            "HEBREW",
            "HIRAGANA",
            "KANNADA",
            "KATAKANA",
            "KHMER",
            "LAO",
        ),
        *(
            "LATIN",
            "MALAYALAM",
            "MYANMAR",
            "ORIYA",
            "SINHALA",
            "TAMIL",
            "TELUGU",
            "THAANA",
            "THAI",
            "TIBETAN",
        ),
    }
)
# Latin letters of living languages that do not decompose into a base letter and marks; without dotless i and script a.
_LATIN_LETTERS = frozenset("ßæœøđłþðħŋə")
_LATIN_LOOKALIKES = frozenset("абгеорсухѕіјѡѵүһҽӏԁԛԝꙇьъпαγινορσυϳκτագզհոռսցքօյւտყჿဝ၀ሀዐഠംଠ०০੦૦୦௦౦೦൦๐໐੧੪৪৭૧୨")


def imitation(host: str) -> Imitation | None:
    """How a host (decoded, not punycode) can be mistaken for another; None if it cannot."""
    found = [_label_imitation(label) for label in unicodedata.normalize("NFC", host).lower().split(".")]
    return next((each for each in found if each), None)


def _label_imitation(label: str) -> Imitation | None:
    if label.isascii():
        return None
    letters = [sign for sign in label if not unicodedata.combining(sign) and sign not in "-0123456789"]
    scripts = {_script(letter) for letter in letters}
    if not scripts <= _RECOMMENDED:
        return "lookalike"
    if len(scripts) > 1 and not any(scripts <= together for together in _EAST_ASIAN):
        return "mixed"
    if "LATIN" in scripts and not all(map(_is_plain, filter(lambda one: _script(one) == "LATIN", letters))):
        return "lookalike"
    return "lookalike" if letters and all(letter in _LATIN_LOOKALIKES for letter in letters) else None


def _script(letter: str) -> str:
    """The first word of a letter's Unicode name, which is its script except for a few shared characters."""
    return unicodedata.name(letter, "NONE").split()[0].split("-")[0]


def _is_plain(letter: str) -> bool:
    return letter in _LATIN_LETTERS or unicodedata.normalize("NFD", letter)[0].isascii()
