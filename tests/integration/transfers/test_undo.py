"""Undoing a transfer: what goes, what stays and why, two people at once, a crash, and a thousand documents."""

from __future__ import annotations

import time
import uuid

import pytest
from flask import Flask
from sqlalchemy import insert, select, update

from models import AuditEvent, Document, Transfer, TransferItem, Version, new_id, utcnow
from services.core.actor import Actor
from services.core.errors import ConflictError, ForbiddenError
from services.core.unit_of_work import session, unit_of_work
from services.matters import documents, exposure, participants, recycle_bin, versions
from services.transfers import undo
from services.transfers.undo import Result
from tests.support.concurrency import at_once
from tests.support.matters import current_version
from tests.support.people import actor_of, make_member
from tests.support.transfer_rows import make_transfer
from tests.support.transfers import Desk, add_version, carry_all, drafts_id, get, save

NAMES = ("SPA – Project Heron", "Lease of the wharf", "Schedule 1")


def made(desk: Desk, *names: str) -> list[str]:
    """The ids of fresh documents in iManage."""
    folder = desk.practice.world.folder("Drafts", "Active")
    return [
        desk.practice.world.add_document(folder, name, "docx", f"{name} {uuid.uuid4()}".encode(), "BRAM").id()
        for name in names
    ]


def results(actor: Actor, transfer_id: uuid.UUID) -> dict[str, Result]:
    rows = undo.preview(actor, transfer_id).rows
    return {row.name: row.result for of_one in rows.values() for row in of_one}


def names(desk: Desk) -> set[str]:
    session().rollback()
    return {row.name for row in documents.of_matter(desk.actor, desk.matter_id).rows}


def number(document_id: uuid.UUID) -> int:
    return session().get_one(Version, current_version(document_id), populate_existing=True).number


def test_new_documents_go_to_the_bin_and_what_was_used_stays(desk: Desk) -> None:
    bank = make_member("Gina Bank", organisation="Harbour Bank", is_guest=True)
    participants.add(desk.actor, desk.matter_id, bank.id, "viewer")
    sources = made(desk, "Plain", "Edited", "Shown", "Saved", "Binned", "Released")
    transfer_id = get(desk, *sources)
    items = carry_all(transfer_id)
    plain, edited, shown, saved, binned, released = [item.document_id for item in items if item.document_id]
    add_version(desk, edited, b"our changes")
    version_ids = [item.version_id for item in items if item.version_id]
    exposure.release(desk.actor, desk.matter_id, [v for v in version_ids if v != version_ids[0]])
    with unit_of_work() as writing:  # as if they had never been held
        writing.execute(
            update(Version)
            .where(Version.id.in_(version_ids[:5]))
            .values(released_at=None, released_by_id=None)
        )
    guest = actor_of(bank)
    seen = versions.require(guest, current_version(shown))
    versions.send(guest, seen, 0, seen.size).close()
    save(desk, saved, "new_document", drafts_id(desk))
    recycle_bin.remove_document(desk.actor, binned)
    assert results(desk.actor, transfer_id) == {
        "Plain.docx": Result.REMOVED,
        "Edited.docx": Result.EDITED,
        "Shown.docx": Result.SHOWN,
        "Saved.docx": Result.SAVED,
        "Binned.docx": Result.GONE,
        "Released.docx": Result.SHOWN,
    }
    page = desk.browser.page(f"/transfers/{transfer_id}/undo")
    assert "Kept: changed since" in page.text and "Moved to the bin" in page.text
    assert desk.browser.post(f"/transfers/{transfer_id}/undo").status_code == 303
    assert names(desk) == {"Edited.docx", "Shown.docx", "Saved.docx", "Released.docx"}
    page = desk.browser.page(f"/transfers/{transfer_id}")
    assert "Undone" in page.text and "Associate Alice undid this transfer" in page.text
    assert "a newer version had been added" in page.text
    event = session().query(AuditEvent).filter_by(action="transfer.undone").one()
    assert (event.detail["removed"], len(event.detail["kept"])) == (1, 5)
    with pytest.raises(ConflictError, match="already undone"):
        undo.undo(desk.actor, transfer_id)
    recycle_bin.restore_document(desk.actor, plain)
    assert "Plain.docx" in names(desk)
    assert released


def test_a_new_version_is_taken_back_and_the_earlier_one_is_current_again(desk: Desk) -> None:
    world = desk.practice.world
    (source,) = made(desk, "Lease of the yard")
    (item,) = carry_all(get(desk, source))
    document_id = item.document_id
    assert document_id is not None
    first = current_version(document_id)
    add_version(desk, document_id, b"ours")
    versions.make_current(desk.actor, first)
    there = world.document(*_key(source))
    newer = world.add_version(there, b"Bram's", "BRAM")
    transfer_id = get(desk, newer.id(), document_id=document_id)
    carry_all(transfer_id)
    assert number(document_id) == 3
    assert results(desk.actor, transfer_id) == {"Lease of the yard.docx": Result.TAKEN_BACK}
    assert undo.undo(desk.actor, transfer_id) == 1
    assert number(document_id) == 1, "The one that was current before, which was not the newest."
    rows = {row.number: row for row in versions.history(desk.actor, document_id).rows}
    assert sorted(rows) == [1, 2, 3] and rows[3].held and not rows[1].held
    document = session().get_one(Document, document_id, populate_existing=True)
    assert document.guest_version_id != rows[3].id
    assert "Newer in iManage" in desk.browser.page(f"/matters/{desk.matter_id}").text
    carry_all(get(desk, newer.id(), document_id=document_id))
    assert number(document_id) == 4, "It can be got again."


def _key(source: str) -> tuple[str, int]:
    library, _, rest = source.partition("!")
    return library, int(rest.partition(".")[0])


def test_transfers_are_undone_one_after_the_other(desk: Desk) -> None:
    world = desk.practice.world
    (source,) = made(desk, "Deed")
    first = get(desk, source)
    (item,) = carry_all(first)
    newer = world.add_version(world.document(*_key(source)), b"Bram's", "BRAM")
    second = get(desk, newer.id(), document_id=item.document_id)
    carry_all(second)
    assert results(desk.actor, first) == {"Deed.docx": Result.EDITED}
    undo.undo(desk.actor, second)
    assert results(desk.actor, first) == {"Deed.docx": Result.REMOVED}
    undo.undo(desk.actor, first)
    assert names(desk) == set()


def test_two_people_undo_at_once_and_a_crash_leaves_nothing(
    desk: Desk, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source,) = made(desk, "Deed")
    transfer_id = get(desk, source)
    carry_all(transfer_id)
    viewer = make_member("Vic Viewer")
    participants.add(desk.actor, desk.matter_id, viewer.id, "viewer")
    with pytest.raises(ForbiddenError):
        undo.undo(actor_of(viewer), transfer_id)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(recycle_bin, "remove_documents", _die)
        with pytest.raises(KeyboardInterrupt):
            undo.undo(desk.actor, transfer_id)
    session().rollback()
    assert names(desk) == {"Deed.docx"}
    outcomes = at_once(app, *[lambda: undo.undo(desk.actor, transfer_id)] * 2)
    assert sorted(type(each).__name__ for each in outcomes) == ["ConflictError", "int"]
    assert names(desk) == set()


def _die(*_arguments: object) -> None:
    raise KeyboardInterrupt


def test_only_a_get_of_the_last_thirty_days_is_undone(desk: Desk) -> None:
    (source,) = made(desk, "Deed")
    transfer_id = get(desk, source)
    carry_all(transfer_id)
    assert ">Undo<" in desk.browser.get(f"/transfers/{transfer_id}").get_data(as_text=True).replace("\n", "")
    with unit_of_work() as writing:
        writing.get_one(Transfer, transfer_id).finished_at = utcnow() - undo.KEPT
    with pytest.raises(ConflictError, match="30 days"):
        undo.undo(desk.actor, transfer_id)
    document_id = desk.add_document("Deed (2).docx", b"deed")
    saved = save(desk, document_id, "new_document", drafts_id(desk))
    carry_all(saved)
    page = desk.browser.page(f"/transfers/{saved}/undo")
    assert "Counterpart does not delete anything in iManage" in page.text and "Active" in page.text
    with pytest.raises(ConflictError):
        undo.undo(desk.actor, saved)


def test_a_thousand_documents_are_undone_within_ten_seconds(desk: Desk) -> None:
    """Half of them are new documents, half are new versions."""
    transfer_id = make_transfer(desk.actor.id, desk.matter_id, desk.server.id, ["done"] * 1000)
    items = list(session().scalars(select(TransferItem.id).where(TransferItem.transfer_id == transfer_id)))
    session().rollback()
    with unit_of_work() as writing:
        for index, item_id in enumerate(items):
            id = new_id()
            name = f"Document {index}.docx"
            writing.execute(
                insert(Document).values(
                    id=id, matter_id=desk.matter_id, name=name, name_key=name, created_by_id=desk.actor.id
                )
            )
            made_ids = []
            for version_number in range(1, 2 + index % 2):
                made_ids.append(new_id())
                writing.execute(
                    insert(Version).values(
                        id=made_ids[-1],
                        document_id=id,
                        number=version_number,
                        sha256="0" * 64,
                        size=1,
                        file_name=name,
                        origin="imanage",
                        created_by_id=desk.actor.id,
                    )
                )
            newest = {"current_version_id": made_ids[-1], "guest_version_id": made_ids[-1]}
            writing.execute(update(Document).where(Document.id == id).values(newest))
            writing.execute(
                update(TransferItem)
                .where(TransferItem.id == item_id)
                .values(document_id=id, version_id=made_ids[-1], outcome="added")
            )
    began = time.perf_counter()
    assert undo.undo(desk.actor, transfer_id) == 1000
    assert time.perf_counter() - began < 10
    session().rollback()
    assert session().query(Document).filter_by(matter_id=desk.matter_id).count() == 500
    assert session().query(Version).filter(Version.held_at.is_not(None)).count() == 500
