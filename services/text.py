"""Names that people type: cleaned, compared and searched the same way on every database."""

from __future__ import annotations

import unicodedata

ESCAPE = "\\"


def clean_line(text: str | None) -> str:
    """One line, NFC, outer and repeated blanks gone. Judges nothing; see hidden_characters()."""
    return " ".join(unicodedata.normalize("NFC", text or "").split())


def hidden_characters(text: str) -> bool:
    """Whether a name holds controls or direction marks, with which it could pass for another."""
    return any(
        unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for character in text
    )


def fold(text: str) -> str:
    """A key under which letter case and accents do not count."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return clean_line("".join(c for c in decomposed if not unicodedata.combining(c)))


def like_pattern(text: str) -> str:
    """A LIKE pattern that finds the text anywhere, its own wildcards taken literally (ESCAPE '\\')."""
    for character in (ESCAPE, "%", "_"):
        text = text.replace(character, ESCAPE + character)
    return f"%{text}%"


def search_words(text: str) -> list[str]:
    """What somebody typed into a search box, as the folded words that must all be found."""
    return fold(text[:200].replace("\0", " ")).split()[:12]
