"""Pasted numbers become a table of what was found, and one press of Get takes it."""

from __future__ import annotations

import pytest

from services.picker import matching
from simulator import Fault
from tests.support.pages import Page, read
from tests.support.picker import Desk, add_document, link


def paste(desk: Desk, text: str, status: int = 200, document: object = "", **more: object) -> Page:
    query = f"?document={document}" if document else ""
    address = f"/matters/{desk.matter_id}/paste/{desk.server_id}{query}"
    answer = desk.browser.post(address, {"pasted": text, **more}, htmx=True)
    assert answer.status_code == status, answer.get_data(as_text=True)
    return read(answer, whole=False)


def sources(page: Page, *, selected: bool = False) -> list[str]:
    ticks = [each for each in page.controls if each.get("name") == "source"]
    return [each["value"] for each in ticks if "data-found" in each or not selected]


def test_each_form_of_a_number_finds_its_document(desk: Desk) -> None:
    world = desk.practice.world
    spa, bible = world.named("SPA – Project Heron"), world.named("Closing bible")
    link_of_bible = f"{desk.practice.url}/work/link/d/{bible.id()}"
    page = paste(desk, f"{spa.number}\n{spa.library}!{spa.number}.1, {link_of_bible}")
    assert sources(page, selected=True) == [f"{spa.id()}", f"Active!{spa.number}.1", bible.id()]
    assert "3 found." in page.text
    assert len(desk.calls()) == 3


def test_what_is_left_out_says_why(desk: Desk) -> None:
    desk.practice.faults.add(Fault("status", path="/documents/Active!111.1", status=403, times=None))
    elsewhere = "https://other.example/work/link/d/Active!5"
    page = paste(desk, f"Active!111.1\n99999999\nNope!5\n{elsewhere}\n<b>Name</b>")
    assert sources(page) == []
    assert "1 without access, 2 not found, 1 on another server, 1 not a document number." in page.text
    assert "Active!111.1 You do not have access to it in iManage." in page.text
    assert "99999999 iManage did not find it, or hides it from you." in page.text
    assert f"{elsewhere} This link belongs to another server." in page.text
    assert "<b>" not in page.html


def test_a_number_of_several_libraries_is_shown_with_each_and_none_is_selected(desk: Desk) -> None:
    world = desk.practice.world
    there = {each.number for each in world.documents("Knowledge")}
    both = next(each.number for each in world.documents("Active") if each.number in there)
    page = paste(desk, str(both))
    assert len(sources(page)) == 2 and sources(page, selected=True) == []
    assert "In library Active: tick it if you mean this one" in page.text


def test_a_server_that_does_not_search_by_number_is_read(desk: Desk) -> None:
    desk.practice.settings.update({"filters_refused": ["document_number"]})
    spa = desk.practice.world.named("SPA – Project Heron")
    page = paste(desk, f"{spa.number}\nActive!{spa.number}\n99999999")
    assert sources(page, selected=True) == [spa.id()] and "1 found, 1 not found." in page.text
    again = paste(desk, f"Active!{spa.number}", more=1, found=1, source=spa.id())
    assert sources(again) == [] and "1 found." in again.text


def test_a_document_that_is_here_already_says_so(desk: Desk) -> None:
    spa = desk.practice.world.named("SPA – Project Heron")
    link(desk, add_document(desk), spa.number, 2)
    assert "Newer in iManage" in paste(desk, str(spa.number)).text


def test_the_rest_is_asked_for_until_one_transfer_is_full(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matching, "BATCH", 2)
    monkeypatch.setattr(matching, "MOST_DOCUMENTS", 3)
    folder = desk.practice.world.folder("Disclosure")
    numbers = [str(each.number) for each in desk.practice.world.documents_in(folder)[:5]]
    first = paste(desk, "\n".join(numbers))
    assert len(sources(first)) == 2 and "Looking for 3 more" in first.text
    rest = "\n".join(numbers[2:])
    assert f">{rest}</textarea>" in first.html
    second = paste(desk, rest, more=1, found=2)
    assert len(sources(second)) == 1 and "3 found." in second.text
    assert "the other 2 are still in the box" in second.text and "Looking for" not in second.text


def test_for_a_new_version_one_is_chosen(desk: Desk) -> None:
    spa = desk.practice.world.named("SPA – Project Heron")
    page = paste(desk, str(spa.number), document=add_document(desk))
    assert {each["type"] for each in page.controls if each.get("name") == "source"} == {"radio"}
    assert sources(page, selected=True) == []


def test_ten_thousand_are_read_and_more_are_refused_in_a_sentence(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matching, "BATCH", 1)
    links = [f"{desk.practice.url}/work/link/d/Active!{number}.1" for number in range(1, 10_001)]
    assert "Looking for 9,999 more" in paste(desk, "\n".join(links)).text
    desk.practice.forget_requests()
    refused = paste(desk, "\n".join([*links, "10001"]), status=422)
    assert "Paste 10,000 document numbers or fewer at once." in refused.text
    assert "Paste at least one document number or link." in paste(desk, " \n,", status=422).text
    assert desk.calls() == []


def test_a_failure_keeps_what_was_not_looked_for(desk: Desk) -> None:
    desk.practice.faults.add(Fault("status", path="/documents", status=500, times=None))
    page = paste(desk, "4711", status=502)
    assert "iManage has an internal error." in page.text and "still in the box" in page.text
