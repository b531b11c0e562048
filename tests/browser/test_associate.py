"""An associate gets documents from iManage, saves them back and works through what is not in step."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.imanage import disconnect, document_row, expect_outcome, go_into, search, tick
from tests.browser.person import Person
from tests.support.stack import Stack

ALICE = "alice@practice.example"
MATTER = "Project Heron"
AGREEMENT = "SPA – Project Heron.docx"
SEARCHED = re.compile(r"^Company search – Project Heron\.\w+")


def test_the_associate_gets_saves_and_follows_drift(firm: Stack, visit: Visit) -> None:
    alice = visit(firm, ALICE)
    disconnect(alice)
    alice.open_matter(MATTER)
    sign_in_and_return_to_pop_up(alice)
    twin = get_two_documents(alice)
    save_as_new_document(alice)
    save_as_new_version(alice, twin)
    ignore_until_it_changes_again(alice, twin)
    get_as_next_version(alice)
    save_from_drift(alice, twin)
    link_and_unlink(alice)


def sign_in_and_return_to_pop_up(alice: Person) -> None:
    alice.button("Get from iManage").click()
    expect(alice.dialog().get_by_role("heading", name="Sign in to iManage")).to_be_visible()
    alice.check_page()
    alice.in_dialog("Sign in to iManage").click()
    alice.sign_in_at_imanage("alice")
    expect(alice.dialog().get_by_role("heading", name="Get from iManage")).to_be_visible()
    expect(alice.dialog().get_by_text(f"Into {MATTER}")).to_be_visible()
    expect(alice.heading(MATTER)).to_be_attached()


def get_two_documents(alice: Person) -> str:
    """Get one from a folder and one from a search. Returns the id of the agreement in iManage."""
    go_into(alice, MATTER, "Drafts")
    tick(alice, AGREEMENT)
    alice.check_page()
    search(alice, "Company search")
    alice.in_dialog("Search all of iManage").click()
    tick(alice, SEARCHED)
    expect(alice.dialog().get_by_text("2 selected")).to_be_visible()
    alice.check_page()
    alice.in_dialog("Get").click()
    expect_outcome(alice, "All 2 documents arrived from iManage.")

    alice.link(f"Back to {MATTER}").click()
    row = document_row(alice, AGREEMENT)
    expect(row).to_have_count(1)
    expect(row).to_contain_text("Active")
    expect(alice.page.get_by_role("link", name=SEARCHED)).to_have_count(1)
    alice.check_page()
    reference = row.get_by_role("cell").filter(has_text="Active").inner_text()
    library, number, version = reference.split()[:3]
    assert version == "v3"
    return f"{library}!{number}.3"


def save_as_new_document(alice: Person) -> None:
    row = document_row(alice, "Steps paper.pdf")
    row.get_by_role("button", name="Actions").click()
    row.get_by_role("button", name="Save to iManage").click()
    expect(alice.dialog().get_by_role("heading", name="Save to iManage")).to_be_visible()
    expect(alice.dialog().get_by_label("Name", exact=True)).to_have_value("Steps paper")
    go_into(alice, MATTER, "Correspondence")
    expect(alice.dialog().get_by_text("Saving in “Correspondence”.")).to_be_visible()
    alice.check_page()
    alice.in_dialog("Save here").click()
    expect_outcome(alice, "was saved to iManage.")

    with alice.context.expect_page() as opened:
        alice.link("Open in iManage").click()
    there = opened.value
    expect(there.get_by_role("heading", name="Steps paper.pdf")).to_be_visible()
    assert there.url.startswith(alice.stack.practice.url)
    assert there.evaluate("window.opener") is None
    there.close()


def save_as_new_version(alice: Person, twin: str) -> None:
    alice.open_matter(MATTER)
    alice.link(AGREEMENT).click()
    alice.button("New version").click()
    alice.dialog().get_by_label("File").set_input_files(
        {"name": "Marked up.docx", "mimeType": "application/octet-stream", "buffer": b"Marked up by Alice"}
    )
    alice.in_dialog("Add version").click()
    expect(alice.page.get_by_text("Version 2 has been added and is now the current version.")).to_be_visible()

    alice.button("Save to iManage").click()
    expect(alice.dialog().get_by_role("radio", name="Save as new version")).to_be_checked()
    alice.check_page()
    alice.in_dialog("Save here").click()
    expect_outcome(alice, "was saved to iManage.")
    assert [one["version"] for one in alice.stack.practice.versions("alice", twin)] == [1, 2, 3, 4]


def ignore_until_it_changes_again(alice: Person, twin: str) -> None:
    """Two versions are made in iManage: the first is ignored, the second brings the document back. Nothing moves."""
    practice = alice.stack.practice
    practice.add_version("bram", twin, b"Bram's formatting")
    alice.open_matter(MATTER)
    expect(alice.page.get_by_role("navigation", name="Filter by state")).to_contain_text("Same")
    alice.check_page()
    alice.link("Drift").click()
    check_now(alice)
    expect(document_row(alice, AGREEMENT)).to_contain_text("iManage has version 5.")
    document_row(alice, AGREEMENT).get_by_role("checkbox").check()
    alice.check_page()
    alice.button("Ignore").click()
    alice.dialog().get_by_label("Reason").fill("Their formatting only")
    alice.check_page()
    alice.in_dialog("Ignore").click()
    expect(document_row(alice, AGREEMENT)).to_have_count(0)
    alice.link("Ignored 1").click()
    expect(document_row(alice, AGREEMENT)).to_contain_text("Ignored by Alice Archer")
    alice.check_page()

    practice.add_version("bram", twin, b"Bram's changes, made in iManage")
    check_now(alice)
    expect(document_row(alice, AGREEMENT)).to_contain_text("iManage has version 6.")


def get_as_next_version(alice: Person) -> None:
    document_row(alice, AGREEMENT).get_by_role("button", name="Actions").click()
    alice.page.get_by_role("button", name="Get newer version Added").click()
    expect(alice.dialog()).to_contain_text("The latest version in iManage becomes the next version here.")
    alice.check_page()
    alice.in_dialog("Get").click()
    expect_outcome(alice, "arrived from iManage")
    alice.link(AGREEMENT).click()
    expect(alice.page.get_by_text("Version 3 is current")).to_be_visible()
    expect(alice.page.get_by_text("Newer in iManage")).to_have_count(0)
    with alice.page.expect_download() as info:
        alice.link("Download").click()
    assert info.value.path().read_bytes() == b"Bram's changes, made in iManage"
    alice.check_page()


def save_from_drift(alice: Person, twin: str) -> None:
    alice.button("New version").click()
    alice.dialog().get_by_label("File").set_input_files(
        {"name": "Final.docx", "mimeType": "application/octet-stream", "buffer": b"The final text"}
    )
    alice.in_dialog("Add version").click()
    expect(alice.page.get_by_text("Version 4 has been added")).to_be_visible()
    alice.open_matter(MATTER)
    alice.link("Drift").click()
    row = document_row(alice, AGREEMENT)
    row.get_by_role("button", name="Actions").click()
    row.get_by_role("button", name="Save to iManage").click()
    expect(alice.dialog().get_by_role("radio", name="Save as new version")).to_be_checked()
    alice.in_dialog("Save here").click()
    expect_outcome(alice, "was saved to iManage.")
    assert len(alice.stack.practice.versions("alice", twin)) == 7
    alice.open_matter(MATTER)
    alice.link("Drift").click()
    expect(alice.page.get_by_role("heading", name="Everything is in step")).to_be_visible()
    alice.check_page()


def link_and_unlink(alice: Person) -> None:
    """By hand: a document here, and one in iManage that a search finds."""
    alice.open_matter(MATTER)
    alice.link("Steps paper.pdf").click()
    alice.button("Unlink").click()
    expect(alice.dialog()).to_contain_text("Nothing is deleted")
    alice.check_page()
    alice.in_dialog("Unlink").click()
    expect(alice.page.get_by_text("1 document is unlinked.")).to_be_visible()
    expect(alice.page.get_by_role("list", name="Twins")).to_have_count(0)
    alice.button("More").click()
    alice.page.get_by_role("button", name=re.compile("^Link A document")).click()
    found = alice.dialog().get_by_role("button", name=re.compile("^Steps paper.*Same content$"))
    expect(found.first).to_be_visible()
    alice.check_page()
    found.first.click()
    expect(alice.page.get_by_role("list", name="Twins")).to_contain_text("Same")
    alice.check_page()


def check_now(alice: Person) -> None:
    alice.button("Check now").click()
    expect(alice.page.get_by_text(re.compile("twins checked:|^SPA.*docx: "))).to_be_visible()
    alice.open(alice.page.url.partition("?")[0])
