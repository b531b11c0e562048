"""The steps of a get: fetch the bytes into the store, then land version and link in one commit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from copying import copy as copying_copy
from copying.endpoints.imanage_endpoint import ImanageSource
from copying.errors import EmptyContentError
from copying.values import Fetched, SourceFacts
from imanage.client import Client
from imanage.downloads import Download
from imanage.ids import VersionId
from imanage.types import Document as RemoteDocument
from models import Member, TransferItem
from services.connections import clients
from services.core.actor import Actor
from services.core.runtime import runtime
from services.core.unit_of_work import release, session, unit_of_work
from services.execution import landing, maintenance
from services.execution.item_run import ItemRun, fresh
from services.execution.tasks import partial_tokens
from services.matters import quotas
from services.scanning import scan
from services.servers import circuit_breaker
from services.transfers import requests
from services.transfers.link_facts import facts_of
from services.transfers.states import ItemState, move
from storage import BlobWriter, PartialBusyError, StorageFullError

SMALL = 4 << 20
"""Bytes that are sooner fetched again than put on record before they land."""


def fetch(run: ItemRun) -> str | None:
    """Copy the bytes, compare them with the profile, publish them. What is small lands in the same commit."""
    task = run.task
    assert task.server_id is not None
    described: list[RemoteDocument] = []

    def copy(client: Client, place: int = 1) -> Fetched:
        try:
            return copying_copy.fetch(
                _Described(client, run, described),
                runtime().blobs,
                partial_tokens(task.id)[place - 1],
                on_progress=run.on_progress,
                should_stop=run.should_stop(),
                inspect=lambda whole: _inspect(run, whole, described[-1]),
            )
        except PartialBusyError:
            # Who was replaced still holds what came so far, and may be frozen: nobody waits for it to wake.
            if place == len(partial_tokens(task.id)):
                raise
            return copy(client, place + 1)

    try:
        with run.placed():
            fetched = clients.with_client(task.member_id, task.server_id, copy, line=run.line)
    except Exception as error:
        if isinstance(error, StorageFullError):
            maintenance.forget_ended_gets()
        if described:
            with unit_of_work(relaxed_durability=True):
                _name(fresh(run), described[-1])
        raise
    _require_bytes(fetched.size)
    facts = facts_of(run.line.endpoints, described[-1])
    if run.in_one_go and fetched.size <= SMALL:
        run.require_allowed(is_stored=True)
        landing.land(run, fetched.sha256, fetched.size, facts)
        return None
    with unit_of_work(relaxed_durability=True):
        item = fresh(run)
        _name(item, described[-1])
        item.sha256, item.size, item.bytes_done = fetched.sha256, fetched.size, fetched.size
        circuit_breaker.record_success(task.server_id)
        item.receipt = facts
        requests.clear_error(item)
        move(item, ItemState.RUNNING)
    return "land"


def land(run: ItemRun) -> None:
    """The version row and its link appear in one commit, and the item is done in the same."""
    item = fresh(run)
    sha256, size, facts = item.sha256, item.size or 0, item.receipt or {}
    release()
    landing.land(run, sha256, size, facts)


def _inspect(run: ItemRun, whole: BlobWriter, document: RemoteDocument) -> None:
    """iManage has said all; the virus scanner may take its time."""
    if runtime().settings.scan:
        run.leave_place()
        task = run.task
        member = session().get_one(Member, task.member_id)
        asker = Actor(member.id, member.name, member.email, is_guest=member.is_guest)
        scan.inspect(asker, whole, document.full_name, task.matter_id, server_id=task.server_id)


def _require_bytes(size: int | None) -> None:
    """One rule whichever way a file comes: an empty one is no document."""
    if size == 0:
        raise EmptyContentError


def _name(item: TransferItem, document: RemoteDocument) -> None:
    item.name, item.size = document.full_name[:300], document.size


class _Described(ImanageSource):
    """Puts a large document's name on the row as soon as iManage has told it; a small one is soon here whole.

    When the last byte has come, its place is another's: hashing, flushing and publishing need none.
    """

    def __init__(self, client: Client, run: ItemRun, described: list[RemoteDocument]) -> None:
        super().__init__(client, cast(VersionId, run.task.source))
        self._running = run
        self._described = described

    def describe(self) -> SourceFacts:
        facts = super().describe()
        assert self.document is not None
        self._described.append(self.document)
        _require_bytes(facts.size)
        task = self._running.task
        quotas.require_room(task.matter_id, task.member_id, facts.size or 0, item_id=task.id)
        release()
        if facts.size is None or facts.size > SMALL:
            with unit_of_work(relaxed_durability=True):
                _name(fresh(self._running), self.document)
        return facts

    @contextmanager
    def open(self, offset: int = 0) -> Iterator[Download]:
        with super().open(offset) as stream:
            yield stream
        self._running.leave_place()
