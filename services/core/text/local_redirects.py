"""Redirect targets after signing in: a path of this installation, never another site (open redirect)."""

from __future__ import annotations

import unicodedata
from urllib.parse import unquote, urlsplit

MAX_LENGTH = 500
MAX_DECODINGS = 3


def local_path(text: str | None) -> str | None:
    """The text if every browser reads it as a path of this site; else None."""
    if not text or len(text) > MAX_LENGTH:
        return None
    seen = text
    for _ in range(MAX_DECODINGS):
        if not _is_local(seen):
            return None
        decoded = unquote(seen)
        if decoded == seen:
            return text
        seen = decoded
    return None


def _is_local(text: str) -> bool:
    """Browsers read a backslash as a slash and drop tabs and line breaks, so none of them is allowed."""
    if not text.startswith("/") or text.startswith("//") or "\\" in text:
        return False
    if any(unicodedata.category(character).startswith(("C", "Z")) and character != " " for character in text):
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return not parts.scheme and not parts.netloc and "//" not in parts.path
