"""Numbers of iManage's beyond 32 bits, from the list to the table, on whichever database the tests run."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import BigInteger

from imanage import profiles
from imanage.ids import MAX_NUMBER, VersionId
from models import db
from services.transfers import bulk_save, update_check
from services.transfers.bulk_save import SaveManyCommand
from simulator import Document
from tests.support.transfers import (
    Desk,
    add_version,
    carry_all,
    get,
    items_of,
    links,
    save,
    sha256,
)


@pytest.fixture(params=[2_147_483_655, MAX_NUMBER])
def late(desk: Desk, request: pytest.FixtureRequest) -> Document:
    """A document whose number no column of four bytes holds."""
    world = desk.practice.world
    usual = world.next_number("Active", request.param)
    drafts, name = world.folder("Drafts", "Active"), f"Letter {request.param}"
    made = world.add_document(drafts, name, "docx", b"Dear all", "ALICE")
    world.next_number("Active", usual)
    return made


def test_it_is_listed_got_checked_and_saved_onto(desk: Desk, late: Document) -> None:
    twin = VersionId("Active", late.number, 1)
    drafts = desk.practice.world.folder("Drafts", "Active")
    address = f"/matters/{desk.matter_id}/browse/{desk.server.id}"

    def listed() -> str:
        return desk.browser.post(address, {"step": f"f:{drafts.id}:Drafts"}, htmx=True).get_data(as_text=True)

    assert str(late.number) in listed()

    (got,) = carry_all(get(desk, str(twin)))
    assert got.state == "done", got.error_sentence
    assert got.document_id is not None
    assert links()[0].number == late.number
    assert str(late.number) in listed()
    assert str(late.number) in desk.browser.page(f"/documents/{got.document_id}").text
    assert late.latest.name in update_check.check(desk.actor, desk.matter_id, got.document_id).sentence

    for number, target in enumerate(("new_version", "replace"), 1):
        add_version(desk, got.document_id, b"Dear all, %d" % number)
        there = str(links()[-1].version)
        (item,) = carry_all(save(desk, got.document_id, target, f"{twin.document}.{there}"))
        assert item.state == "done", item.error_sentence
        latest = desk.practice.world.named(late.latest.name).latest
        assert (latest.number, latest.content.sha256) == (2, sha256(b"Dear all, %d" % number))
    assert {link.number for link in links()} == {late.number}
    assert desk.browser.get(f"/transfers/{items_of(item.transfer_id)[0].transfer_id}").status_code == 200

    add_version(desk, got.document_id, b"Dear all, again")
    many = SaveManyCommand(uuid.uuid4(), desk.matter_id, desk.server.id, (got.document_id,), onto_twins=True)
    (item,) = carry_all(bulk_save.start(desk.actor, many))
    assert (item.state, item.based_on) == ("done", 2), item.error_sentence


def test_what_the_reader_takes_its_columns_hold() -> None:
    foreign = {("link", "number"), ("link", "version"), ("link", "latest_version")}
    foreign |= {("transfer_item", "based_on"), ("transfer_item", "size"), ("transfer_item", "bytes_done")}
    for table, column in foreign:
        assert isinstance(db.metadata.tables[table].c[column].type, BigInteger), f"{table}.{column}"


@pytest.mark.parametrize("given", [MAX_NUMBER + 1, str(MAX_NUMBER + 1), 10**30, "9" * 5000, -1, True])
def test_a_number_that_no_column_would_hold_is_none(given: object) -> None:
    assert profiles.number({"size": given}, "size") is None
    assert profiles.document_or_none({"id": f"Active!{given}.1", "version": given}) is None


def test_the_largest_is_taken() -> None:
    assert profiles.number({"size": MAX_NUMBER}, "size") == MAX_NUMBER
    found = profiles.document_or_none({"id": f"Active!{MAX_NUMBER}.{MAX_NUMBER}"})
    assert found is not None
    assert found.id == VersionId("Active", MAX_NUMBER, MAX_NUMBER)
