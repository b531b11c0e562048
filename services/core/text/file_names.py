"""File names: which are kept exactly, which are refused with a sentence, and how a foreign one is made to fit.

A name is never a path here (bytes lie under their SHA-256), but it becomes one on the disk of whoever downloads it.
So a name that no disk takes, or that shows something other than what it is, is refused; all others stay byte for byte.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from services.core.errors import InvalidError
from services.core.text.normalise import normalise, search_fold

LONGEST = 240
LONGEST_BYTES = 255
FORBIDDEN = frozenset('\\/:*?"<>|')
RESERVED = frozenset(
    {"CON", "PRN", "AUX", "NUL", "CLOCK$", "CONIN$", "CONOUT$"}
    | {f"{port}{digit}" for port in ("COM", "LPT") for digit in "0123456789¹²³"}
)
UNSEEN = frozenset({"Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
JOINERS = frozenset("\u200c\u200d")
NAMELESS = "Document"
KEY = 400


@dataclass(frozen=True)
class FileName:
    """`extension` is without its dot, and empty where the name has none; `full` is the name itself."""

    stem: str
    extension: str
    full: str


def clean_file_name(raw: str, field: str = "file") -> FileName:
    """The name exactly as it came, or Invalid with the sentence for `field`. Nothing is ever mended silently."""
    if problem := _problem(raw):
        raise InvalidError({field: problem})
    return split(raw)


def split(full: str) -> FileName:
    """The last dot divides, unless it is the first character: `.profile` has no extension."""
    stem, dot, extension = full.rpartition(".")
    if not dot or not stem or not extension:
        return FileName(full, "", full)
    return FileName(stem, extension, full)


def adapt(raw: str) -> FileName:
    """The nearest name that we take, for a name that another system gave. Compare `full` to say what changed."""
    kept = "".join("_" if _is_foreign(raw, at) else raw[at] for at in range(len(raw)))
    parts = split(kept.strip(" ").rstrip(". "))
    suffix = f".{parts.extension}" if parts.extension else ""
    stem = parts.stem
    if stem.partition(".")[0].rstrip(" ").upper() in RESERVED:
        stem = f"_{stem}"
    return split(fitted(stem or NAMELESS, suffix))


def fitted(stem: str, suffix: str) -> str:
    """`stem` + `suffix` within the lengths we take, cut at the end of the stem."""
    if len(suffix) > LONGEST // 2 or len(suffix.encode()) > LONGEST_BYTES // 2:
        stem, suffix = stem + suffix, ""
    while len(stem) + len(suffix) > LONGEST or len((stem + suffix).encode()) > LONGEST_BYTES:
        stem = stem[:-1].rstrip(". ")
    return (stem or NAMELESS) + suffix


def visible(name: str) -> str:
    """A name to be read, with what would not be seen, or would disguise it, as `[U+202E]`."""
    return "".join(
        f"[U+{ord(character):04X}]"
        if unicodedata.category(character) == "Cc" or _is_unseen(name, at)
        else character
        for at, character in enumerate(name)
    )


def numbered(name: FileName, number: int) -> str:
    """`Lease.docx` as `Lease (2).docx`."""
    return fitted(name.stem, f" ({number})" + (f".{name.extension}" if name.extension else ""))


def search_key(full: str) -> str:
    """The key that names are looked up by; cut, because one character can fold into eighteen."""
    return search_fold(full)[:KEY]


def same_name_key(full: str) -> str:
    """Two names with one key are the same name to a person: letter case and composition do not count."""
    return normalise("NFC", normalise("NFC", full).casefold())


def _problem(raw: str) -> str:
    """Why this cannot be a file's name, as a sentence; empty where it can."""
    if not raw.strip():
        return "This file has no name. Give it one and choose it again."
    if found := next((character for character in raw if unicodedata.category(character) == "Cc"), None):
        return (
            f"The file's name holds a control character (U+{ord(found):04X}). Rename the file and try again."
        )
    if any(_is_unseen(raw, at) for at in range(len(raw))):
        return (
            "The file's name holds a character that cannot be seen, such as a direction mark. "
            "Rename the file and try again."
        )
    if found := " ".join(dict.fromkeys(character for character in raw if character in FORBIDDEN)):
        return f"A file's name cannot hold {found} here. Rename the file and try again."
    if raw != raw.strip(" ") or raw.endswith("."):
        return "A file's name cannot begin or end with a blank, or end with a dot. Rename the file and try again."
    if len(raw) > LONGEST or len(raw.encode()) > LONGEST_BYTES:
        return (
            f"The file's name is too long: {len(raw)} characters. "
            f"Use {LONGEST} or fewer, and fewer still in scripts other than Latin."
        )
    reserved = raw.partition(".")[0].rstrip(" ")
    if reserved.upper() in RESERVED:
        return f"Windows keeps the name {reserved} for itself. Rename the file and try again."
    return ""


def _is_unseen(raw: str, at: int) -> bool:
    """Joiners belong to Persian, Hindi and other scripts; after a Latin letter they only hide something."""
    if raw[at] in JOINERS:
        return at == 0 or raw[at - 1].isascii()
    return unicodedata.category(raw[at]) in UNSEEN


def _is_foreign(raw: str, at: int) -> bool:
    return raw[at] in FORBIDDEN or unicodedata.category(raw[at]) == "Cc" or _is_unseen(raw, at)
