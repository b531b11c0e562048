"""Many documents of a matter saved as one transfer: new versions of twins, new documents, and what is left out."""

from __future__ import annotations

import uuid
from dataclasses import replace
from io import BytesIO

import pytest
from sqlalchemy import select

from models import AuditEvent, TransferItem
from services.core.errors import InvalidError, NotFoundError
from services.core.unit_of_work import session
from services.matters import versions
from services.transfers import bulk_save
from services.transfers.bulk_save import SaveManyCommand
from tests.support.matters import add_twin
from tests.support.transfers import Desk, carry_all, items_of, make_matter, sha256


def drafts(desk: Desk) -> str:
    return desk.practice.world.folder("Drafts", "Active").id


def command(desk: Desk, *ids: uuid.UUID, onto_twins: bool = True, folder: str = "") -> SaveManyCommand:
    return SaveManyCommand(
        uuid.uuid4(), desk.matter_id, desk.server.id, ids, onto_twins, folder, "Closing set"
    )


def twin_of(desk: Desk, name: str, content: bytes) -> uuid.UUID:
    """A document here, saved once, and changed here since where there is other content."""
    document_id = desk.add_document(name, content)
    carry_all(bulk_save.start(desk.actor, command(desk, document_id, folder=drafts(desk))))
    return document_id


def change(desk: Desk, document_id: uuid.UUID, name: str, content: bytes) -> None:
    versions.add(desk.actor, document_id, name, BytesIO(content), "")


def test_new_documents_keep_their_names_and_go_into_one_folder(desk: Desk) -> None:
    ids = [desk.add_document(f"Closing {number}.docx", b"closing %d" % number) for number in range(3)]
    transfer_id = bulk_save.start(desk.actor, command(desk, *ids, folder=drafts(desk)))
    items = carry_all(transfer_id)
    assert [(item.state, item.target) for item in items] == [("done", "new_document")] * 3
    for number in range(3):
        made = desk.practice.world.named(f"Closing {number}")
        assert made.latest.extension.lower() == "docx" and "Closing set" in made.latest.comment
    event = session().scalars(select(AuditEvent).where(AuditEvent.action == "transfer.save_started")).one()
    assert event.detail["documents"] == [f"Closing {number}.docx" for number in range(3)]


def test_twins_get_new_versions_and_what_is_there_already_is_left_out(desk: Desk) -> None:
    changed, same = twin_of(desk, "Changed.docx", b"one"), twin_of(desk, "Same.docx", b"same")
    change(desk, changed, "Changed.docx", b"two")
    new = desk.add_document("Fresh.docx", b"fresh")
    picker = bulk_save.plan(desk.actor, desk.matter_id, desk.server.id, None)
    number = desk.practice.world.named("Changed").number
    shown = desk.browser.page(f"/matters/{desk.matter_id}/save-many/{desk.server.id}?all=1", htmx=True).text
    for said in (
        f"Changed.docx New version of {number}",
        "Fresh.docx New document",
        "Same.docx Already in iManage",
    ):
        assert said in shown
    assert (picker.twins, picker.there, picker.without_twin) == (2, 1, 1)
    items = carry_all(bulk_save.start(desk.actor, command(desk, changed, same, new, folder=drafts(desk))))
    assert [(item.name, item.state) for item in items] == [("Changed.docx", "done"), ("Fresh.docx", "done")]
    assert [version.number for version in desk.practice.world.named("Changed").versions] == [1, 2]
    assert [version.number for version in desk.practice.world.named("Same").versions] == [1]


def test_as_new_documents_everything_goes(desk: Desk) -> None:
    same = twin_of(desk, "Twice.docx", b"twice")
    items = carry_all(bulk_save.start(desk.actor, command(desk, same, onto_twins=False, folder=drafts(desk))))
    assert [(item.state, item.target) for item in items] == [("done", "new_document")]


def test_the_same_form_twice_makes_one_transfer(desk: Desk) -> None:
    asked = command(desk, desk.add_document("Once.docx", b"once"), folder=drafts(desk))
    assert bulk_save.start(desk.actor, asked) == bulk_save.start(desk.actor, asked)
    assert len(session().scalars(select(TransferItem)).all()) == 1


def test_what_cannot_be_is_refused_in_words(desk: Desk) -> None:
    there = twin_of(desk, "There.docx", b"there")
    new = desk.add_document("New.docx", b"new")
    for asked, sentence in (
        (command(desk), "Choose at least one document."),
        (command(desk, new), "Choose a folder for the new documents."),
        (command(desk, new, folder="../etc"), "id"),
        (command(desk, there), "All of these are already in iManage, unchanged."),
        (command(desk, there, onto_twins=False), "Choose a folder"),
    ):
        with pytest.raises(InvalidError, match=sentence):
            bulk_save.start(desk.actor, asked)


def test_more_than_one_transfer_takes_is_refused(desk: Desk) -> None:
    many = tuple(uuid.uuid4() for _ in range(501))
    with pytest.raises(InvalidError, match="500 documents or fewer"):
        bulk_save.start(desk.actor, command(desk, *many, folder=drafts(desk)))


def test_a_document_of_another_matter_is_not_there(desk: Desk) -> None:
    other = make_matter(desk.actor.id, "Other")
    theirs = replace(desk, matter_id=other).add_document("Theirs.docx", b"theirs")
    with pytest.raises(NotFoundError):
        bulk_save.start(desk.actor, command(desk, theirs, folder=drafts(desk)))


def test_onto_twins_alone_no_folder_is_needed_and_the_base_is_on_record(desk: Desk) -> None:
    document_id = desk.add_document("Lease.docx", b"lease")
    add_twin(document_id, desk.server.id, desk.actor.id)
    change(desk, document_id, "Lease.docx", b"lease 2")
    (item,) = items_of(bulk_save.start(desk.actor, command(desk, document_id)))
    assert (item.target, item.target_id, item.based_on) == ("new_version", "Active!104512.3", 3)


def test_the_pop_up_lists_what_becomes_of_each(desk: Desk) -> None:
    first = desk.add_document("First.docx", b"1")
    desk.add_document("Second.docx", b"2")
    add_twin(first, desk.server.id, desk.actor.id)
    desk.practice.forget_requests()
    url = f"/matters/{desk.matter_id}/save-many/{desk.server.id}"
    page = desk.browser.page(f"{url}?all=1", htmx=True)
    assert "First.docx Already in iManage" in page.text and "Second.docx New document" in page.text
    assert "1 of 2 is already in iManage" in page.text
    assert "1 without a twin will be saved as a new document" in page.text
    one = desk.browser.page(f"{url}?document={first}", htmx=True)
    assert "Second.docx" not in one.text
    assert desk.practice.requests == []
    assert desk.browser.get(f"{url}?document=nonsense", htmx=True).status_code == 404


def test_the_form_starts_a_transfer_of_what_it_names(desk: Desk) -> None:
    ids = [desk.add_document(f"{number}.docx", b"%d" % number) for number in range(2)]
    data = {
        "request_key": str(uuid.uuid4()),
        "target": "new_document",
        "folder": drafts(desk),
        "document": [str(each) for each in ids],
    }
    response = desk.browser.post(f"/matters/{desk.matter_id}/save-many/{desk.server.id}", data)
    assert response.status_code == 303
    items = items_of(uuid.UUID(response.headers["Location"].rpartition("/")[2]))
    assert {item.document_id for item in items} == set(ids)


def test_the_matters_page_offers_ticks_and_the_whole_matter(desk: Desk) -> None:
    document_id = desk.add_document("Lease.docx", b"lease")
    desk.add_document("Deed.docx", b"deed")
    page = desk.browser.page(f"/matters/{desk.matter_id}")
    ticks = [each["value"] for each in page.controls if each.get("name") == "document"]
    assert str(document_id) in ticks and len(ticks) == 2
    pop_up = desk.browser.page(f"/matters/{desk.matter_id}/save/{desk.server.id}", htmx=True)
    assert "The whole matter 2 documents" in pop_up.text


def test_saving_begun_at_the_matter_is_of_what_is_ticked_there(desk: Desk) -> None:
    ids = [str(desk.add_document(f"{number}.docx", b"%d" % number)) for number in range(3)]
    url = f"/matters/{desk.matter_id}/save/{desk.server.id}"
    response = desk.browser.get(f"{url}?document={ids[0]}&document={ids[2]}", htmx=True)
    onward = response.headers["Location"]
    assert response.status_code == 302
    assert onward.endswith(f"/save-many/{desk.server.id}?document={ids[0]}&document={ids[2]}")
    pop_up = desk.browser.page(onward, htmx=True)
    assert "0.docx" in pop_up.text and "2.docx" in pop_up.text and "1.docx" not in pop_up.text


def test_of_a_large_matter_those_come_first_that_are_not_in_imanage_yet(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_save, "MOST_DOCUMENTS", 2)
    for name in ("A.docx", "B.docx"):
        twin_of(desk, name, name.encode())
    for name in ("C.docx", "D.docx", "E.docx"):
        desk.add_document(name, name.encode())

    def pop_up() -> tuple[list[str], int]:
        picker = bulk_save.plan(desk.actor, desk.matter_id, desk.server.id, None)
        asked = [line.document_id for line in picker.documents]
        carry_all(bulk_save.start(desk.actor, command(desk, *asked, onto_twins=False, folder=drafts(desk))))
        return [line.name for line in picker.documents], picker.left

    url = f"/matters/{desk.matter_id}/save-many/{desk.server.id}?all=1"
    limit = "You can save 2 documents at once."
    assert f"{limit} Save again for the other 3." in desk.browser.page(url, htmx=True).text
    assert pop_up() == (["C.docx", "D.docx"], 3)
    assert pop_up() == (["A.docx", "E.docx"], 3)
    page = desk.browser.page(url, htmx=True)
    assert f"{limit} The other 3 are already in iManage and have not changed." in page.text
    assert "These documents are already in iManage, unchanged." in page.text


def test_latest_versions_are_replaced_but_never_one_that_has_moved_on(desk: Desk) -> None:
    mine, moved = twin_of(desk, "Mine.docx", b"mine 1"), twin_of(desk, "Moved.docx", b"moved 1")
    change(desk, mine, "Mine.docx", b"mine 2")
    change(desk, moved, "Moved.docx", b"moved 2")
    world = desk.practice.world
    world.add_version(world.named("Moved"), b"theirs", "BRAM")
    bulk_save.check(desk.actor, desk.matter_id, desk.server.id, [mine, moved])
    asked = replace(command(desk, mine, moved), replaces=True, accepted=("moved_on",))
    (item,) = carry_all(bulk_save.start(desk.actor, asked))
    assert (item.name, item.state, item.target) == ("Mine.docx", "done", "replace"), item.error_sentence
    (only,) = world.named("Mine").versions
    assert only.content.sha256 == sha256(b"mine 2")
    assert [each.content.sha256 for each in world.named("Moved").versions] == [
        sha256(b"moved 1"),
        sha256(b"theirs"),
    ]
