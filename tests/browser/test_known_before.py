"""What is known of a save before its first byte stands in the pop-up, each with its choice; the press stays there."""

from __future__ import annotations

import re

import requests
from playwright.sync_api import expect

from tests.browser.conftest import Sit
from tests.browser.imanage import document_row, go_into, has_arrived, sign_in_from_account
from tests.browser.person import Person
from tests.support.stack import Stack

ALICE = "alice@practice.example"
MATTER = "Project Heron"
NOTE = "Note of call.docx"


def test_what_is_known_is_said_before_anything_is_sent(firm_without_faults: Stack, sit: Sit) -> None:
    alice = sit(firm_without_faults, ALICE)
    sign_in_from_account(alice, "alice")
    adds(alice, NOTE, b"first")
    names_what_imanage_does_not_take(alice)
    twin = saves_it(alice)
    gives_a_type_to_a_file_without_one(alice)
    is_told_that_nothing_is_to_be_saved(alice)
    changes_it_here(alice, b"second")
    is_told_that_imanage_has_moved_on(alice, twin)
    gets_an_older_version_into_the_history(alice)
    changes_it_here(alice, b"third")
    is_told_who_has_it_checked_out(alice, twin)


def adds(alice: Person, name: str, content: bytes) -> None:
    alice.open_matter(MATTER)
    alice.button("Add document").click()
    file = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    alice.dialog().get_by_label("File").set_input_files(file)
    alice.in_dialog("Add document").click()
    expect(alice.page.get_by_text(f"{name} has been added.")).to_be_visible()


def opens_save(alice: Person, name: str) -> None:
    row = document_row(alice, name)
    row.get_by_role("button", name="Actions").click()
    row.get_by_role("button", name="Save to iManage").click()
    expect(alice.dialog().get_by_role("heading", name="Save to iManage")).to_be_visible()


def names_what_imanage_does_not_take(alice: Person) -> None:
    opens_save(alice, NOTE)
    go_into(alice, MATTER, "Correspondence")
    name = alice.dialog().get_by_label("Name", exact=True)
    name.fill("a/b:c*?")
    alice.in_dialog("Save here").click()
    problem = alice.dialog().get_by_role("alert")
    expect(problem).to_contain_text("iManage does not accept / : * ? in a name.")
    expect(name).to_have_value("a/b:c*?")
    expect(name).to_have_attribute("aria-invalid", "true")
    expect(alice.dialog().get_by_text("Saving in “Correspondence”.")).to_be_visible()
    alice.look()
    alice.in_dialog("Use “a_b_c__”").click()
    expect(name).to_have_value("a_b_c__")
    expect(problem).to_have_count(0)
    name.fill("Note of call")


def saves_it(alice: Person) -> str:
    alice.in_dialog("Save here").click()
    has_arrived(alice, "was saved to iManage.")
    alice.open_matter(MATTER)
    library, number, _ = (
        document_row(alice, NOTE).get_by_text(re.compile(r"^\w+ \d+ v1")).inner_text().split()[:3]
    )
    return f"{library}!{number}.1"


def gives_a_type_to_a_file_without_one(alice: Person) -> None:
    adds(alice, "README", b"read me")
    opens_save(alice, "README")
    go_into(alice, MATTER, "Correspondence")
    alice.in_dialog("Save here").click()
    expect(alice.dialog().get_by_role("alert")).to_contain_text("iManage needs a file type")
    alice.look()
    alice.dialog().get_by_label("File type").fill("txt")
    expect(alice.dialog().get_by_role("alert")).to_have_count(0)
    alice.in_dialog("Save here").click()
    has_arrived(alice, "was saved to iManage.")


def is_told_that_nothing_is_to_be_saved(alice: Person) -> None:
    alice.open_matter(MATTER)
    opens_save(alice, NOTE)
    expect(alice.dialog().get_by_text("There is nothing to save")).to_be_visible()
    alice.look()
    alice.in_dialog("Save here").click()
    expect(alice.dialog().get_by_role("alert")).to_contain_text("There is nothing to save")
    alice.dialog().get_by_role("radio", name="Save as new document").check()
    expect(alice.dialog().get_by_role("alert")).to_have_count(0)
    expect(alice.dialog().get_by_label("Name", exact=True)).to_be_visible()
    expect(alice.dialog().get_by_text("There is nothing to save")).to_be_hidden()
    alice.page.keyboard.press("Escape")
    expect(alice.dialog()).to_have_count(0)
    alice.page.wait_for_function("() => !history.state?.step")


def changes_it_here(alice: Person, content: bytes) -> None:
    alice.open_matter(MATTER)
    alice.link(NOTE).click()
    alice.button("New version").click()
    file = {"name": NOTE, "mimeType": "application/octet-stream", "buffer": content}
    alice.dialog().get_by_label("File").set_input_files(file)
    alice.in_dialog("Add version").click()
    expect(alice.page.get_by_text("has been added and is now the current version")).to_be_visible()
    alice.open_matter(MATTER)


def is_told_that_imanage_has_moved_on(alice: Person, twin: str) -> None:
    alice.stack.practice.add_version("bram", twin, b"Bram's changes, made in iManage")
    opens_save(alice, NOTE)
    expect(alice.dialog().get_by_text("iManage has a newer version", exact=True)).to_be_visible()
    expect(alice.in_dialog("Get version 2 first")).to_be_visible()
    alice.look()
    alice.in_dialog("Save here").click()
    expect(alice.dialog().get_by_role("alert")).to_contain_text("iManage has a newer version")
    alice.dialog().get_by_role("radio", name="Replace latest version").check()
    expect(alice.dialog().get_by_text("Replacing it would overwrite version 2.")).to_be_visible()
    expect(alice.dialog().get_by_role("checkbox")).to_have_count(0)
    alice.dialog().get_by_role("radio", name="Save as new version").check()
    alice.dialog().get_by_label("Save on top of version 2 anyway").check()
    alice.in_dialog("Save here").click()
    has_arrived(alice, "was saved to iManage.")
    assert [one["version"] for one in alice.stack.practice.versions("alice", twin)] == [1, 2, 3]


def gets_an_older_version_into_the_history(alice: Person) -> None:
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
    alice.look()
    alice.in_dialog("Get").click()
    has_arrived(alice, "as an older version. It was not made current.")
    alice.open_matter(MATTER)
    alice.link(NOTE).click()
    expect(alice.page.get_by_text("Version 2 is current")).to_be_visible()
    expect(alice.page.get_by_role("row").filter(has_text="Make current")).to_have_count(2)


def is_told_who_has_it_checked_out(alice: Person, twin: str) -> None:
    practice = alice.stack.practice
    with practice.as_user("bram") as bram:
        locked: requests.Response = bram.post(
            f"{practice.library()}/documents/{twin}/lock", json={}, timeout=10
        )
    assert locked.ok, locked.text
    opens_save(alice, NOTE)
    expect(
        alice.dialog().get_by_role("strong").filter(has_text=re.compile("^Checked out by Bram"))
    ).to_be_visible()
    alice.look()
    alice.in_dialog("Save here").click()
    expect(alice.dialog().get_by_role("alert")).to_contain_text("Checked out by Bram")
    assert len(practice.versions("alice", twin)) == 3
