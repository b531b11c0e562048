"""Where a person may be sent back to after signing in: a path of this installation, never another site."""

from __future__ import annotations

import unicodedata
from urllib.parse import unquote, urlsplit

LONGEST = 500
DECODINGS = 3


def local_path(text: str | None) -> str | None:
    """The text where it is a path that every browser keeps on this site, None where any might read it otherwise."""
    if not text or len(text) > LONGEST:
        return None
    seen = text
    for _ in range(DECODINGS):
        if not _stays_here(seen):
            return None
        decoded = unquote(seen)
        if decoded == seen:
            return text
        seen = decoded
    return None


def _stays_here(text: str) -> bool:
    """Browsers read a backslash as a slash and drop tabs and line ends, so neither may stand anywhere."""
    if not text.startswith("/") or text.startswith("//") or "\\" in text:
        return False
    if any(unicodedata.category(character).startswith(("C", "Z")) and character != " " for character in text):
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return not parts.scheme and not parts.netloc and "//" not in parts.path
