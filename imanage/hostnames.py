"""Host names that imitate others: letters of several alphabets in one label, or letters that only look like Latin ones.

Follows the "highly restrictive" level of Unicode's security mechanisms (UTS 39), which browsers use to decide whether
to show a name or its punycode. The letters that pass for Latin ones are those of its table of confusables.
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
# Latin letters of living languages that are not a plain letter with marks. Dotless i and script a are not among them.
_OF_THEIR_OWN = frozenset("ßæœøđłþðħŋə")
_LOOK_LATIN = frozenset("абгеорсухѕіјѡѵүһҽӏԁԛԝꙇьъпαγινορσυϳκτագզհոռսցքօյւտყჿဝ၀ሀዐഠംଠ०০੦૦୦௦౦೦൦๐໐੧੪৪৭૧୨")


def imitation(host: str) -> Imitation | None:
    """In what way a host, in letters and not in punycode, can pass for another; None where it cannot."""
    found = [_of_label(label) for label in unicodedata.normalize("NFC", host).lower().split(".")]
    return next((each for each in found if each), None)


def _of_label(label: str) -> Imitation | None:
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
    return "lookalike" if letters and all(letter in _LOOK_LATIN for letter in letters) else None


def _script(letter: str) -> str:
    """The first word of a letter's name is its script's, but for a few signs that several scripts share."""
    return unicodedata.name(letter, "NONE").split()[0].split("-")[0]


def _is_plain(letter: str) -> bool:
    return letter in _OF_THEIR_OWN or unicodedata.normalize("NFD", letter)[0].isascii()
