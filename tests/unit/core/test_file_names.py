"""File names: kept byte for byte or refused with a sentence, each case decided."""

from __future__ import annotations

import json
import unicodedata

import pytest

from services.core.errors import InvalidError
from services.core.text.file_names import (
    LONGEST,
    MAX_BYTES,
    adapt,
    clean_file_name,
    numbered,
    same_name_key,
    split,
)
from tests.support.repository import LISTS

LIST = LISTS / "file_names.json"
NAMES: list[str] = json.loads(LIST.read_text(encoding="utf-8"))

REFUSED = {
    "",
    "crlf\r\nSet-Cookie: a=b.docx",
    "lf\nname.docx",
    "cr\rname.docx",
    "bell\u0007.docx",
    "vt\u000b.docx",
    "\u001b[31mred.docx",
    ".git/config",
    "../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "\\\\server\\share\\x.docx",
    "a:b.docx",
    '"quoted".docx',
    "<>|.docx",
    "<script>alert(1)</script>.docx",
    "q?x=1.docx",
    "a*b?.docx",
    "{{7*7}}.docx",
    "PRN.txt",
    "COM\u00b9.txt",
    "AUX",
    "CONIN$",
    "a\u2066b\u2069.docx",
    "zero\u200bwidth.docx",
    "trailing.",
}


@pytest.mark.parametrize("name", NAMES)
def test_every_name_of_the_list_is_decided(name: str) -> None:
    if name in REFUSED:
        with pytest.raises(InvalidError) as refusal:
            clean_file_name(name)
        sentence = refusal.value.fields["file"]
        assert sentence.endswith(".") and len(sentence) > 20
        assert not any(unicodedata.category(character)[0] == "C" for character in sentence)
    else:
        assert clean_file_name(name).full == name


@pytest.mark.parametrize(
    "name",
    [
        "   ",
        " leading.docx",
        "trailing.docx ",
        ".",
        "..",
        "nul.tar.gz",
        "lpt1 .txt",
        "Com0",
        "a\x00b.docx",
        "a\x7fb.docx",
        "invoice\u202excod.exe",
        "lone\ud800.docx",
        "line\u2028two.docx",
        "soft\u00adhyphen.docx",
        "latin\u200djoiner.docx",
        "\u200cfirst.docx",
        "x" * 241,
        "漢" * 86,
    ],
)
def test_more_that_no_disk_or_reader_should_meet_is_refused(name: str) -> None:
    with pytest.raises(InvalidError):
        clean_file_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "x" * 240,
        "漢" * 85,
        "نمی\u200cخواهم.docx",
        "👩\u200d⚖️.docx",
        "no extension",
        ".profile",
        "archive.tar.gz",
        "Lease (final) [v2] {signed} #1 & co.docx",
        "console.docx",
        "COM10.txt",
    ],
)
def test_names_of_other_scripts_and_habits_are_kept(name: str) -> None:
    assert clean_file_name(name).full == name


def test_the_last_dot_divides_the_name() -> None:
    assert (split("archive.tar.gz").stem, split("archive.tar.gz").extension) == ("archive.tar", "gz")
    assert (split("README").stem, split("README").extension) == ("README", "")
    assert (split(".profile").stem, split(".profile").extension) == (".profile", "")


def test_case_and_composition_do_not_make_another_name() -> None:
    assert same_name_key("Caf\u00e9.DOCX") == same_name_key("CAFE\u0301.docx")
    assert same_name_key("Cafe.docx") != same_name_key("Caf\u00e9.docx")


@pytest.mark.parametrize(
    ("foreign", "ours"),
    [
        ("Re: Lease / side letter.docx", "Re_ Lease _ side letter.docx"),
        ("../../etc/passwd", ".._.._etc_passwd"),
        ("con.docx", "_con.docx"),
        ("  spaced.docx. ", "spaced.docx"),
        ("invoice\u202excod.exe", "invoice_xcod.exe"),
        ("", "Document"),
        ("...", "Document"),
        ("Lease.docx", "Lease.docx"),
    ],
)
def test_a_foreign_name_is_made_to_fit(foreign: str, ours: str) -> None:
    assert adapt(foreign).full == ours


@pytest.mark.parametrize(
    "name", [*NAMES, "x" * 400 + ".docx", "漢" * 300 + ".docx", "a." + "b" * 400, "aux.", " . . ", "CON .x"]
)
def test_what_was_made_to_fit_is_taken_and_stays_as_it_is(name: str) -> None:
    fitted = adapt(name).full
    assert clean_file_name(fitted).full == fitted
    assert adapt(fitted).full == fitted


def test_a_numbered_name_keeps_its_type_and_its_length() -> None:
    assert numbered(split("Lease.docx"), 2) == "Lease (2).docx"
    assert numbered(split("README"), 3) == "README (3)"
    longest = numbered(split("漢" * 83 + ".docx"), 12)
    assert longest.endswith(" (12).docx")
    assert len(longest) <= LONGEST and len(longest.encode()) <= MAX_BYTES
