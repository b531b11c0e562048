"""No file uses a word that the project has replaced, but for those that are still to be cleaned."""

from __future__ import annotations

from tests.architecture.old_words import still, with_old_words

LIST = "tests/architecture/old_words.txt"


def test_no_other_file_uses_an_old_word() -> None:
    assert with_old_words() - still() == set(), "python -m tests.architecture.old_words FILE"


def test_a_cleaned_file_leaves_the_list() -> None:
    assert still() - with_old_words() == set(), "python -m tests.architecture.old_words --write"
