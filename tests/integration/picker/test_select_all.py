"""Everything of a folder, of all below it, or of a search, selected in a bounded number of calls."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from services.core.unit_of_work import unit_of_work
from services.servers import server_facts
from simulator import Fault, Simulator
from tests.support.pages import Browser, Page, read
from tests.support.transfers import Desk, get, make_desk


@pytest.fixture
def desk(browser: Browser, practice: Simulator) -> Desk:
    found = make_desk(browser, practice)
    practice.forget_requests()
    return found


def step(desk: Desk, name: str, kind: str = "f") -> str:
    return f"{kind}:{desk.practice.world.folder(name).id}:{name}"


def ask(desk: Desk, path: str, *steps: str, status: int = 200, **more: object) -> Page:
    query = urlencode({"saving": 1} if more.pop("saving", None) else {})
    address = f"/matters/{desk.matter_id}/{path}/{desk.server.id}?{query}"
    response = desk.browser.post(address, {"step": list(steps), **more}, htmx=True)
    assert response.status_code == status
    return read(response, whole=False)


def sources(page: Page) -> list[str]:
    return [each["value"] for each in page.controls if each.get("name") == "source"]


def test_a_folder_s_list_offers_the_page_the_folder_and_what_is_below(desk: Desk) -> None:
    drafts = ask(desk, "browse", step(desk, "Drafts"))
    count = len(sources(drafts))
    assert "Select all on this page" in drafts.text
    assert f"Select everything in this folder ({count})" in drafts.text
    many = ask(desk, "browse", step(desk, "Disclosure"))
    assert "Select everything in this folder (3,000)" in many.text
    top = ask(desk, "browse", step(desk, "Project Heron", "w"))
    assert "Select everything in this workspace" in top.text
    found = ask(desk, "browse", q="heron")
    assert "Select everything found" in found.text
    saving = ask(desk, "browse", step(desk, "Drafts"), saving=1)
    assert "Select everything" not in saving.text and "Select all" not in saving.text


def test_everything_in_a_folder_is_what_its_list_shows(desk: Desk) -> None:
    shown = sources(ask(desk, "browse", step(desk, "Drafts")))
    desk.practice.forget_requests()
    page = ask(desk, "everything", step(desk, "Drafts"))
    assert sorted(sources(page)) == sorted(shown)
    assert "SPA – Project Heron.docx" in page.text
    assert "selected." not in page.text, "A message, though nothing was left out."
    assert len(desk.practice.requests) == 1


def test_three_thousand_are_cut_to_what_one_transfer_takes_and_it_is_said(desk: Desk) -> None:
    page = ask(desk, "everything", step(desk, "Disclosure"))
    assert len(set(sources(page))) == len(sources(page)) == 500
    assert "There are 3,000 documents. You can get 500 at once, so the first 500 are selected." in page.text
    assert len(desk.practice.requests) == 5


def test_the_next_five_hundred_are_neither_here_nor_selected(desk: Desk) -> None:
    many = step(desk, "Disclosure")
    assert "Next 500" in ask(desk, "browse", many).text
    assert "Next 500" not in ask(desk, "browse", step(desk, "Drafts")).text
    first = sources(ask(desk, "everything", many))
    get(desk, *first[:300])
    desk.practice.forget_requests()
    page = ask(desk, "everything", many, next=1, source=first[300:])
    second = sources(page)
    assert len(second) == 300 and not set(second) & set(first)
    assert "The next 300 are selected. None is in this matter or on its way. There are more." in page.text
    assert len(desk.practice.requests) <= 3
    assert "Next 500" in page.text
    few = sources(ask(desk, "browse", step(desk, "Drafts")))
    nothing = ask(desk, "everything", step(desk, "Drafts"), next=1, source=few)
    assert "Everything here is in this matter, on its way or was selected before." in nothing.text


def test_a_folder_with_all_that_lies_below_is_one_search(desk: Desk) -> None:
    world = desk.practice.world
    alice = world.user("ALICE")
    assert alice is not None
    parent = next(
        folder
        for folder in world.containers("Active")
        if folder.kind == "folder"
        and world.folders_in(folder)
        and all(world.may(alice, one, "read") for one in world.under(folder))
        and 0 < sum(len(world.documents_in(one)) for one in world.under(folder)) < 100
    )
    expected = {
        document.id()
        for place in world.under(parent)
        for document in world.documents_in(place)
        if world.may(alice, document, "read")
    }
    found = sources(ask(desk, "everything", f"f:{parent.id}:Parent", below=1))
    assert set(found) == expected
    assert len(desk.practice.requests) == 1
    shown = ask(desk, "browse", f"f:{parent.id}:Parent")
    assert "Select everything including subfolders" in shown.text


def test_a_workspace_is_asked_for_with_all_its_folders(desk: Desk) -> None:
    page = ask(desk, "everything", step(desk, "Project Heron", "w"))
    assert len(sources(page)) == 500 and "You can get 500 at once" in page.text
    assert len(desk.practice.requests) == 6  # an empty document is passed over, so a sixth call fills up


def test_everything_that_a_search_finds(desk: Desk) -> None:
    page = ask(desk, "everything", q="SPA")
    assert "SPA – Project Heron.docx" in page.text
    inside = ask(desk, "everything", step(desk, "Drafts"), q="SPA")
    assert set(sources(inside)) <= set(sources(page))


def test_an_empty_folder_says_so(desk: Desk) -> None:
    page = ask(desk, "everything", step(desk, "Empty folder"))
    assert sources(page) == [] and "There are no documents here that you can see." in page.text


def test_nowhere_there_is_no_everything(desk: Desk) -> None:
    ask(desk, "everything", status=409)
    assert desk.practice.requests == []


def test_a_failure_is_said_and_nothing_is_selected(desk: Desk) -> None:
    desk.practice.faults.add(Fault("status", path="/documents", status=500, times=None))
    page = ask(desk, "everything", step(desk, "Drafts"), status=502)
    assert "iManage has an internal error." in page.text and sources(page) == []


def test_an_ended_sign_in_asks_for_a_new_one(desk: Desk) -> None:
    desk.practice.faults.add(Fault("expire_tokens", path="/documents", times=None))
    desk.practice.faults.add(Fault("refuse_refresh", path="/oauth2/token"))
    page = ask(desk, "everything", step(desk, "Drafts"), status=409)
    assert "iManage no longer accepts your sign-in." in page.text


def test_a_list_that_imanage_cuts_is_said_to_be_incomplete(desk: Desk) -> None:
    desk.practice.settings.update({"paging": "ignored", "max_limit": 2, "totals": "always"})
    with unit_of_work():
        server_facts.measure(desk.server.id, {"paging": "ignored", "max_limit": 2}, "")
    page = ask(desk, "browse", step(desk, "Drafts"))
    assert "This list is incomplete" in page.text and "iManage does not list more than this" in page.text
    page = ask(desk, "everything", step(desk, "Drafts"))
    assert len(sources(page)) == 2
    assert "2 selected. iManage did not list all of them." in page.text
