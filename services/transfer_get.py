"""The steps of a get: fetch the bytes into the store, then land version and link in one commit."""

from __future__ import annotations

import uuid

from sqlalchemy import Select, select

from imanage.client import Client
from imanage.types import Document as RemoteDocument
from models import Document, Link, Server, TransferItem, Version
from services import audit, connections, documents, duplicates, server_pauses, transfers
from services.house import house
from services.transfer_links import Facts, facts_of, link_to, member_of
from services.transfer_running import Running, fresh
from services.transfer_states import DONE, RUNNING, move
from services.unit import session, unit
from storage import PartialBusy
from transfers import copying
from transfers.endpoints.imanage_endpoint import ImanageSource
from transfers.items import Fetched, SourceFacts

SMALL = 4 << 20
"""Bytes that are sooner fetched again than put on record before they land."""
PLACES = 3
"""Where an item's bytes may be gathered: the next one while another process holds the one before."""


def fetch(running: Running) -> str | None:
    """Copy the bytes, compare them with the profile, publish them. What is small lands in the same commit."""
    item = fresh(running)
    source_id = item.source_id
    member_id, server_id = item.transfer.member_id, item.transfer.server_id
    assert server_id is not None
    if item.state != RUNNING:
        with unit(soon=True):
            move(fresh(running), RUNNING)
    described: list[RemoteDocument] = []

    def copy(client: Client, place: int = 1) -> Fetched:
        try:
            return copying.fetch(
                _Described(client, source_id, running, described),
                house().blobs,
                f"get-{running.item_id}" if place == 1 else f"get-{running.item_id}-{place}",
                on_progress=running.on_progress(),
                should_stop=running.should_stop(),
            )
        except PartialBusy:
            # Who was replaced still holds what came so far, and may be frozen: nobody waits for it to wake.
            if place == PLACES:
                raise
            return copy(client, place + 1)

    try:
        fetched = connections.with_client(member_id, server_id, copy)
    except Exception:
        if described:
            with unit(soon=True):
                _name(fresh(running), described[-1])
        raise
    with unit(soon=True):
        item = fresh(running)
        _name(item, described[-1])
        item.sha256, item.size, item.bytes_done = fetched.sha256, fetched.size, fetched.size
        server_pauses.note_success(server_id)
        item.receipt = facts_of(session().get_one(Server, server_id), described[-1])
        transfers.clear_error(item)
        if fetched.size > SMALL or not running.may_land_at_once():
            return "land"
        _land(item)
    return None


def _name(item: TransferItem, document: RemoteDocument) -> None:
    item.name, item.size = document.full_name[:300], document.size


class _Described(ImanageSource):
    """Puts a large document's name on the row as soon as iManage has told it; a small one is soon here whole."""

    def __init__(
        self, client: Client, source_id: str, running: Running, described: list[RemoteDocument]
    ) -> None:
        super().__init__(client, source_id)
        self._running = running
        self._described = described

    def describe(self) -> SourceFacts:
        facts = super().describe()
        assert self.document is not None
        self._described.append(self.document)
        if facts.size is None or facts.size > SMALL:
            with unit(soon=True):
                _name(fresh(self._running), self.document)
        return facts


def land(running: Running) -> None:
    """The version row and its link appear in one commit, and the item is done in the same."""
    with unit(soon=True):
        _land(fresh(running))


def _land(item: TransferItem) -> None:
    with unit() as writing:
        transfer = item.transfer
        server = writing.get_one(Server, transfer.server_id)
        facts: Facts = item.receipt or {}
        document_id = item.document_id or _twin_here(transfer.matter_id, server.id, facts)
        version = _same_here(document_id, item.sha256, server.id, facts)
        if version is None:
            document, version = documents.land(
                writing,
                transfer.matter_id,
                transfer.member_id,
                facts["full_name"],
                item.sha256,
                item.size or 0,
                document_id=document_id,
                note=f"From {server.name}: {facts['library']} {facts['number']} v{facts['version']}",
            )
            link_to(item, server, version, "got", facts)
            notice = duplicates.same_bytes_here(transfer.matter_id, item.sha256, document.id) or ""
        else:
            document = writing.get_one(Document, version.document_id)
            notice = f"This is version {version.number} here already, so nothing was added."
        item.document_id, item.version_id = document.id, version.id
        item.warnings = [notice] if notice else []
        move(item, DONE)
        transfers.clear_error(item)
        transfers.finish_if_over(transfer)
        audit.record(
            member_of(transfer),
            "transfer.got",
            f"{document.name} v{version.number}",
            subject_id=version.id,
            matter_id=transfer.matter_id,
            server_id=server.id,
            source=facts["id"],
            sha256=item.sha256,
            size=item.size,
            notice=notice,
        )


def _twin_here(matter_id: uuid.UUID, server_id: uuid.UUID, facts: Facts) -> uuid.UUID | None:
    """The document of this matter whose twin this is: got again, it becomes its next version, not a second copy."""
    return session().scalar(
        _links_of(server_id, facts)
        .join(Document, Document.id == Link.document_id)
        .where(Document.matter_id == matter_id)
        .with_only_columns(Link.document_id)
        .order_by(Link.created_at.desc())
        .limit(1)
    )


def _same_here(
    document_id: uuid.UUID | None, sha256: str, server_id: uuid.UUID, facts: Facts
) -> Version | None:
    """The version here that came from this very version there, with these very bytes."""
    if document_id is None:
        return None
    return session().scalar(
        select(Version)
        .join(Link, Link.version_id == Version.id)
        .where(
            Version.document_id == document_id,
            Version.sha256 == sha256,
            Link.id.in_(
                _links_of(server_id, facts).where(Link.version == facts["version"]).with_only_columns(Link.id)
            ),
        )
        .limit(1)
    )


def _links_of(server_id: uuid.UUID, facts: Facts) -> Select[Link]:
    return select(Link).where(
        Link.server_id == server_id,
        Link.library_key == str(facts["library"]).casefold(),
        Link.number == facts["number"],
        Link.ended_at.is_(None),
    )
