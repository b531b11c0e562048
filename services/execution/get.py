"""Get one document: fetch its bytes into the store, then land version and link in one commit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from copying import copy as copying_copy
from copying.errors import EmptyContentError, StoppedError, TransferError
from copying.imanage_endpoint import ImanageSource
from copying.values import Fetched, SourceFacts
from imanage.client import Client
from imanage.downloads import Download
from imanage.ids import VersionId
from imanage.types import Document as RemoteDocument
from models import TransferItem
from services.core.runtime import runtime
from services.core.unit_of_work import release, unit_of_work
from services.execution import landing, maintenance
from services.execution.item_run import ItemRun, actor_of, current, partial_tokens
from services.matters import quotas
from services.scanning import scan
from services.servers import circuit_breaker
from services.transfers import lifecycle, signed_rows
from services.transfers.link_facts import facts_of
from services.transfers.states import ItemState, move
from storage import BlobWriter, PartialBusyError, StorageFullError

SMALL_BYTES = 4 << 20
"""Up to this size a download is repeated after a crash rather than recorded in a commit of its own."""


def fetch(run: ItemRun) -> str | None:
    """Copy the bytes, compare them with the profile, publish them. A small document lands at once."""
    task = run.task
    assert task.server_id is not None
    described: list[RemoteDocument] = []

    def copy(client: Client, attempt: int = 1) -> Fetched:
        try:
            return copying_copy.fetch(
                _Described(client, run, described),
                runtime().blobs,
                partial_tokens(task.id)[attempt - 1],
                on_progress=run.on_progress,
                should_stop=run.should_stop(),
                inspect=lambda whole: _inspect(run, whole, described[-1]),
            )
        except PartialBusyError:
            # A worker that was replaced still holds the partial file and may be frozen, so it is not waited for.
            if attempt == len(partial_tokens(task.id)):
                raise
            return copy(client, attempt + 1)

    try:
        fetched = run.with_client(copy)
    except Exception as error:
        if isinstance(error, StorageFullError):
            maintenance.forget_ended_gets()
        if described:
            with unit_of_work(relaxed_durability=True):
                item = current(run)
                _name(item, described[-1])
                if isinstance(error, TransferError) and not isinstance(error, StoppedError):
                    item.listed = None  # The next attempt reads the profile.
        raise
    _require_bytes(fetched.size)
    facts = facts_of(run.cache.endpoints, described[-1])
    if fetched.size <= SMALL_BYTES:
        run.require_allowed(is_stored=True)
        landing.land(run, fetched.sha256, fetched.size, facts)
        return None
    with unit_of_work(relaxed_durability=True):
        item = current(run)
        _name(item, described[-1])
        item.sha256, item.size, item.bytes_done = fetched.sha256, fetched.size, fetched.size
        circuit_breaker.record_success(task.server_id)
        item.receipt = facts
        lifecycle.clear_error(item)
        move(item, ItemState.RUNNING)
    return "land"


def land(run: ItemRun) -> None:
    """Land what an earlier step fetched: version, link and the end of the item in one commit."""
    item = current(run)
    sha256, size, facts = item.sha256, item.size or 0, item.receipt or {}
    release()
    landing.land(run, sha256, size, facts)


def _inspect(run: ItemRun, whole: BlobWriter, document: RemoteDocument) -> None:
    """Have the whole file scanned. No slot is held while the scanner works."""
    if runtime().settings.scan:
        run.leave_slot()
        task = run.task
        scan.inspect(
            actor_of(task.member_id), whole, document.full_name, task.matter_id, server_id=task.server_id
        )


def _require_bytes(size: int | None) -> None:
    """An empty file is not a document, as in an upload."""
    if size == 0:
        raise EmptyContentError


def _name(item: TransferItem, document: RemoteDocument) -> None:
    item.name, item.size = document.full_name[:300], document.size


class _Described(ImanageSource):
    """Writes the name and size of a large document to its row as soon as iManage tells them.

    The slot is given back after the last byte: hashing, flushing and publishing need none.
    """

    def __init__(self, client: Client, run: ItemRun, described: list[RemoteDocument]) -> None:
        source = cast(VersionId, run.task.source)
        super().__init__(client, source, signed_rows.listed(source, run.task.listed))
        self._run = run
        self._described = described

    def describe(self) -> SourceFacts:
        facts = super().describe()
        assert self.document is not None
        self._described.append(self.document)
        _require_bytes(facts.size)
        task = self._run.task
        quotas.require_space(task.matter_id, task.member_id, facts.size or 0, item_id=task.id)
        release()
        if not facts.is_listed and (facts.size is None or facts.size > SMALL_BYTES):
            with unit_of_work(relaxed_durability=True):
                _name(current(self._run), self.document)
        return facts

    @contextmanager
    def open(self, offset: int = 0) -> Iterator[Download]:
        with super().open(offset) as stream:
            yield stream
        self._run.leave_slot()
