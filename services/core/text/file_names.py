"""File names: which are accepted unchanged, which are refused, and how a name from another system is adapted.

A name is never a path here (blobs are stored under their SHA-256), but it becomes one on the disk of the person who
downloads it. A name that file systems refuse, or that displays as another, is refused; all others stay as they are.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from dataclasses import dataclass

from services.core.errors import InvalidError
from services.core.text.normalise import normalise, search_fold

LONGEST = 240
MAX_BYTES = 255
FORBIDDEN = frozenset('\\/:*?"<>|')
RESERVED = frozenset(
    {"CON", "PRN", "AUX", "NUL", "CLOCK$", "CONIN$", "CONOUT$"}
    | {f"{port}{digit}" for port in ("COM", "LPT") for digit in "0123456789¹²³"}
)
INVISIBLE = frozenset({"Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
JOINERS = frozenset("\u200c\u200d")
DEFAULT_STEM = "Document"
KEY = 400


@dataclass(frozen=True)
class FileName:
    """`extension` has no dot and is empty if the name has none; `full` is the name itself."""

    stem: str
    extension: str
    full: str


def clean_file_name(raw: str, field: str = "file") -> FileName:
    """The name, unchanged. Raises InvalidError for `field`: a name is never corrected silently."""
    if problem := _problem(raw):
        raise InvalidError({field: problem})
    return split(raw)


def split(full: str) -> FileName:
    """Split at the last dot, unless it is the first character: `.profile` has no extension."""
    stem, dot, extension = full.rpartition(".")
    if not dot or not stem or not extension:
        return FileName(full, "", full)
    return FileName(stem, extension, full)


def adapt(raw: str) -> FileName:
    """The nearest acceptable name for a name from another system. Compare `full` to see whether it changed."""
    kept = "".join("_" if _is_unusable(raw, at) else raw[at] for at in range(len(raw)))
    parts = split(kept.strip(" ").rstrip(". "))
    suffix = f".{parts.extension}" if parts.extension else ""
    stem = parts.stem
    if stem.partition(".")[0].rstrip(" ").upper() in RESERVED:
        stem = f"_{stem}"
    return split(fitted(stem or DEFAULT_STEM, suffix))


def fitted(stem: str, suffix: str) -> str:
    """`stem` + `suffix`, cut at the end of the stem to the maximum length."""
    if len(suffix) > LONGEST // 2 or len(suffix.encode()) > MAX_BYTES // 2:
        stem, suffix = stem + suffix, ""
    while len(stem) + len(suffix) > LONGEST or len((stem + suffix).encode()) > MAX_BYTES:
        stem = stem[:-1].rstrip(". ")
    return (stem or DEFAULT_STEM) + suffix


def visible(name: str) -> str:
    """A name for display, with invisible and direction-changing characters as `[U+202E]`."""
    return "".join(
        f"[U+{ord(character):04X}]"
        if unicodedata.category(character) == "Cc" or _is_invisible(name, at)
        else character
        for at, character in enumerate(name)
    )


def numbered(name: FileName, number: int) -> str:
    """`Lease.docx` as `Lease (2).docx`."""
    return fitted(name.stem, f" ({number})" + (f".{name.extension}" if name.extension else ""))


def free_of(name: str, taken: Collection[str]) -> str:
    """The name, numbered where another has its key (same_name_key)."""
    free, number = name, 1
    while same_name_key(free) in taken:
        number += 1
        free = numbered(split(name), number)
    return free


def search_key(full: str) -> str:
    """The search key of a name; cut, because one character can fold into eighteen."""
    return search_fold(full)[:KEY]


def same_name_key(full: str) -> str:
    """Equal for names that look the same: ignores letter case and Unicode composition."""
    return normalise("NFC", normalise("NFC", full).casefold())


def _problem(raw: str) -> str:
    """Why the name is refused, as a sentence; empty if it is accepted."""
    if not raw.strip():
        return "This file has no name. Rename it and choose it again."
    if found := next((character for character in raw if unicodedata.category(character) == "Cc"), None):
        return (
            f"The file name contains a control character (U+{ord(found):04X}). Rename the file and try again."
        )
    if any(_is_invisible(raw, at) for at in range(len(raw))):
        return (
            "The file name contains an invisible character, such as a direction mark. "
            "Rename the file and try again."
        )
    if found := " ".join(dict.fromkeys(character for character in raw if character in FORBIDDEN)):
        return f"A file name cannot contain {found}. Rename the file and try again."
    if raw != raw.strip(" ") or raw.endswith("."):
        return "A file name cannot start or end with a space, or end with a full stop. Rename the file and try again."
    if len(raw) > LONGEST or len(raw.encode()) > MAX_BYTES:
        return (
            f"The file name is too long: {len(raw)} characters. "
            f"Use {LONGEST} or fewer, and fewer still in scripts other than Latin."
        )
    reserved = raw.partition(".")[0].rstrip(" ")
    if reserved.upper() in RESERVED:
        return f"Windows reserves the name {reserved}. Rename the file and try again."
    return ""


def _is_invisible(raw: str, at: int) -> bool:
    """Joiners belong to Persian, Hindi and other scripts; after a Latin letter they only disguise a name."""
    if raw[at] in JOINERS:
        return at == 0 or raw[at - 1].isascii()
    return unicodedata.category(raw[at]) in INVISIBLE


def _is_unusable(raw: str, at: int) -> bool:
    return raw[at] in FORBIDDEN or unicodedata.category(raw[at]) == "Cc" or _is_invisible(raw, at)
