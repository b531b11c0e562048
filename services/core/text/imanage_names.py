"""Names that a document can have in iManage. iManage publishes no limits: these are the usual ones of file names."""

from __future__ import annotations

import unicodedata

from services.core.text.file_names import FORBIDDEN, adapt

MAX_TYPE_LENGTH = 20


def name_problem(stem: str) -> str:
    """Why iManage would refuse this name (without its type), as a sentence; empty if it accepts it."""
    if not stem.strip(" ."):
        return "Enter a name."
    found = sorted({character for character in stem if character in FORBIDDEN}, key=stem.index)
    if found:
        return f"iManage does not accept {' '.join(found)} in a name."
    if any(unicodedata.category(character) == "Cc" for character in stem):
        return "iManage does not accept control characters in a name."
    return ""


def type_problem(extension: str) -> str:
    """The same for a type such as `pdf`, without its dot."""
    if not extension:
        return "iManage needs a file type, and this file has none. Enter one, such as pdf or docx."
    if not (extension.isascii() and extension.isalnum() and len(extension) <= MAX_TYPE_LENGTH):
        return "A file type can have only letters and digits, such as pdf or docx."
    return ""


def nearest(stem: str) -> str:
    """The nearest name that iManage accepts."""
    return adapt(f"{stem}.x").stem
