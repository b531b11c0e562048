"""Bulk transfers: a folder got and a selection saved in one transfer each, and the notice of the end."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.imanage import (
    OUTCOME_MS,
    downloads_wait,
    expect_outcome,
    go_into,
    leave_transfer,
    search,
    sign_in_from_account,
    tick,
)
from tests.browser.person import Person
from tests.support.stack import Stack

ALICE = "alice@practice.example"
MATTER = "Project Heron"
AGREEMENT = "SPA – Project Heron.docx"


def test_the_associate_moves_many_documents_at_once(firm_without_faults: Stack, visit: Visit) -> None:
    alice = visit(firm_without_faults, ALICE)
    sign_in_from_account(alice, "alice")
    get_folder_except_one(alice)
    save_selection(alice)
    expect_news_on_another_page(alice)
    undo_the_last_transfers(alice)
    find_in_all_matters(alice)


def get_folder_except_one(alice: Person) -> None:
    alice.open_matter(MATTER)
    alice.button("Get from iManage").click()
    go_into(alice, MATTER, "Drafts")
    tick(alice, AGREEMENT)
    expect(alice.dialog().get_by_text("1 selected")).to_be_visible()
    alice.in_dialog("Select all on this page").click()
    boxes = alice.dialog().locator("#picker-documents").get_by_role("checkbox")
    count = boxes.count()
    expect(alice.dialog().get_by_text(f"{count} selected")).to_be_visible()
    alice.dialog().get_by_role("button", name=re.compile("^Select everything in this folder")).click()
    expect(alice.dialog().get_by_text(f"{count} selected")).to_be_visible()
    alice.dialog().get_by_text("Show", exact=True).click()
    alice.check_page()

    alice.in_dialog(f"Remove {AGREEMENT}").click()
    expect(alice.dialog().get_by_text(f"{count - 1} selected")).to_be_visible()
    expect(alice.dialog().get_by_role("checkbox", name=AGREEMENT)).not_to_be_checked()
    search(alice, "Company search")
    expect(alice.dialog().get_by_text(f"{count - 1} selected")).to_be_visible()
    alice.in_dialog("Clear all").click()
    expect(alice.dialog().locator("#picker-chosen")).to_be_hidden()

    go_into(alice, MATTER, "Drafts")
    alice.in_dialog("Select all on this page").click()
    alice.in_dialog("Get").click()
    # Another test may have got some of them into this matter before.
    told = rf"All {count} documents arrived|{count} documents from iManage: \d+ arrived, \d+ already here"
    expect_outcome(alice, re.compile(told))
    with alice.page.expect_download() as info:
        alice.link("Results as CSV").click()
    assert len(info.value.path().read_text("utf-8-sig").splitlines()) == count + 1


def save_selection(alice: Person) -> None:
    alice.open_matter(MATTER)
    alice.button("Add document").click()
    alice.dialog().get_by_label("File").set_input_files(
        [
            {"name": name, "mimeType": "application/octet-stream", "buffer": name.encode()}
            for name in ("Closing agenda.docx", "Closing bible.docx")
        ]
    )
    alice.in_dialog("Add document").click()
    expect(alice.page.get_by_text("2 documents have been added.")).to_be_visible()
    bar = alice.page.get_by_role("region", name="Selected documents")
    expect(bar).to_be_hidden()
    for name in ("Closing agenda.docx", "Closing bible.docx", AGREEMENT):
        alice.page.get_by_role("checkbox", name=name, exact=True).check()
    expect(bar.get_by_text("3 selected")).to_be_visible()
    alice.check_page()
    alice.page.locator("#save-1").click()
    expect(alice.dialog().get_by_text("3 selected")).to_be_visible()
    alice.page.keyboard.press("Escape")
    expect(alice.dialog()).to_be_hidden()
    bar.get_by_role("button", name="Save to iManage").click()
    expect(alice.dialog().get_by_role("radio", name="Save as new versions")).to_be_checked()
    expect(alice.dialog().get_by_text("3 selected")).to_be_visible()
    go_into(alice, MATTER, "Correspondence")
    alice.check_page()
    alice.in_dialog("Save here").click()
    expect_outcome(alice, "All 2 documents were saved to iManage.")


def expect_news_on_another_page(alice: Person) -> None:
    alice.open_matter(MATTER)
    with downloads_wait(alice):
        alice.button("Get from iManage").click()
        go_into(alice, MATTER, "Correspondence")
        alice.in_dialog("Select all on this page").click()
        alice.in_dialog("Get").click()
        leave_transfer(alice)
    news = alice.page.locator("#transfers-news")
    expect(news.get_by_text(re.compile("arrived|already here"))).to_be_visible(timeout=OUTCOME_MS)
    alice.check_page()
    news.get_by_role("button", name="Dismiss").click()
    expect(news).to_be_empty()
    alice.open("/account")
    expect(alice.page.locator("#transfers-news")).to_be_empty()
    expect(alice.page.locator("#transfers-badge")).to_be_empty()


def undo_the_last_transfers(alice: Person) -> None:
    """The last get is undone; of the save before it, iManage keeps everything."""
    alice.open("/transfers")
    rows = alice.page.locator("tr[id^=transfer-]")
    rows.nth(1).get_by_role("link").first.click()
    alice.button("Undo").click()
    expect(alice.dialog().get_by_text("Counterpart does not delete anything in iManage.")).to_be_visible()
    alice.check_page()
    alice.in_dialog("Close").last.click()
    alice.open("/transfers")
    rows.first.get_by_role("link").first.click()
    alice.button("Undo").click()
    expect(alice.dialog().get_by_text("Nothing changes in iManage.")).to_be_visible()
    alice.check_page()
    alice.in_dialog("Undo").click()
    expect(alice.page.get_by_text("undid this transfer")).to_be_visible()
    expect(alice.button("Undo")).to_be_hidden()
    alice.check_page()


def find_in_all_matters(alice: Person) -> None:
    """By words and by the number in iManage; sorted by keyboard, also on a narrow screen; and a pinned matter."""
    alice.open("/search")
    box = alice.page.get_by_role("searchbox")
    expect(box).to_be_focused()
    box.fill("heron docx")
    found = alice.page.locator("#found")
    expect(found.get_by_role("link", name=AGREEMENT)).to_be_visible()
    name = found.get_by_role("link", name="Name", exact=True)
    name.focus()
    alice.page.keyboard.press("Enter")
    expect(alice.page.get_by_role("columnheader", name="Name")).to_have_attribute("aria-sort", "ascending")
    expect(alice.page.get_by_role("searchbox")).to_have_value("heron docx")
    alice.check_page()
    alice.open("/matters")
    row = alice.page.get_by_role("row").filter(has=alice.link(MATTER))
    row.get_by_role("button", name="Pin").click()
    expect(row.get_by_text("Pinned")).to_be_visible()
    alice.check_page()
    row.get_by_role("button", name="Unpin").click()
    expect(row.get_by_text("Pinned")).to_be_hidden()
