"""Problems of a save that are known beforehand are shown in the pop-up, each with a choice, before anything is sent."""

from __future__ import annotations

import re

import requests
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.imanage import document_row, expect_outcome, go_into, sign_in_from_account
from tests.browser.person import Person
from tests.support.stack import Stack

ALICE = "alice@practice.example"
MATTER = "Project Heron"
NOTE = "Note of call.docx"


def test_known_problems_are_shown_before_anything_is_sent(firm_without_faults: Stack, visit: Visit) -> None:
    alice = visit(firm_without_faults, ALICE)
    sign_in_from_account(alice, "alice")
    add_document(alice, NOTE, b"first")
    correct_a_forbidden_name(alice)
    twin = save_note(alice)
    add_a_missing_file_type(alice)
    expect_nothing_to_save(alice)
    add_version(alice, b"second")
    save_over_a_newer_version(alice, twin)
    get_older_version(alice)
    add_version(alice, b"third")
    expect_checked_out(alice, twin)


def add_document(alice: Person, name: str, content: bytes) -> None:
    alice.open_matter(MATTER)
    alice.button("Add document").click()
    file = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    alice.dialog().get_by_label("File").set_input_files(file)
    alice.in_dialog("Add document").click()
    expect(alice.page.get_by_text(f"{name} has been added.")).to_be_visible()


def open_save(alice: Person, name: str) -> None:
    row = document_row(alice, name)
    row.get_by_role("button", name="Actions").click()
    row.get_by_role("button", name="Save to iManage").click()
    expect(alice.dialog().get_by_role("heading", name="Save to iManage")).to_be_visible()


def correct_a_forbidden_name(alice: Person) -> None:
    open_save(alice, NOTE)
    go_into(alice, MATTER, "Correspondence")
    name = alice.dialog().get_by_label("Name", exact=True)
    name.fill("a/b:c*?")
    alice.in_dialog("Save here").click()
    problem = alice.dialog().get_by_role("alert")
    expect(problem).to_contain_text("iManage does not accept / : * ? in a name.")
    expect(name).to_have_value("a/b:c*?")
    expect(name).to_have_attribute("aria-invalid", "true")
    expect(alice.dialog().get_by_text("Saving in “Correspondence”.")).to_be_visible()
    alice.check_page()
    alice.in_dialog("Use “a_b_c__”").click()
    expect(name).to_have_value("a_b_c__")
    expect(problem).to_have_count(0)
    name.fill("Note of call")


def save_note(alice: Person) -> str:
    alice.in_dialog("Save here").click()
    expect_outcome(alice, "was saved to iManage.")
    alice.open_matter(MATTER)
    library, number, _ = (
        document_row(alice, NOTE).get_by_text(re.compile(r"^\w+ \d+ v1")).inner_text().split()[:3]
    )
    return f"{library}!{number}.1"


def add_a_missing_file_type(alice: Person) -> None:
    add_document(alice, "README", b"read me")
    open_save(alice, "README")
    go_into(alice, MATTER, "Correspondence")
    alice.in_dialog("Save here").click()
    expect(alice.dialog().get_by_role("alert")).to_contain_text("iManage needs a file type")
    alice.check_page()
    alice.dialog().get_by_label("File type").fill("txt")
    expect(alice.dialog().get_by_role("alert")).to_have_count(0)
    alice.in_dialog("Save here").click()
    expect_outcome(alice, "was saved to iManage.")


def expect_nothing_to_save(alice: Person) -> None:
    alice.open_matter(MATTER)
    open_save(alice, NOTE)
    expect(alice.dialog().get_by_text("There is nothing to save")).to_be_visible()
    alice.check_page()
    alice.in_dialog("Save here").click()
    expect(alice.dialog().get_by_role("alert")).to_contain_text("There is nothing to save")
    alice.dialog().get_by_role("radio", name="Save as new document").check()
    expect(alice.dialog().get_by_role("alert")).to_have_count(0)
    expect(alice.dialog().get_by_label("Name", exact=True)).to_be_visible()
    expect(alice.dialog().get_by_text("There is nothing to save")).to_be_hidden()
    alice.page.keyboard.press("Escape")
    expect(alice.dialog()).to_have_count(0)
    alice.page.wait_for_function("() => !history.state?.step")


def add_version(alice: Person, content: bytes) -> None:
    alice.open_matter(MATTER)
    alice.link(NOTE).click()
    alice.button("New version").click()
    file = {"name": NOTE, "mimeType": "application/octet-stream", "buffer": content}
    alice.dialog().get_by_label("File").set_input_files(file)
    alice.in_dialog("Add version").click()
    expect(alice.page.get_by_text("has been added and is now the current version")).to_be_visible()
    alice.open_matter(MATTER)


def save_over_a_newer_version(alice: Person, twin: str) -> None:
    alice.stack.practice.add_version("bram", twin, b"Bram's changes, made in iManage")
    open_save(alice, NOTE)
    expect(alice.dialog().get_by_text("iManage has a newer version", exact=True)).to_be_visible()
    expect(alice.in_dialog("Get version 2 first")).to_be_visible()
    alice.check_page()
    alice.in_dialog("Save here").click()
    expect(alice.dialog().get_by_role("alert")).to_contain_text("iManage has a newer version")
    alice.dialog().get_by_role("radio", name="Replace latest version").check()
    expect(alice.dialog().get_by_text("Replacing it would overwrite version 2.")).to_be_visible()
    expect(alice.dialog().get_by_role("checkbox")).to_have_count(0)
    alice.dialog().get_by_role("radio", name="Save as new version").check()
    alice.dialog().get_by_label("Save on top of version 2 anyway").check()
    alice.in_dialog("Save here").click()
    expect_outcome(alice, "was saved to iManage.")
    assert [one["version"] for one in alice.stack.practice.versions("alice", twin)] == [1, 2, 3]


def get_older_version(alice: Person) -> None:
    alice.open_matter(MATTER)
    alice.button("Get from iManage").click()
    go_into(alice, MATTER, "Correspondence")
    alice.dialog().get_by_role("button", name=re.compile(f"^Version 3 of {NOTE}")).click()
    rows = alice.dialog().locator("#picker-documents").get_by_role("row")
    expect(rows).to_have_count(3)
    older = alice.dialog().get_by_role("group", name="This is an older version")
    rows.nth(0).get_by_role("checkbox").check()
    expect(older).to_be_hidden()
    rows.nth(0).get_by_role("checkbox").uncheck()
    rows.nth(1).get_by_role("checkbox").check()
    expect(older.get_by_role("radio", name="Add it to the history")).to_be_checked()
    alice.check_page()
    alice.in_dialog("Get").click()
    expect_outcome(alice, "as an older version. It was not made current.")
    alice.open_matter(MATTER)
    alice.link(NOTE).click()
    expect(alice.page.get_by_text("Version 2 is current")).to_be_visible()
    expect(alice.page.get_by_role("rowheader").filter(has_not_text="Current")).to_have_count(2)


def expect_checked_out(alice: Person, twin: str) -> None:
    practice = alice.stack.practice
    with practice.as_user("bram") as bram:
        locked: requests.Response = bram.post(
            f"{practice.library()}/documents/{twin}/lock", json={}, timeout=10
        )
    assert locked.ok, locked.text
    open_save(alice, NOTE)
    expect(
        alice.dialog().get_by_role("strong").filter(has_text=re.compile("^Checked out by Bram"))
    ).to_be_visible()
    alice.check_page()
    alice.in_dialog("Save here").click()
    expect(alice.dialog().get_by_role("alert")).to_contain_text("Checked out by Bram")
    assert len(practice.versions("alice", twin)) == 3
