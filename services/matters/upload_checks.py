"""Checks of files by name and size, before they are uploaded."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence

from services.access import permissions
from services.core.actor import Actor
from services.core.errors import InvalidError
from services.core.runtime import runtime
from services.core.text.file_names import clean_file_name, same_name_key, visible
from services.core.text.normalise import bytes_in_words
from services.core.unit_of_work import session
from services.matters import documents
from services.matters.adding import require_free
from services.matters.uploads import EMPTY, require_space

FileList = Sequence[tuple[str, int]]
"""Files by name and size in bytes, as reported by the browser."""


def of_documents(actor: Actor, matter_id: uuid.UUID, files: FileList) -> list[str]:
    """A sentence for each file that cannot become a document of the matter; empty if all can."""
    permissions.require_change_documents(actor, matter_id)
    seen: set[str] = set()

    def check(name: str) -> None:
        require_free(session(), actor, matter_id, name, "file")
        if same_name_key(name) in seen:
            raise InvalidError({"file": f"Two of these files are named {name}. Choose one of them."})
        seen.add(same_name_key(name))

    return _problems(actor, matter_id, files, check)


def of_version(actor: Actor, document_id: uuid.UUID, files: FileList) -> list[str]:
    """The same for the next version of a document, which may have any valid name."""
    matter_id = documents.find(actor, document_id).matter_id
    permissions.require_change_documents(actor, matter_id)
    return _problems(actor, matter_id, files, lambda name: None)


def _problems(actor: Actor, matter_id: uuid.UUID, files: FileList, check: Callable[[str], None]) -> list[str]:
    problems = []
    for name, size in files:
        try:
            _require_size(size)
            check(clean_file_name(name).full)
        except InvalidError as refusal:
            problems.append(f"{visible(name)}: {refusal.sentence}" if len(files) > 1 else refusal.sentence)
    if not problems:
        try:
            require_space(actor, matter_id, sum(size for _, size in files))
        except InvalidError as refusal:
            problems.append(refusal.sentence)
    return problems


def _require_size(size: int) -> None:
    largest = runtime().settings.max_document_bytes
    if not size:
        raise InvalidError({"file": EMPTY})
    if size > largest:
        raise InvalidError({"file": f"This file is larger than the limit of {bytes_in_words(largest)}."})
