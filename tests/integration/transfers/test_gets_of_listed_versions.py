"""What the picker's list said of a version takes the place of its profile, and only while it is true and recent."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from models import Link, Server, TransferItem
from services.core.unit_of_work import session, unit_of_work
from services.execution import get as execution_get
from services.transfers.signed_rows import LISTED_FOR
from simulator import Fault
from simulator.contents import as_content
from simulator.values import Document, Security
from tests.support.pages import Page
from tests.support.transfers import Desk, carry, get, items_of, links, skip_wait, versions

TEXT = b"The deed as it is now.\n" * 900


def deed(desk: Desk, content: bytes = TEXT) -> Document:
    """A new document in iManage, with two versions and a name of its own."""
    world = desk.practice.world
    name = f"Deed {uuid.uuid4().hex[:12]}"
    made = world.add_document(world.folder("Drafts", "Active"), name, "docx", b"a draft", "ALICE")
    return world.add_version(made, content)


def pick(desk: Desk, document: Document) -> uuid.UUID:
    """Choose a document in the picker and press Get; the item."""
    address = f"/matters/{desk.matter_id}/browse/{desk.server.id}"
    listed = Page(desk.browser.post(address, {"q": document.latest.name}, htmx=True).get_data(as_text=True))
    tick = next(each for each in listed.controls if each.get("value") == document.id())
    answer = desk.browser.post(
        f"/matters/{desk.matter_id}/get/{desk.server.id}",
        {"request_key": str(uuid.uuid4()), "source": tick["value"], "called": tick["data-called"]},
    )
    (item,) = items_of(uuid.UUID(answer.headers["Location"].rsplit("/", 1)[-1]))
    desk.practice.forget_requests()
    return item.id


def calls(desk: Desk) -> list[str]:
    """What was asked of each document since it was chosen."""
    return [
        "download" if each.path.endswith("/download") else "profile"
        for each in desk.practice.requests
        if "/documents/" in each.path
    ]


def replace_content(desk: Desk, document: Document, content: bytes) -> None:
    """As another user replaces the latest version's file."""
    last = replace(document.latest, content=as_content(content))
    desk.practice.world.put_document(replace(document, versions=(*document.versions[:-1], last)))


def test_one_call_gets_a_listed_document_and_says_what_its_profile_says(desk: Desk) -> None:
    document = deed(desk)
    item = carry(pick(desk, document))
    assert (item.state, calls(desk)) == ("done", ["download"])
    (version,) = versions()
    assert version.sha256 == document.latest.content.sha256
    (by_list,) = links()
    with unit_of_work() as writing:
        writing.delete(writing.get_one(Link, by_list.id))
    receipt, name = item.receipt, item.name
    (again,) = items_of(get(desk, document.id()))
    again = carry(again.id)
    assert calls(desk) == ["download", "profile", "download"]
    assert (again.receipt, again.name) == (receipt, name)


@pytest.mark.parametrize("size", ["longer", "shorter", "same"])
def test_content_replaced_since_then_is_compared_with_the_profile_as_it_is_now(desk: Desk, size: str) -> None:
    document = deed(desk)
    before = b"".join(document.latest.content.blocks())
    content = {"longer": before + b"more", "shorter": before[:-1], "same": before[:-1] + b"!"}[size]
    item_id = pick(desk, document)
    replace_content(desk, document, content)
    desk.practice.world.add_version(document, b"newer", "CAROL")
    item = carry(item_id)
    assert (item.state, calls(desk)) == ("done", ["download", "profile", "download"])
    (version,) = versions()
    assert (version.size, version.sha256) == (len(content), as_content(content).sha256)
    assert item.size == len(content)
    (link,) = links()
    assert link.version == document.latest.number
    assert link.latest_version == document.latest.number + 1, "The newer version is not known."


@pytest.mark.parametrize("age", [LISTED_FOR.total_seconds() + 1, -30.0], ids=["old", "from the future"])
def test_an_old_list_is_not_believed(desk: Desk, age: float) -> None:
    item_id = pick(desk, deed(desk))
    with unit_of_work() as writing:
        item = writing.get_one(TransferItem, item_id)
        assert item.listed is not None
        item.listed = item.listed | {"at": item.listed["at"] - age}
    assert carry(item_id).state == "done"
    assert calls(desk) == ["profile", "download"]


def test_a_server_without_checksums_is_asked_for_the_profile(desk: Desk) -> None:
    desk.practice.settings.checksum = "absent"
    assert carry(pick(desk, deed(desk))).state == "done"
    assert calls(desk) == ["profile", "download"]


def test_a_checksum_of_another_meaning_is_no_proof(desk: Desk) -> None:
    desk.practice.settings.checksum = "wrong"
    item_id = pick(desk, deed(desk))
    item = carry(item_id)
    assert (item.state, item.listed, calls(desk)) == ("waiting", None, ["download", "profile"])
    skip_wait(item_id)
    desk.practice.forget_requests()
    item = carry(item_id)
    assert calls(desk) == ["profile", "download"]
    assert versions() == []


def test_a_wall_that_went_up_since_then_is_met_at_the_download(desk: Desk) -> None:
    document = deed(desk)
    item_id = pick(desk, document)
    walled = Security("private", (("ALICE", "no_access"),))
    desk.practice.world.put_document(replace(document, security=walled))
    item = carry(item_id)
    assert (item.state, calls(desk)) == ("failed", ["download"])
    by_profile = carry(items_of(get(desk, document.id()))[0].id)
    assert (item.error_code, item.error_sentence) == (by_profile.error_code, by_profile.error_sentence)
    assert versions() == []


def test_a_cut_download_is_resumed_with_what_was_listed(desk: Desk) -> None:
    item_id = pick(desk, deed(desk, TEXT * 200))
    desk.practice.faults.add(Fault("cut", path="/download", fraction=0.6, times=1))
    assert carry(item_id).state == "waiting"
    skip_wait(item_id)
    assert carry(item_id).state == "done"
    assert calls(desk) == ["download", "download"]
    resumed = desk.practice.requests[-1]
    assert resumed.bytes_out < len(TEXT * 200)


def test_a_large_document_shows_its_size_before_it_is_read(desk: Desk) -> None:
    item_id = pick(desk, deed(desk, b"x" * (execution_get.SMALL_BYTES + 1)))
    item = session().get_one(TransferItem, item_id)
    assert item.size == execution_get.SMALL_BYTES + 1
    item = carry(item_id)
    assert (item.state, calls(desk)) == ("done", ["download"])


def test_a_disabled_server_still_stops_it(desk: Desk) -> None:
    item_id = pick(desk, deed(desk))
    with unit_of_work() as writing:
        writing.get_one(Server, desk.server.id).is_enabled = False
    assert carry(item_id).state == "stopped"
    assert calls(desk) == []
