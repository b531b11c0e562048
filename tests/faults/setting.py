"""A transfer before it runs: documents on both sides, the request, and the faults."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models import TransferItem
from services.core.unit_of_work import session
from services.servers import transport
from services.transfers import bulk_save
from services.transfers.bulk_save import SaveManyCommand
from simulator import Fault, Simulator
from simulator.state import Request
from simulator.values import Container, Document
from tests.faults.scenario import GET, NEW_DOCUMENT, Cell
from tests.support.fault_proxy import FaultProxy
from tests.support.transfers import (
    Desk,
    add_version,
    carry_out,
    get,
    items_of,
    versions,
)

MANY = 3
SIZE = 200_000


@dataclass
class Setting:
    """The initial state of a cell."""

    desk: Desk
    cell: Cell
    proxy: FaultProxy
    names: dict[str, str]
    folder_here: Path
    setenv: Callable[[str, str], None]
    folder: Container = field(init=False)
    contents: list[bytes] = field(default_factory=list)
    twins: list[str] = field(default_factory=list)
    documents: list[uuid.UUID] = field(default_factory=list)
    items: list[uuid.UUID] = field(default_factory=list)
    calls: dict[uuid.UUID, list[Request]] = field(default_factory=dict)
    transfer: uuid.UUID = field(init=False)
    before: Counter[str] = field(default_factory=Counter)
    theirs: set[str] = field(default_factory=set)
    """Checksums of documents that others add to iManage meanwhile."""
    server_id: uuid.UUID = field(init=False)

    def __post_init__(self) -> None:
        # Read once: a session must not be used by several threads.
        self.server_id = self.desk.server.id

    @property
    def practice(self) -> Simulator:
        return self.desk.practice

    @property
    def kind(self) -> str:
        return self.cell.kind

    @property
    def is_get(self) -> bool:
        return self.kind == GET

    @property
    def count(self) -> int:
        return MANY if self.cell.is_many else 1

    def prepare(self, size: int = SIZE) -> None:
        """Create the documents on both sides."""
        world = self.practice.world
        workspace = next(
            each for each in world.containers("Active") if each.kind == "workspace" and each.owner == "ALICE"
        )
        self.folder = world.add_folder(workspace, f"Matrix {uuid.uuid4().hex[:8]}", owner="ALICE")
        self.contents = [self._bytes(n, size) for n in range(self.count)]
        if self.kind == NEW_DOCUMENT:
            self.documents = [
                self.desk.add_document(f"Deed {n}.docx", content) for n, content in enumerate(self.contents)
            ]
            return
        there = self.contents if self.is_get else [b"as it was %d" % n for n in range(self.count)]
        for n, content in enumerate(there):
            document = world.add_document(self.folder, f"Deed {n}", "docx", content, "ALICE")
            self.twins.append(document.id())
        if not self.is_get:
            for item in items_of(get(self.desk, *self.twins)):
                carry_out(item.id)
            session().rollback()
            by_name = sorted(versions(), key=lambda version: version.file_name)
            self.documents = [version.document_id for version in by_name]
            for document_id, content in zip(self.documents, self.contents, strict=True):
                add_version(self.desk, document_id, content)

    def _bytes(self, n: int, size: int) -> bytes:
        line = f"{self.cell.id} {uuid.uuid4().hex} {n}\n".encode()
        return (line * (size // len(line) + 1))[:size]

    def begin(self) -> None:
        """Create the transfer, as the button does."""
        self.begin_by(self._press)

    def begin_by(self, press: Callable[[], uuid.UUID]) -> None:
        self.before = self._there()
        self.transfer = press()
        self.items = [item.id for item in items_of(self.transfer)]
        self.calls = {item: [] for item in self.items}

    def _press(self) -> uuid.UUID:
        if self.is_get:
            return get(self.desk, *self.twins)
        return bulk_save.start(
            self.desk.actor,
            SaveManyCommand(
                uuid.uuid4(),
                self.desk.matter_id,
                self.server_id,
                tuple(self.documents),
                onto_twins=self.kind != NEW_DOCUMENT,
                folder_id=self.folder.id,
            ),
        )

    def settled(self) -> None:
        """Wait until iManage has no call in progress, after a client has gone."""
        deadline = time.monotonic() + 5
        while any(entry.seconds == 0.0 for entry in list(self.practice._state.log)):
            assert time.monotonic() < deadline, "a call is still under way"
            time.sleep(0.005)

    def drop_lines(self) -> None:
        """Drop pooled connections, so that the next call connects again."""
        for _changed, outbound in transport._sessions.values():
            outbound.close()

    def row(self, item_id: uuid.UUID) -> TransferItem:
        session().rollback()
        return session().get_one(TransferItem, item_id)

    def rows(self) -> list[TransferItem]:
        return [self.row(item) for item in self.items]

    def states(self) -> list[str]:
        return [item.state for item in self.rows()]

    def dial(self, kind: str, *, where: str = "content", **more: Any) -> Fault:
        """Add a fault for the calls that transfer content, or for those that only read; if many: only the first."""
        times = more.pop("times", 1 if self.cell.is_many else None)
        method = "GET"
        if where == "content":
            method, path = ("GET", "/download") if self.is_get else ("POST", r"/(documents|versions)$")
        elif where == "asking":
            path = (
                r"/documents/[^/]+$" if self.is_get else r"/(children|documents|versions)(\?|$)|/documents/"
            )
        elif where == "token":
            method, path = "POST", "/auth/oauth2/token"
        else:
            method, path = "", where
        fault = Fault(kind, method=method, path=path, times=times, **more)
        return self.practice.faults.add(fault)

    def document(self, twin: str) -> Document:
        """The current state of a document in iManage, by its id."""
        library, _, rest = twin.partition("!")
        found = self.practice.world.document(library, int(rest.partition(".")[0]))
        assert found is not None
        return found

    def _there(self) -> Counter[str]:
        documents = self.practice.world.documents_in(self.folder)
        found: Counter[str] = Counter()
        for document in documents:
            found.update(version.content.sha256 for version in document.versions)
        return found

    def there(self, digest: str) -> int:
        """How many copies of this content were added to the folder in iManage."""
        return (self._there() - self.before)[digest]
