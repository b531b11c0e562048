"""Compares the texts of two files: by paragraph, then word by word within paragraphs that are alike."""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Hashable, Iterator, Sequence
from typing import IO

from rapidfuzz.distance import Indel
from rapidfuzz.process import extractOne

from sandbox import text
from sandbox.limits import RefusedFileError

SAME, DELETED, INSERTED = "same", "del", "ins"
Part = tuple[str, str]
"""SAME, DELETED or INSERTED, and the text."""
ALIKE = 0.45
"""Two paragraphs with at least this share of common words are versions of one."""
BAND = 30
"""How far from its expected position a paragraph's other version is looked for."""
SHORT_REMAINDER = 3
"""Fewer unchanged words between two changes than this are shown as changed, which reads better."""
_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
_WORD = re.compile(r"\w+")


def run(files: list[IO[bytes]]) -> bytes:
    """JSON: `paragraphs`, each a list of parts, and `tracked`, whether each file has tracked changes."""
    documents = []
    for index, file in enumerate(files):
        try:
            documents.append(text.read(file))
        except RefusedFileError as error:
            raise RefusedFileError(error.code, index) from None
        except MemoryError:
            raise RefusedFileError("too_large", index) from None
        except Exception:
            raise RefusedFileError("damaged", index) from None
    old, new = documents
    found = list(compare(old.paragraphs, new.paragraphs))
    facts = {"paragraphs": found, "tracked": [old.is_tracked, new.is_tracked]}
    return json.dumps(facts, ensure_ascii=False).encode()


def compare(old: Sequence[str], new: Sequence[str]) -> Iterator[list[Part]]:
    """The paragraphs of both, in order."""
    for tag, start, stop, new_start, new_stop in _opcodes(old, new):
        if tag == "equal":
            yield from ([(SAME, paragraph)] for paragraph in old[start:stop])
        else:
            yield from _changed(old[start:stop], new[new_start:new_stop])


def _opcodes(old: Sequence[Hashable], new: Sequence[Hashable]) -> Iterator[tuple[str, int, int, int, int]]:
    """Equal, and changed with what is deleted and inserted at the same position in one."""
    change: tuple[int, int, int, int] | None = None
    for each in Indel.opcodes(old, new):
        span = each.src_start, each.src_end, each.dest_start, each.dest_end
        if each.tag == "equal":
            if change:
                yield ("change", *change)
                change = None
            yield ("equal", *span)
        else:
            change = (change[0], span[1], change[2], span[3]) if change else span
    if change:
        yield ("change", *change)


def _changed(old: Sequence[str], new: Sequence[str]) -> Iterator[list[Part]]:
    at = new_at = 0
    for index, new_index in [*_pairs(old, new), (len(old), len(new))]:
        yield from ([(DELETED, paragraph)] for paragraph in old[at:index])
        yield from ([(INSERTED, paragraph)] for paragraph in new[new_at:new_index])
        if index < len(old):
            yield list(_words(_TOKEN.findall(old[index]), _TOKEN.findall(new[new_index])))
        at, new_at = index + 1, new_index + 1


def _pairs(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Paragraphs that are versions of one another, in the order of both."""
    words = [_WORD.findall(paragraph) for paragraph in new]
    alike = []
    for index, paragraph in enumerate(old):
        expected = index * len(new) // len(old)
        first = max(0, expected - BAND)
        found = extractOne(
            _WORD.findall(paragraph),
            words[first : expected + BAND],
            scorer=Indel.normalized_similarity,
            score_cutoff=ALIKE,
        )
        if found:
            alike.append((index, first + found[2]))
    return _increasing(alike)


def _increasing(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest selection in which the second numbers increase as the first ones do (patience sorting)."""
    ends: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for index, (_, number) in enumerate(pairs):
        at = bisect_left(ends, number)
        before.append(last[at - 1] if at else -1)
        ends[at : at + 1], last[at : at + 1] = [number], [index]
    chosen, index = [], last[-1] if last else -1
    while index >= 0:
        chosen.append(pairs[index])
        index = before[index]
    return chosen[::-1]


def _words(old: Sequence[str], new: Sequence[str]) -> Iterator[Part]:
    deleted: list[str] = []
    inserted: list[str] = []
    spans = list(_opcodes(old, new))
    for position, (tag, start, stop, new_start, new_stop) in enumerate(spans):
        is_between = 0 < position < len(spans) - 1
        is_short = len(_WORD.findall("".join(old[start:stop]))) < SHORT_REMAINDER
        if tag == "equal" and not (is_between and is_short):
            yield from _parts(deleted, inserted)
            yield SAME, "".join(old[start:stop])
            deleted, inserted = [], []
        else:
            deleted += old[start:stop]
            inserted += new[new_start:new_stop]
    yield from _parts(deleted, inserted)


def _parts(deleted: Sequence[str], inserted: Sequence[str]) -> Iterator[Part]:
    if deleted:
        yield DELETED, "".join(deleted)
    if inserted:
        yield INSERTED, "".join(inserted)
