"""No file uses a word that the project has replaced."""

from __future__ import annotations

from tests.architecture.old_words import old_words, read


def test_no_file_uses_an_old_word() -> None:
    found = [f"{name}:{number}: {word}" for name in read() for number, word, _line in old_words(name)]
    assert found == []
