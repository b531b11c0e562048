"""Reads pasted document numbers: from an email, a spreadsheet or the address bar. Pure, and linear in the length."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote

from imanage.ids import MAX_NUMBER

MOST = 10_000
LONGEST = 500
"""Characters kept of one text; no link to a document is longer."""
_SEPARATORS = str.maketrans(dict.fromkeys("\r\n\t,;|", "\n"))
_AROUND = " \xa0\"'“”‘’<>()[]{}#"
_LINK = "/link/d/"
_DIGITS = len(str(MAX_NUMBER))


@dataclass(frozen=True)
class Pasted:
    """One document. `number` is None for a text that is no number; `library`, `version` and `host` may be unknown.

    Equal if it is the same document and version, however it was written.
    """

    text: str = field(compare=False)
    number: int | None = None
    library: str = ""
    version: int | None = None
    host: str = ""

    @property
    def key(self) -> object:
        return (self.library.casefold(), self.number, self.version, self.host) if self.number else self.text


def parse(text: str) -> list[Pasted]:
    """The distinct documents in their order.

    Separated by lines, tabs, commas, semicolons or spaces: `104512`, `104512.3`, `Active!104512.3`, `Active 104512 v3`,
    links of the web client, and `iwl:` links.
    """
    found: dict[object, Pasted] = {}
    for piece in text.translate(_SEPARATORS).split("\n"):
        for each in _read(piece.strip(_AROUND)):
            found.setdefault(each.key, each)
    return list(found.values())


def _read(piece: str) -> Iterator[Pasted]:
    words = [word for word in (word.strip(_AROUND) for word in piece.split()) if word]
    if not words:
        return
    if named := _named(words):
        yield named
        return
    read = [_word(word) for word in words]
    if all(each.number for each in read):
        yield from read
    else:
        yield Pasted(" ".join(words)[:LONGEST])


def _named(words: list[str]) -> Pasted | None:
    """`Active 104512 v3` and `104512 v3`, as people and these pages write them."""
    *before, number, version = ("", *words)[-3:] if len(words) in {2, 3} else ("", "", "")
    parsed = _number(f"{number}.{version[1:]}") if version[:1] in {"v", "V"} else None
    if parsed is None or parsed[1] is None or not number.isdigit():
        return None
    return Pasted(" ".join(words), parsed[0], before[-1] if len(words) == 3 else "", parsed[1])


def _word(word: str) -> Pasted:
    host, rest = "", word
    if _LINK in word:
        before, _, rest = word.partition(_LINK)
        host = before.partition("://")[2].partition("/")[0].casefold()
        rest = unquote(_before(rest, "/?#&"))
    elif word[:4].casefold() == "iwl:":
        parts = (part.partition("=") for part in word[4:].split("&"))
        named = {name.casefold(): value for name, _, value in parts}
        host = named.get("dms", "").casefold()
        rest = f"{named.get('lib', '')}!{named.get('num', '')}.{named.get('ver', '')}"
    library, _, number = rest.rpartition("!")
    parsed = _number(number)
    if parsed is None:
        return Pasted(word[:LONGEST])
    return Pasted(word[:LONGEST], parsed[0], library, parsed[1], host)


def _number(text: str) -> tuple[int, int | None] | None:
    """Number and version of `104512`, `104512.3` or `104512v3`; a spreadsheet writes `104512.0`."""
    mark = "." if "." in text else "v"
    number, _, version = text.casefold().partition(mark)
    if not _is_number(number) or not (version == "" or _is_number(version)):
        return None
    return int(number), int(version or 0) or None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _DIGITS and int(text) <= MAX_NUMBER


def _before(text: str, marks: str) -> str:
    return text[: min((at for mark in marks if (at := text.find(mark)) >= 0), default=len(text))]
