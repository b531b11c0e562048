"""The picker: the matter's workspace, keys, sorting and pasted numbers; and the selection that closing keeps."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Visit
from tests.browser.imanage import OUTCOME_MS, breadcrumb, go_into, sign_in_from_account
from tests.browser.person import Person
from tests.support.stack import Stack

ALICE = "alice@practice.example"
MATTER = "Project Heron"


@pytest.fixture
def alice(firm_without_faults: Stack, visit: Visit) -> Person:
    person = visit(firm_without_faults, ALICE)
    sign_in_from_account(person, "alice")
    person.open_matter(MATTER)
    return person


def open_picker(alice: Person) -> None:
    alice.button("Get from iManage").click()
    expect(alice.dialog().get_by_role("heading", name="Get from iManage")).to_be_visible()


def select_seven(alice: Person) -> None:
    open_picker(alice)
    go_into(alice, MATTER, "Drafts")
    boxes = alice.dialog().locator("#picker-documents").get_by_role("checkbox")
    expect(boxes.first).to_be_visible()
    for at in range(min(7, boxes.count())):
        boxes.nth(at).check()
    expect(selection_count(alice)).to_be_visible()


def expect_closed(alice: Person) -> None:
    """The pop-up is closed and its entry in the history removed."""
    expect(alice.dialog()).to_have_count(0)
    alice.page.wait_for_function("() => !history.state?.step")


def selection_count(alice: Person) -> Locator:
    return alice.dialog().locator("#picker-chosen").get_by_text(re.compile(r"^\d+ selected$"))


def close_question(alice: Person) -> Locator:
    return alice.dialog().get_by_role("group", name="Close anyway?")


def test_an_associate_takes_documents_without_the_mouse(alice: Person) -> None:
    """Documents are found by keyboard, 500 at a time and by number; place, search and selection are kept."""
    open_picker(alice)
    expect(alice.dialog().get_by_text("Is “Project Heron” the matter’s workspace?")).to_be_visible()
    alice.check_page()
    alice.in_dialog("Yes, open here").click()
    expect(breadcrumb(alice).get_by_text(MATTER, exact=True)).to_be_visible()
    expect(alice.dialog().get_by_text("Is “Project Heron” the matter’s workspace?")).to_have_count(0)
    alice.page.keyboard.press("Escape")
    alice.page.evaluate("sessionStorage.clear()")
    open_picker(alice)
    expect(breadcrumb(alice).get_by_text(MATTER, exact=True)).to_be_visible()

    press, focused = alice.page.keyboard.press, alice.page.locator(":focus")
    alice.dialog().get_by_label("Search iManage").focus()
    press("ArrowDown")
    while "Disclosure" not in focused.inner_text():
        press("ArrowDown")
    press("Enter")
    expect(breadcrumb(alice).get_by_text("Disclosure", exact=True)).to_be_focused()
    for key in ("ArrowDown", "Space", "ArrowDown", "Enter", "ArrowDown", "ArrowUp"):
        press(key)
    expect(alice.dialog().get_by_text("2 selected")).to_be_visible()
    alice.in_dialog("Name").click()
    alice.in_dialog("Name").click()
    names = alice.dialog().locator("#picker-documents > tr")
    expect(names.first).to_contain_text("Disclosure 0100.txt")
    expect(alice.dialog().get_by_text("Only the rows shown are sorted.")).to_be_visible()
    alice.in_dialog("Next 500").click()
    expect(alice.dialog().get_by_text("500 selected (the maximum)")).to_be_visible()
    alice.check_page()
    alice.in_dialog("Clear all").click()
    names.first.get_by_role("checkbox").focus()
    press("ArrowLeft")
    expect(breadcrumb(alice).get_by_text(MATTER, exact=True)).to_be_focused()
    press("ArrowDown")
    alice.page.keyboard.type("SPA")
    expect(breadcrumb(alice).get_by_text("“SPA”")).to_be_visible()
    alice.page.keyboard.press("Tab")
    alice.page.reload()
    open_picker(alice)
    expect(breadcrumb(alice).get_by_text("“SPA”")).to_be_visible()
    expect(alice.dialog().get_by_label("Search iManage")).to_have_value("SPA")

    alice.dialog().get_by_text("Paste numbers").click()
    numbers = [str(number) for number in range(1655, 1715)]
    alice.dialog().get_by_label("Document numbers").fill("Number\n99999999\n" + "\n".join(numbers))
    alice.in_dialog("Find").click()
    found = "60 found, 1 not found, 1 not a document number."
    expect(alice.dialog().get_by_text(found)).to_be_visible(timeout=OUTCOME_MS)
    expect(alice.dialog().get_by_text("60 selected")).to_be_visible()
    expect(alice.dialog().get_by_label("Document numbers")).to_have_value("")
    alice.check_page()

    alice.in_dialog("Workspaces").click()
    alice.in_dialog("This matter’s workspace").click()
    alice.in_dialog("This matter’s workspace: stop opening here").click()
    expect(alice.in_dialog("Open here for this matter")).to_be_visible()
    alice.page.keyboard.press("Escape")
    alice.in_dialog("Close and clear selection").click()


def test_escape_asks_and_a_kept_selection_is_restored(alice: Person) -> None:
    matter = alice.page.url
    select_seven(alice)
    count = alice.dialog().locator("#picker-chips > li").count()
    assert count > 1
    alice.page.keyboard.press("Escape")
    expect(close_question(alice)).to_be_visible()
    alice.check_page()
    alice.page.keyboard.press("Escape")
    expect(close_question(alice)).to_be_hidden()
    expect(alice.dialog()).to_be_visible()
    for close in ("Close", "Cancel"):
        alice.in_dialog(close).click()
        expect(close_question(alice)).to_be_visible()
        alice.in_dialog("Keep choosing").click()
    alice.page.keyboard.press("Escape")
    alice.in_dialog("Close and keep selection").click()
    expect(alice.dialog()).to_have_count(0)
    assert alice.page.url == matter

    open_picker(alice)
    expect(alice.dialog().get_by_text(f"{count} selected")).to_be_visible()
    expect(breadcrumb(alice).get_by_text("Drafts", exact=True)).to_be_visible()
    expect(alice.dialog().locator("#picker-documents").get_by_role("checkbox").first).to_be_checked()
    alice.page.reload()
    open_picker(alice)
    expect(alice.dialog().get_by_text(f"{count} selected")).to_be_visible()
    expect(breadcrumb(alice).get_by_text("Drafts", exact=True)).to_be_visible()
    alice.check_page()

    alice.page.keyboard.press("Escape")
    alice.in_dialog("Close and clear selection").click()
    open_picker(alice)
    expect(breadcrumb(alice).get_by_text("Drafts", exact=True)).to_be_visible()
    expect(alice.dialog().locator("#picker-chips > li")).to_have_count(0)
    alice.page.keyboard.press("Escape")
    expect(alice.dialog()).to_have_count(0)


def test_back_closes_the_pop_up_and_stays_in_the_matter(alice: Person) -> None:
    matter = alice.page.url
    select_seven(alice)
    alice.page.evaluate("history.back()")
    expect(close_question(alice)).to_be_visible()
    assert alice.page.url == matter
    alice.in_dialog("Close and clear selection").click()
    expect_closed(alice)
    expect(alice.heading(MATTER)).to_be_visible()

    open_picker(alice)
    alice.page.evaluate("history.back()")
    expect(alice.dialog()).to_have_count(0)
    assert alice.page.url == matter
    for button in ("Add document", "Change details"):
        alice.button(button).click()
        expect(alice.dialog()).to_be_visible()
        alice.page.evaluate("history.back()")
        expect(alice.dialog()).to_have_count(0)
        assert alice.page.url == matter
    alice.button("Change details").click()
    expect(alice.dialog()).to_be_visible()
    alice.page.keyboard.press("Escape")
    expect_closed(alice)
    alice.page.go_back()
    expect(alice.heading("Matters")).to_be_visible()


def test_back_after_get_leads_to_the_matter_with_nothing_selected(alice: Person) -> None:
    matter = alice.page.url
    open_picker(alice)
    go_into(alice, MATTER, "Correspondence")
    alice.dialog().locator("#picker-documents").get_by_role("checkbox").first.check()
    alice.in_dialog("Get").click()
    alice.page.wait_for_url("**/transfers/*")
    alice.page.go_back()
    expect(alice.heading(MATTER)).to_be_visible()
    assert alice.page.url == matter
    open_picker(alice)
    expect(breadcrumb(alice).get_by_text("Correspondence", exact=True)).to_be_visible()
    expect(alice.dialog().locator("#picker-chips > li")).to_have_count(0)


def test_signing_out_clears_the_tabs_storage(alice: Person) -> None:
    select_seven(alice)
    assert "Drafts" in alice.page.evaluate("JSON.stringify(sessionStorage)")
    alice.page.keyboard.press("Escape")
    alice.in_dialog("Close and keep selection").click()
    alice.button("Alice Archer").click()
    alice.button("Sign out").click()
    expect(alice.heading("Sign in")).to_be_visible()
    assert alice.page.evaluate("sessionStorage.length") == 0


def test_what_was_wrong_is_above_get_and_goes_with_the_choice(alice: Person) -> None:
    open_picker(alice)
    go_into(alice, MATTER, "Drafts")
    alice.in_dialog("Get").click()
    problem = alice.dialog().get_by_role("alert")
    expect(problem).to_contain_text("Choose at least one document.")
    said, get = problem.bounding_box(), alice.in_dialog("Get").bounding_box()
    assert said is not None and get is not None and said["y"] + said["height"] <= get["y"]
    alice.check_page()
    alice.dialog().locator("#picker-documents").get_by_role("checkbox").first.check()
    expect(problem).to_have_count(0)
    toasts = alice.page.locator("#toasts")
    toasts.evaluate("box => box.append(document.getElementById('toast-template').content.cloneNode(true))")
    toast, get = toasts.bounding_box(), alice.in_dialog("Get").bounding_box()
    assert toast is not None and get is not None and toast["y"] + toast["height"] <= get["y"]
    alice.dialog().locator("#picker-documents").get_by_role("checkbox").nth(1).check()
    expect(toasts.locator(".cp-toast")).to_have_count(0)
