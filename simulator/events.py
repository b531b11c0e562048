"""The log of changes behind `change-events`: what happened to documents and containers while the server ran."""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from simulator.values import Container, Document, Key, object_id

KEPT = 100_000
_ACTIONS = (
    "insert update delete profile_update security_update document_link document_unlink container_link "
    "container_unlink container_move declared undeclared restored_from_trash purged_from_trash"
)
ACTIONS = frozenset(_ACTIONS.split())
ITEM_TYPES = frozenset(["document", "container", "user", "group", "worklist"])


@dataclass(frozen=True)
class Event:
    number: int
    library: str
    action: str
    item_type: str
    object_id: str
    related: str
    root: str
    at: datetime


class Events:
    """Numbers only rise, also across restarts, so that a cursor from before a restart skips nothing."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque(maxlen=KEPT)
        self._numbers = itertools.count(int(time.time() * 1000))

    def __iter__(self) -> Iterator[Event]:
        return iter(list(self._events))

    def add_container(self, action: str, one: Container, related: Key | None = None) -> None:
        self._add(one.library, action, "container", one.id, related, one.workspace)

    def add_document(
        self, action: str, one: Document, related: Key | None = None, root: int | None = None
    ) -> None:
        self._add(one.library, action, "document", one.id(), related, root)

    def _add(
        self, library: str, action: str, item_type: str, name: str, related: Key | None, root: int | None
    ) -> None:
        related_id = object_id(related) if related else ""
        root_id = "" if root is None else object_id((library, root))
        number, at = next(self._numbers), datetime.now(UTC)
        self._events.append(Event(number, library, action, item_type, name, related_id, root_id, at))


def container_changes(old: Container | None, new: Container | None) -> Iterator[tuple[str, Key | None]]:
    """The actions that a stored container means, each with the key of a related object."""
    if new is None:
        yield "delete", None
    elif old is None:
        yield "insert", None
    else:
        if old.parent != new.parent and new.parent is not None:
            yield "container_move", (new.library, new.parent)
        if old.security != new.security:
            yield "security_update", None
        if (old.name, old.description, old.custom) != (new.name, new.description, new.custom):
            yield "profile_update", None


def document_changes(old: Document | None, new: Document) -> Iterator[tuple[str, Key | None]]:
    """The actions that a stored document means, each with the key of a related folder."""
    before = set(old.folders) if old else set()
    if old is None:
        yield "insert", None
    elif old.versions != new.versions:
        same = [v.content for v in old.versions] == [v.content for v in new.versions]
        yield "profile_update" if same else "update", None
    if old and old.security != new.security:
        yield "security_update", None
    if old and old.declared != new.declared:
        yield "declared" if new.declared else "undeclared", None
    for number in sorted(set(new.folders) - before):
        yield "document_link", (new.library, number)
    for number in sorted(before - set(new.folders)):
        yield "document_unlink", (new.library, number)
