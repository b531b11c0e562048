"""Pasted document numbers in all the forms in which people have them."""

from __future__ import annotations

import time

import pytest

from services.picker.pasted import LONGEST, Pasted, parse

Key = tuple[int | None, str, int | None, str]


def keys(text: str) -> list[Key]:
    return [(each.number, each.library, each.version, each.host) for each in parse(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("104512", (104512, "", None, "")),
        ("#104512", (104512, "", None, "")),
        ("104512.3", (104512, "", 3, "")),
        ("104512v3", (104512, "", 3, "")),
        ("104512.0", (104512, "", None, "")),
        ("Active!104512", (104512, "Active", None, "")),
        ("(Active!104512.3)", (104512, "Active", 3, "")),
        ("Active 104512 v3", (104512, "Active", 3, "")),
        ("104512 V3", (104512, "", 3, "")),
        ("https://im.firm.test/work/link/d/Active!104512.3", (104512, "Active", 3, "im.firm.test")),
        ("<https://im.firm.test:8443/work/link/d/Active!7?x=1>", (7, "Active", None, "im.firm.test:8443")),
        ("https://im.firm.test/work/web/dialogs/link/d/My%20Lib%217.2", (7, "My Lib", 2, "im.firm.test")),
        ("iwl:dms=im.firm.test&&lib=Active&&num=7&&ver=2", (7, "Active", 2, "im.firm.test")),
        ("iwl:dms=im.firm.test&lib=Active&num=7", (7, "Active", None, "im.firm.test")),
    ],
)
def test_one_document(text: str, found: Key) -> None:
    assert keys(text) == [found]


@pytest.mark.parametrize(
    "text", ["", "0", "Number", "Active!", "1.2.3", "-7", "9" * 40, "٣", "Lease v2", "iwl:", "/link/d/"]
)
def test_what_is_no_number(text: str) -> None:
    assert all(number is None for number, *_ in keys(text))


def test_lines_commas_tabs_and_spaces_separate_and_the_order_is_kept() -> None:
    text = 'Number\tName\r\n"4"\tHeads of terms\n5,6;7 8|9\n4\nActive!4\n\n'
    assert [number for number, *_ in keys(text)] == [None, None, 4, None, 5, 6, 7, 8, 9, 4]
    assert parse("Active!4") == parse("active!4") or parse("Active!4\nactive!4") == parse("Active!4")


def test_a_text_is_kept_whole_enough_to_be_read_again() -> None:
    link = f"https://im.firm.test/work/link/d/{'L' * 100}!7.2"
    (only,) = parse(link)
    assert parse(only.text) == [only]
    assert parse("x" * 5000) == [Pasted("x" * LONGEST)]


@pytest.mark.parametrize("text", ["(" * 200_000, "1." * 100_000, "iwl:" + "&" * 200_000, "7 v" * 60_000])
def test_the_time_grows_with_the_length_only(text: str) -> None:
    began = time.process_time()
    parse(text)
    assert time.process_time() - began < 2
