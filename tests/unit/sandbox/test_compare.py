"""Two texts compared: what is the same, deleted and inserted, paragraph by paragraph."""

from __future__ import annotations

import random
import time

import pytest

from sandbox.compare import compare

CLAUSE = "The Tenant shall pay the Rent on the usual quarter days without any deduction whatsoever."


def both(paragraphs: list[list[tuple[str, str]]]) -> tuple[list[str], list[str]]:
    """The two texts that a comparison is of."""

    def side(kind: str) -> list[str]:
        texts = ("".join(text for each, text in parts if each in {"same", kind}) for parts in paragraphs)
        return [text for text in texts if text]

    return side("del"), side("ins")


def test_a_changed_word_is_one_deletion_and_one_insertion() -> None:
    (parts,) = compare([CLAUSE], [CLAUSE.replace("quarter", "month")])
    assert parts == [
        ("same", "The Tenant shall pay the Rent on the usual "),
        ("del", "quarter"),
        ("ins", "month"),
        ("same", " days without any deduction whatsoever."),
    ]


def test_words_between_two_changes_are_read_with_them() -> None:
    (parts,) = compare(
        ["Rent of one hundred pounds a year is due."], ["Rent of two thousand pounds a month is due."]
    )
    assert parts == [
        ("same", "Rent of "),
        ("del", "one hundred pounds a year"),
        ("ins", "two thousand pounds a month"),
        ("same", " is due."),
    ]


def test_paragraphs_are_inserted_deleted_and_kept() -> None:
    found = list(
        compare(["One.", CLAUSE, "Three."], ["One.", "Wholly different words are here", CLAUSE, "Four?"])
    )
    assert found == [
        [("same", "One.")],
        [("ins", "Wholly different words are here")],
        [("same", CLAUSE)],
        [("del", "Three.")],
        [("ins", "Four?")],
    ]


def test_a_paragraph_changed_beside_an_inserted_one_is_compared_with_its_own_version() -> None:
    found = list(
        compare([CLAUSE], ["Rent is reviewed every fifth year of the Term.", CLAUSE.replace("Rent", "Rents")])
    )
    assert found[0] == [("ins", "Rent is reviewed every fifth year of the Term.")]
    assert [kind for kind, _ in found[1]] == ["same", "del", "ins", "same"]


@pytest.mark.parametrize(("old", "new"), [([], []), ([], ["x"]), (["x"], []), (["x"], ["x"])])
def test_empty_texts(old: list[str], new: list[str]) -> None:
    assert both(list(compare(old, new))) == (old, new)


def test_both_texts_can_be_read_from_any_comparison() -> None:
    chance = random.Random(18)
    words = ["rent", "tenant", "landlord", "shall", "pay", "the", "a", "of", "term", "—", "£5,000"]
    for _ in range(200):
        old = [" ".join(chance.choices(words, k=chance.randint(1, 12))) for _ in range(chance.randint(0, 12))]
        new = [
            " ".join(word for word in each.split() if chance.random() > 0.2) or "x"
            for each in old
            if chance.random() > 0.2
        ]
        new.insert(chance.randint(0, len(new)), "something new")
        assert both(list(compare(old, new))) == (old, new)


def test_a_hundred_pages_with_a_change_in_every_paragraph_are_quick() -> None:
    chance = random.Random(7)
    words = [f"word{number}" for number in range(3000)]
    old = [" ".join(chance.choices(words, k=45)) for _ in range(1200)]
    new = [f"{each} and more" for each in old]
    started = time.process_time()
    assert len(list(compare(old, new))) == 1200
    assert time.process_time() - started < 3
