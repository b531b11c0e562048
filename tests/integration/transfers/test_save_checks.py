"""What is known before the first byte is said in the pop-up of Save, and a press that ignores it starts nothing."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import func, select

from models import Link, Transfer
from services.core.errors import InvalidError
from services.core.unit_of_work import session, unit_of_work
from services.transfers import bulk_save
from services.transfers.bulk_save import SaveManyCommand
from simulator import Fault
from simulator.values import Lock
from tests.support.pages import Page, read
from tests.support.transfers import (
    Desk,
    add_version,
    carry_all,
    drafts_id,
    get,
    got_document,
    items_of,
    sha256,
)


def twin(desk: Desk, extension: str = "docx") -> tuple[uuid.UUID, str]:
    """A document of its own there, got and changed here since; its id here and there."""
    world = desk.practice.world
    name = f"Deed {uuid.uuid4().hex[:8]}"
    there = world.add_document(world.folder("Drafts", "Active"), name, extension, name.encode(), "ALICE")
    (item,) = carry_all(get(desk, there.id()))
    assert item.document_id is not None
    add_version(desk, item.document_id, f"{name}, changed here".encode())
    return item.document_id, there.id()


def check(desk: Desk, document_id: uuid.UUID, target: str = "new_version") -> Page:
    address = f"/documents/{document_id}/save/{desk.server.id}/check?target={target}"
    return desk.browser.page(address, htmx=True)


def press(desk: Desk, document_id: uuid.UUID, target: str, **more: object) -> tuple[int, Page | uuid.UUID]:
    """Save here, as the pop-up sends it: the answer's status, and the page that came or the transfer that began."""
    address = f"/documents/{document_id}/save/{desk.server.id}"
    page = desk.browser.page(address, htmx=True)
    sent = {name: page.value_of(name) for name in ("request_key", "name")} | {"target": target} | more
    if target != "new_document":
        sent["twin"] = page.value_of("twin")
    answer = desk.browser.post(address, sent, htmx=True)
    if "HX-Redirect" in answer.headers:
        return answer.status_code, uuid.UUID(answer.headers["HX-Redirect"].rsplit("/", 1)[-1])
    assert answer.headers["HX-Retarget"] == "#picker-problems"
    return answer.status_code, read(answer, whole=False)


def saves() -> int:
    session().rollback()
    return session().scalar(select(func.count()).where(Transfer.kind == "save")) or 0


@pytest.mark.parametrize("target", ["new_version", "replace"])
def test_moved_on_is_told_with_its_choice(desk: Desk, target: str) -> None:
    document_id, there = twin(desk)
    document = desk.practice.world.document(*_key(desk, there))
    desk.practice.world.add_version(document, b"theirs", "BRAM")
    page = check(desk, document_id, target)
    assert "iManage has a newer version" in page.text and "Get version 2 first" in page.text
    status, answer = press(desk, document_id, target)
    assert status == 422 and isinstance(answer, Page) and "iManage has a newer version" in answer.text
    assert saves() == 0
    accepts = [each["value"] for each in page.controls if each.get("name") == "accept"]
    if target == "replace":
        assert accepts == [] and "Replacing it would overwrite version 2." in page.text
        return
    status, transfer_id = press(desk, document_id, target, accept=accepts)
    assert status == 204 and isinstance(transfer_id, uuid.UUID)
    (item,) = carry_all(transfer_id)
    assert (item.state, item.based_on) == ("done", 2), item.error_sentence
    assert len(desk.practice.world.document(*_key(desk, there)).versions) == 3


def test_one_more_version_after_the_choice_asks_again(desk: Desk) -> None:
    document_id, there = twin(desk)
    for content in (b"theirs", b"theirs again"):
        desk.practice.world.add_version(desk.practice.world.document(*_key(desk, there)), content, "BRAM")
    status, _ = press(desk, document_id, "new_version", accept="moved_on-2")
    assert status == 422 and saves() == 0


@pytest.mark.parametrize("target", ["new_version", "replace"])
def test_checked_out_says_by_whom_and_nothing_is_pushed(desk: Desk, target: str) -> None:
    document_id, there = twin(desk)
    document = desk.practice.world.document(*_key(desk, there))
    desk.practice.world.set_lock(document, Lock("CAROL", document.versions[0].created))
    page = check(desk, document_id, target)
    assert "Checked out by" in page.text and "It was checked out" in page.text
    status, answer = press(desk, document_id, target)
    assert status == 422 and isinstance(answer, Page) and "Checked out by" in answer.text
    assert saves() == 0
    desk.practice.world.set_lock(document, Lock("ALICE", document.versions[0].created))
    assert "Checked out" not in check(desk, document_id, target).text


def test_bytes_that_are_the_latest_there_are_not_saved_again(desk: Desk) -> None:
    document_id, there = twin(desk)
    add_version(desk, document_id, desk.practice.world.document(*_key(desk, there)).latest.name.encode())
    for target in ("new_version", "replace"):
        assert "There is nothing to save" in check(desk, document_id, target).text
        status, answer = press(desk, document_id, target)
        assert (
            status == 422 and isinstance(answer, Page) and answer.text.count("There is nothing to save") == 1
        )
    assert saves() == 0


def test_another_type_is_saved_only_on_purpose(desk: Desk) -> None:
    document_id, _ = twin(desk, "xlsx")
    page = check(desk, document_id)
    assert "This file is .docx and the document in iManage is .xlsx" in page.text
    assert press(desk, document_id, "new_version")[0] == 422
    assert saves() == 0
    status, transfer_id = press(desk, document_id, "new_version", accept="other_type")
    assert status == 204 and isinstance(transfer_id, uuid.UUID)
    assert [item.state for item in carry_all(transfer_id)] == ["done"]


def test_lost_and_forbidden_twins_are_told(desk: Desk) -> None:
    document_id, there = twin(desk)
    desk.practice.world.remove_document(desk.practice.world.document(*_key(desk, there)))
    assert "The document is no longer in iManage" in check(desk, document_id).text
    assert press(desk, document_id, "new_version")[0] == 422
    assert saves() == 0


@pytest.mark.parametrize(("kept", "badge"), [("lost", "Lost"), ("forbidden", "No access")])
def test_a_twin_out_of_reach_leaves_only_a_new_document(desk: Desk, kept: str, badge: str) -> None:
    document_id, _ = twin(desk)
    address = f"/documents/{document_id}/save/{desk.server.id}"
    assert ways(desk.browser.page(address, htmx=True)) == (["new_version"], [])
    with unit_of_work() as writing:
        for link in writing.query(Link).filter_by(document_id=document_id):
            link.state = kept
    page = desk.browser.page(address, htmx=True)
    assert ways(page) == (["new_document"], ["new_version", "replace"]) and badge in page.text
    # iManage shows it after all, to this person: the ways are drawn again, and the choice stays as it was.
    assert ways(check(desk, document_id, "new_document")) == (["new_document"], [])


def test_a_twin_that_was_lost_since_takes_the_choice_back(desk: Desk) -> None:
    document_id, there = twin(desk)
    assert ways(check(desk, document_id)) == ([], [])
    desk.practice.world.remove_document(desk.practice.world.document(*_key(desk, there)))
    assert ways(check(desk, document_id)) == (["new_document"], ["new_version", "replace"])


def ways(page: Page) -> tuple[list[str], list[str]]:
    """The ways to save that are chosen, and those that cannot be pressed."""
    found = [each for each in page.controls if each.get("name") == "target"]
    return (
        [each["value"] for each in found if "checked" in each],
        [each["value"] for each in found if "disabled" in each],
    )


def test_where_imanage_cannot_be_asked_the_last_check_is_shown(desk: Desk) -> None:
    document_id, _ = twin(desk)
    desk.practice.faults.add(Fault("status", path="/documents/", status=500, times=None))
    page = check(desk, document_id)
    assert "We could not check with iManage" in page.text and "Changed here" in page.text


def test_a_name_that_imanage_does_not_take_stays_in_its_field_with_one_that_it_takes(desk: Desk) -> None:
    document_id = desk.add_document("Lease.docx", b"lease")
    more = {"folder": drafts_id(desk), "name": "a/b:c*?"}
    status, answer = press(desk, document_id, "new_document", **more)
    assert status == 422 and isinstance(answer, Page)
    assert "iManage does not accept / : * ? in a name." in answer.text
    assert answer.value_of("name") == "a/b:c*?" and "Use “a_b_c__”" in answer.text
    assert saves() == 0
    status, transfer_id = press(desk, document_id, "new_document", **more | {"name": "a_b_c__.docx"})
    assert status == 204 and isinstance(transfer_id, uuid.UUID)
    assert [item.name for item in items_of(transfer_id)] == ["a_b_c__.docx"]


def test_a_file_without_a_type_is_given_one_in_the_pop_up(desk: Desk) -> None:
    document_id = desk.add_document("README", b"read me")
    more = {"folder": drafts_id(desk), "name": "Read me v1.2"}
    assert (
        "needs one, such as pdf"
        in desk.browser.page(f"/documents/{document_id}/save/{desk.server.id}", htmx=True).text
    )
    status, answer = press(desk, document_id, "new_document", **more)
    assert status == 422 and isinstance(answer, Page) and "iManage needs a file type" in answer.text
    assert saves() == 0
    status, transfer_id = press(desk, document_id, "new_document", **more, extension=".txt")
    assert status == 204 and isinstance(transfer_id, uuid.UUID)
    (item,) = carry_all(transfer_id)
    assert (item.state, item.name) == ("done", "Read me v1.2.txt"), item.error_sentence
    assert desk.practice.world.named("Read me v1.2").latest.extension == "txt"


def test_an_empty_file_is_refused_whichever_way_it_goes(desk: Desk) -> None:
    """The same rule as for an upload, before the first byte."""
    document_id = desk.add_document("Empty.docx", b"")
    status, answer = press(desk, document_id, "new_document", folder=drafts_id(desk))
    assert status == 422 and isinstance(answer, Page) and "0 bytes" in answer.text
    assert saves() == 0
    empty = desk.practice.world.named("Empty file")
    (item,) = carry_all(get(desk, empty.id()))
    assert item.state == "failed" and "empty (0 bytes) in iManage" in item.error_sentence
    assert item.document_id is None


def test_of_many_each_row_names_its_problems(desk: Desk) -> None:
    moved, moved_there = twin(desk)
    held, held_there = twin(desk)
    other, _ = twin(desk, "xlsx")
    fine, _ = twin(desk)
    typeless, empty = desk.add_document("README", b"read me"), desk.add_document("Empty.docx", b"")
    world = desk.practice.world
    world.add_version(world.document(*_key(desk, moved_there)), b"theirs", "BRAM")
    locked = world.document(*_key(desk, held_there))
    world.set_lock(locked, Lock("CAROL", locked.versions[0].created))
    url = f"/matters/{desk.matter_id}/save-many/{desk.server.id}"
    page = read(
        desk.browser.post(
            f"{url}/check",
            {"document": [str(each) for each in (moved, held, other, fine, typeless, empty)]},
            htmx=True,
        ),
        whole=False,
    )
    for words in (
        "5 documents will be left out",
        "iManage has a newer version, 2",
        "checked out by",
        "is .xlsx in iManage",
        "no file type: rename it first",
        "empty",
        "Save 1 of them on top of the newer versions in iManage anyway",
        "Save 1 of them as a different file type from the one in iManage anyway",
    ):
        assert words in page.text, words
    assert [each["value"] for each in page.controls if each.get("name") == "held"] == [str(held)]
    ids = (moved, held, other, fine, typeless, empty)

    def save(*accepted: str) -> list[tuple[uuid.UUID | None, int | None]]:
        command = SaveManyCommand(
            uuid.uuid4(), desk.matter_id, desk.server.id, ids, True, accepted=accepted, held=(held,)
        )
        return [(item.document_id, item.based_on) for item in items_of(bulk_save.start(desk.actor, command))]

    assert save() == [(fine, 1)]
    assert set(save("moved_on", "other_type")) == {(fine, 1), (moved, 2), (other, 1)}
    with pytest.raises(InvalidError, match="None of these can be saved this way"):
        bulk_save.start(
            desk.actor,
            SaveManyCommand(
                uuid.uuid4(), desk.matter_id, desk.server.id, (held, typeless, empty), True, held=(held,)
            ),
        )


def test_the_picker_says_which_documents_are_empty(desk: Desk) -> None:
    folder = desk.practice.world.folder("Odd files").id
    address = f"/matters/{desk.matter_id}/browse/{desk.server.id}"
    page = read(desk.browser.post(address, {"step": f"f:{folder}:Odd"}, htmx=True), whole=False)
    assert "You cannot get an empty file." in page.text
    empty = desk.practice.world.named("Empty file").id()
    assert ["disabled" in each for each in page.controls if each.get("value") == empty] == [True]


def _key(desk: Desk, there: str) -> tuple[str, int]:
    library, _, rest = there.partition("!")
    return library, int(rest.partition(".")[0])


def test_the_same_press_again_finds_its_transfer_though_the_bytes_are_there_by_now(desk: Desk) -> None:
    document_id, _ = got_document(desk)
    add_version(desk, document_id, uuid.uuid4().bytes)
    address = f"/documents/{document_id}/save/{desk.server.id}"
    page = desk.browser.page(address, htmx=True)
    sent = {name: page.value_of(name) for name in ("request_key", "name", "twin")} | {"target": "new_version"}
    first = desk.browser.post(address, sent, htmx=True).headers["HX-Redirect"]
    carry_all(uuid.UUID(first.rsplit("/", 1)[-1]))
    assert desk.browser.post(address, sent, htmx=True).headers["HX-Redirect"] == first


def test_a_document_that_was_replaced_there_by_these_bytes_is_the_same(desk: Desk) -> None:
    content = uuid.uuid4().bytes
    document_id, _ = twin(desk)
    add_version(desk, document_id, content)
    status, transfer_id = press(desk, document_id, "replace")
    assert status == 204 and isinstance(transfer_id, uuid.UUID)
    (item,) = carry_all(transfer_id)
    assert (item.state, item.sha256) == ("done", sha256(content)), item.error_sentence
    assert "There is nothing to save" in check(desk, document_id).text
