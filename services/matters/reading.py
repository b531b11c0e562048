"""Versions read on the page: two compared word by word, and pages of PDFs and images.

Files are read in a sandboxed process, a few at a time. Results are not kept: reading again takes a second or two.
"""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import IO, Any

import structlog

from sandbox import process
from services.access import rate_limits
from services.core import audit
from services.core.actor import Actor
from services.core.errors import RefusedError, TooManyError
from services.core.runtime import runtime
from services.core.unit_of_work import release, unit_of_work
from services.guidance.refusals import refusal
from services.matters.versions import VersionView
from storage import StorageError

MAX_BYTES = 500_000_000
AT_ONCE = 2
WAIT_SECONDS = 5
CONTEXT = 2
"""Unchanged paragraphs shown before and after a change; longer runs of them are folded."""

log = structlog.get_logger()
_slots = threading.BoundedSemaphore(AT_ONCE)


@dataclass(frozen=True)
class Part:
    """A piece of a paragraph. `kind`: same, del or ins. `change`: the number of the change that begins here, or 0."""

    kind: str
    text: str
    change: int = 0


@dataclass(frozen=True)
class Block:
    """Paragraphs that follow one another; a folded block has no change."""

    paragraphs: tuple[tuple[Part, ...], ...]
    is_folded: bool = False


@dataclass(frozen=True)
class Comparison:
    """`insertions` and `deletions` count words. `tracked`: the versions that contain tracked changes."""

    blocks: tuple[Block, ...]
    changes: int
    insertions: int
    deletions: int
    tracked: tuple[int, ...]


@dataclass(frozen=True)
class Page:
    """A page as a WebP image, with its text."""

    number: int
    pages: int
    width: int
    height: int
    text: str
    image: bytes


def compare(actor: Actor, old: VersionView, new: VersionView) -> Comparison:
    """Raises RefusedError with the sentence to show. Audited."""
    for version in (old, new):
        if not version.may_compare:
            raise _refusal("type", "compare", version)
    found = json.loads(_run(actor, "compare", (old, new)))
    _audit(actor, "version.compared", new, with_version=old.number, with_sha256=old.sha256)
    blocks = tuple(_folded(list(_numbered(found["paragraphs"]))))
    parts = [part for block in blocks for paragraph in block.paragraphs for part in paragraph]
    return Comparison(
        blocks=blocks,
        changes=max((part.change for part in parts), default=0),
        insertions=_words(parts, "ins"),
        deletions=_words(parts, "del"),
        tracked=tuple(
            version.number
            for version, is_tracked in zip((old, new), found["tracked"], strict=True)
            if is_tracked
        ),
    )


def page(actor: Actor, version: VersionView, number: int) -> Page:
    """The page of this number, or the nearest. Raises RefusedError with the sentence to show. Audited."""
    if not version.may_preview:
        raise _refusal("type", "preview", version)
    facts, _, image = _run(actor, "preview", (version,), page=number).partition(b"\n")
    found = json.loads(facts)
    _audit(actor, "version.previewed", version, page=found["page"])
    return Page(number=found.pop("page"), image=image, **found)


def _run(actor: Actor, task: process.Task, versions: Sequence[VersionView], **options: Any) -> bytes:
    rate_limits.require(actor.person_id, rate_limits.VIEWS)
    for version in versions:
        if version.size > MAX_BYTES:
            raise _refusal("too_large", task, version)
    release()
    if not _slots.acquire(timeout=WAIT_SECONDS):
        raise refusal(TooManyError, "view.busy")
    try:
        with ExitStack() as opened:
            files = [opened.enter_context(_file(version.sha256)) for version in versions]
            return process.run(task, files, **options)
    except process.SandboxError as error:
        log.info("view.refused", task=task, code=error.code, detail=error.detail)
        only = versions[0] if len(versions) == 1 else None
        raise _refusal(error.code, task, only if error.file is None else versions[error.file]) from error
    except StorageError as error:
        raise refusal(RefusedError, error.code) from error
    finally:
        _slots.release()


@contextmanager
def _file(sha256: str) -> Iterator[IO[bytes]]:
    """The blob as a file on this machine: itself, or a copy that has no name."""
    with runtime().blobs.open(sha256) as reader:
        if reader.file is not None:
            yield reader.file
            return
        with tempfile.TemporaryFile() as copy:
            for chunk in reader:
                copy.write(chunk)
            copy.flush()
            yield copy


def _refusal(code: str, task: str, version: VersionView | None) -> RefusedError:
    file = f"Version {version.number} ({version.file_name})" if version else "One of these files"
    return refusal(RefusedError, f"view.{code}", task, file=file)


def _audit(actor: Actor, action: str, version: VersionView, **detail: Any) -> None:
    with unit_of_work():
        audit.record(
            actor,
            action,
            version.document_name,
            subject_id=version.document_id,
            matter_id=version.matter_id,
            version=version.number,
            sha256=version.sha256,
            **detail,
        )


def _numbered(paragraphs: Sequence[Sequence[Sequence[str]]]) -> Iterator[tuple[Part, ...]]:
    """Changes with nothing unchanged between them are one change."""
    number, is_inside = 0, False
    for paragraph in paragraphs:
        parts = []
        for kind, text in paragraph:
            is_first = kind != "same" and not is_inside
            is_inside = kind != "same"
            number += is_first
            parts.append(Part(kind, text, number if is_first else 0))
        yield tuple(parts)


def _folded(paragraphs: Sequence[tuple[Part, ...]]) -> Iterator[Block]:
    """Unchanged paragraphs away from any change are folded, unless they are few."""
    near = {
        index + distance
        for index, parts in enumerate(paragraphs)
        if any(part.kind != "same" for part in parts)
        for distance in range(-CONTEXT, CONTEXT + 1)
    }
    for is_near, numbered in groupby(enumerate(paragraphs), key=lambda each: each[0] in near):
        run = tuple(parts for _, parts in numbered)
        yield Block(run, is_folded=not is_near and len(run) > CONTEXT)


def _words(parts: Sequence[Part], kind: str) -> int:
    return sum(len(part.text.split()) for part in parts if part.kind == kind)
