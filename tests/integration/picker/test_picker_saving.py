"""The pop-up of Save, and who may open neither it nor the one of Get."""

from __future__ import annotations

import pytest

from models import Participant, Server
from services.core.unit_of_work import unit_of_work
from simulator import Simulator
from tests.support.pages import Browser
from tests.support.people import make_member
from tests.support.picker import Desk, add_document, link, step
from tests.support.practice import sign_in_to_imanage


def test_saving_a_document_without_a_twin_asks_for_a_folder(desk: Desk) -> None:
    page = desk.browser.page(f"/documents/{add_document(desk)}/save/{desk.server_id}", htmx=True)
    assert "Save to iManage" in page.text and "Save here" in page.text
    assert page.value_of("target") == "new_document"
    assert page.value_of("name") == "Lease"
    assert desk.calls() == []


def test_saving_a_linked_document_offers_a_new_version_first(desk: Desk) -> None:
    document_id = add_document(desk)
    link(desk, document_id, 4711, 3, latest=5)
    page = desk.browser.page(f"/documents/{document_id}/save/{desk.server_id}", htmx=True)
    chosen = [each["value"] for each in page.controls if each.get("name") == "target" and "checked" in each]
    assert chosen == ["new_version"]
    assert page.value_of("twin") == "Active!4711.3"
    assert "Newer in iManage" in page.text and "iManage has version 5" in page.text


def test_a_folder_to_save_in_is_sent_with_the_form(desk: Desk) -> None:
    heron, drafts = step(desk.practice, "Project Heron", "w"), step(desk.practice, "Drafts")
    assert "Open the folder" in desk.look(heron, saving=1).text
    page = desk.look(heron, drafts, saving=1)
    assert page.value_of("folder") == drafts.split(":")[1]
    assert not [each for each in page.controls if each.get("name") == "source"]
    closed = desk.look(heron, drafts.replace("f:", "c:"), saving=1)
    assert "You cannot save in “Drafts”" in closed.text
    assert not [each for each in closed.controls if each.get("name") == "folder"]


def test_a_folder_that_can_only_be_read_is_marked_for_saving(desk: Desk) -> None:
    sign_in_to_imanage(desk.browser, desk.server_id, "BRAM")
    heron = step(desk.practice, "Project Heron", "w")
    assert "You cannot save here" in desk.look(heron, saving=1).text
    assert "You cannot save here" not in desk.look(heron).text


@pytest.mark.parametrize("who", ["guest", "viewer", "stranger", "unlisted"])
def test_nobody_else_looks_around(desk: Desk, practice: Simulator, who: str) -> None:
    document_id = add_document(desk)
    member = make_member("Somebody Else", is_guest=who == "guest")
    if who != "stranger":
        with unit_of_work() as writing:
            role = "viewer" if who == "viewer" else "editor"
            writing.add(Participant(matter_id=desk.matter_id, member_id=member.id, role=role))
            if who == "unlisted":
                writing.get_one(Server, desk.server_id).is_restricted = True
    other = Browser(desk.browser.app).sign_in(member)
    for url in (
        f"/matters/{desk.matter_id}/get/{desk.server_id}",
        f"/documents/{document_id}/save/{desk.server_id}",
    ):
        assert other.get(url, htmx=True).status_code == (403 if who == "viewer" else 404)
    assert other.post(desk.base, htmx=True).status_code == (403 if who == "viewer" else 404)
    assert practice.requests == []


def test_a_server_that_was_switched_off_is_said_so(desk: Desk) -> None:
    with unit_of_work() as writing:
        writing.get_one(Server, desk.server_id).is_enabled = False
    response = desk.browser.post(desk.base, htmx=True)
    assert "switched off" in response.get_data(as_text=True)
    assert desk.calls() == []
