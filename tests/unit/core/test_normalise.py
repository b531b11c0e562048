"""One folding for every search: its table of letters, and what it leaves alone."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from services.core.text.file_names import same_name_key, search_key
from services.core.text.normalise import fold, search_fold, search_words

LETTERS = {
    "a": "ÀÁÂÃÄÅĀĂĄǍǞȦḀẠẢấẬªａ𝐀",
    "ae": "ÆæǢǼ",
    "b": "ḂƁ",
    "c": "ÇĆĈĊČƇ",
    "d": "ĎĐḌ",
    "e": "ÈÉÊËĒĔĖĘĚẸẽệ",
    "f": "Ḟƒ",
    "g": "ĜĞĠĢǦǤ",
    "h": "ĤĦḤ",
    "i": "ÌÍÎÏĨĪĬĮİıỊ",
    "j": "Ĵȷ",
    "k": "ĶǨḲƘ",
    "l": "ĹĻĽŁłḶƚ",
    "m": "ṀṂ",
    "n": "ÑŃŅŇṆ",
    "o": "ÒÓÔÕÖØøŌŎŐƠộº",
    "oe": "ŒœŒ",
    "p": "ṔƤ",
    "r": "ŔŖŘṚ",
    "s": "ŚŜŞŠȘṢ",
    "ss": "ßẞ",
    "t": "ŢŤŦȚṬ",
    "th": "Þþ",
    "u": "ÙÚÛÜŨŪŬŮŰŲƯứ",
    "w": "ŴẀẂẄ",
    "y": "ÝŶŸỲ",
    "z": "ŹŻŽẒƶ",
    "fi": "ﬁ",
    "ij": "Ĳĳ",
    "": "'’‘‛ʼʻ`´′ʹ＇",
    "-": "-‐‑‒–—",
}
NAMES = {
    "Łukasz Wiśniewski": "lukasz wisniewski",
    "O’Brien": "obrien",
    "o'brien": "obrien",
    "OʼBrien": "obrien",
    "D‘Arcy": "darcy",
    "Søren Ærø": "soren aero",
    "Gößmann": "gossmann",
    "Đặng Thị Hồng": "dang thi hong",
    "Þórður Guðmundsson": "thordur gudmundsson",
    "İbrahim Ilıcalı": "ibrahim ilicali",
    "Müller": "muller",
    "Иванов": "ivanov",
    "Гоголь": "gogol",
    "Παπαδόπουλος": "papadopoylos",
    "Jean‑Luc": "jean-luc",
    "Ｆｕｌｌ　ｗｉｄｔｈ": "full width",
    "  two   blanks ": "two blanks",
    "鈴木 花子": "鈴木 花子",
    "שרה כהן": "שרה כהן",
    "Budget 50% (v2)_x": "budget 50% (v2)_x",
}


@pytest.mark.parametrize(("plain", "letter"), [(p, letter) for p, many in LETTERS.items() for letter in many])
def test_a_letter_is_searched_by_its_plain_one(plain: str, letter: str) -> None:
    assert search_fold(letter) == plain


@pytest.mark.parametrize(("name", "key"), NAMES.items())
def test_a_name_is_searched_by_its_plain_letters(name: str, key: str) -> None:
    assert search_fold(name) == key
    assert search_fold(unicodedata.normalize("NFD", name)) == key
    assert search_words(name) == key.split()


def test_folding_twice_changes_nothing() -> None:
    """Over all letters of all alphabets with capitals."""
    for number in range(sys.maxunicode + 1):
        letter = chr(number)
        if unicodedata.category(letter) not in {"Lu", "Ll", "Lt"}:
            continue
        key = search_fold(letter)
        assert search_fold(key) == key, hex(number)
        assert key.isprintable() and "'" not in key, hex(number)


@pytest.mark.parametrize("name", [*NAMES, "O’Neill & Söhne.docx"])
def test_two_names_that_are_the_same_have_the_same_key(name: str) -> None:
    """A name that is taken is looked up by its search key before the names themselves are compared."""
    for other in (name.upper(), name.casefold(), unicodedata.normalize("NFD", name)):
        if same_name_key(other) == same_name_key(name):
            assert search_key(other) == search_key(name)


def test_a_name_that_is_to_be_the_only_one_keeps_its_letters() -> None:
    """A group *Ł* is not a group *L*: only searching knows no difference."""
    assert fold("Łódź") != fold("Lodz")
    assert fold("O’Brien") != fold("OBrien")
