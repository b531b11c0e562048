"""What a class requires of a new document is asked for, remembered per workspace, and checked before a byte leaves."""

from __future__ import annotations

import uuid

import pytest

from services.core.unit_of_work import unit_of_work
from services.servers import server_facts
from tests.support.pages import Page, read
from tests.support.transfers import Desk, carry_all, items_of

REQUIRED = {"AGREEMENT": "custom2", "CORR": "custom3, author", "KNOWHOW": "comment"}


@pytest.fixture(autouse=True)
def learned(desk: Desk) -> None:
    with unit_of_work():
        server_facts.measure(desk.server.id, {"required_fields": REQUIRED}, "10.2")


def steps(desk: Desk) -> list[str]:
    world = desk.practice.world
    workspace, folder = world.folder("Project Heron", "Active"), world.folder("Drafts", "Active")
    return [f"w:{workspace.id}:Project Heron", f"f:{folder.id}:Drafts"]


def fields(page: Page) -> dict[str, str]:
    return {
        name: each.get("value", "")
        for each in page.controls
        if (name := each.get("name", "")).startswith("profile_")
    }


def enter(desk: Desk) -> Page:
    address = f"/matters/{desk.matter_id}/browse/{desk.server.id}?saving=1"
    return read(desk.browser.post(address, {"step": steps(desk)[0]}, htmx=True), whole=False)


def choose(desk: Desk, name: str) -> Page:
    address = f"/matters/{desk.matter_id}/profile/{desk.server.id}"
    sent = {"profile_class": name, "step": steps(desk)}
    return read(desk.browser.post(address, sent, htmx=True), whole=False)


def press(desk: Desk, document_id: uuid.UUID, **profile: str) -> Page | uuid.UUID:
    address = f"/documents/{document_id}/save/{desk.server.id}"
    sent = {
        "request_key": str(uuid.uuid4()),
        "target": "new_document",
        "folder": desk.practice.world.folder("Drafts", "Active").id,
        "name": f"Deed {uuid.uuid4().hex[:6]}",
        "step": steps(desk),
        **{f"profile_{name}": value for name, value in profile.items()},
    }
    answer = desk.browser.post(address, sent, htmx=True)
    if "HX-Redirect" in answer.headers:
        return uuid.UUID(answer.headers["HX-Redirect"].rsplit("/", 1)[-1])
    assert answer.status_code == 422
    return read(answer, whole=False)


def test_a_class_asks_for_its_fields_and_begins_with_the_matter_s_numbers(desk: Desk) -> None:
    assert set(fields(enter(desk))) == {"profile_class"}
    page = choose(desk, "AGREEMENT")
    assert fields(page) == {"profile_class": "", "profile_custom1": "10042", "profile_custom2": "0007"}
    assert "Client" in page.text and "Matter" in page.text
    assert set(fields(choose(desk, "CORR"))) == {"profile_class", "profile_custom3", "profile_author"}
    assert "KNOWHOW" not in page.text  # its comment is sent with every save


def test_a_server_that_requires_nothing_asks_for_nothing(desk: Desk) -> None:
    with unit_of_work():
        server_facts.measure(desk.server.id, {"required_fields": {}}, "10.2")
    assert fields(enter(desk)) == {}


def test_the_profile_is_sent_and_remembered_for_the_workspace(desk: Desk) -> None:
    document_id = desk.add_document("Deed.docx", b"ours")
    transfer_id = press(desk, document_id, **{"class": "AGREEMENT", "custom1": "10042", "custom2": "0007"})
    assert isinstance(transfer_id, uuid.UUID)
    (item,) = carry_all(transfer_id)
    assert item.state == "done" and not item.warnings
    stored = desk.practice.world.document("Active", item.receipt["number"])
    assert stored is not None
    assert (stored.latest.class_, stored.latest.profile["custom2"]) == ("AGREEMENT", "0007")
    assert fields(enter(desk))["profile_custom2"] == "0007"


def test_wrong_values_are_refused_before_a_byte_leaves(desk: Desk) -> None:
    document_id = desk.add_document("Deed.docx", b"ours")
    desk.practice.forget_requests()
    page = press(desk, document_id, **{"class": "AGREEMENT", "custom1": "10042"})
    assert isinstance(page, Page) and "Class AGREEMENT requires: Matter." in page.text
    page = press(desk, document_id, **{"class": "AGREEMENT", "custom1": "10042", "custom2": "98765"})
    assert isinstance(page, Page) and "iManage does not know Matter “98765”." in page.text
    assert not [call for call in desk.practice.requests if call.method == "POST"]


def test_without_a_class_or_with_an_unknown_one_nothing_is_sent_of_it(desk: Desk) -> None:
    document_id = desk.add_document("Deed.docx", b"ours")
    for profile in ({}, {"class": "MADE_UP", "custom2": "0007"}, {"custom2": "0007"}):
        transfer_id = press(desk, document_id, **profile)
        assert isinstance(transfer_id, uuid.UUID)
        (item,) = items_of(transfer_id)
        assert item.profile is None


def test_many_new_documents_get_it_too(desk: Desk) -> None:
    ids = [desk.add_document(f"Deed {number}.docx", b"%d" % number) for number in range(2)]
    sent = {
        "request_key": str(uuid.uuid4()),
        "target": "new_document",
        "folder": desk.practice.world.folder("Drafts", "Active").id,
        "document": list(map(str, ids)),
        "step": steps(desk),
        "profile_class": "CORR",
        "profile_custom3": "Nothing",
        "profile_author": "ALICE",
    }
    address = f"/matters/{desk.matter_id}/save-many/{desk.server.id}"
    answer = desk.browser.post(address, sent, htmx=True)
    assert answer.status_code == 422 and "Custom 3 “Nothing”" in answer.get_data(as_text=True)
    desk.practice.settings.update({"error_codes": "generic"})  # then nobody knows whether it is wrong
    answer = desk.browser.post(address, sent, htmx=True)
    transfer_id = uuid.UUID(answer.headers["HX-Redirect"].rsplit("/", 1)[-1])
    assert {item.profile["class"] for item in items_of(transfer_id) if item.profile} == {"CORR"}
