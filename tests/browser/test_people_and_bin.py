"""A guest is invited, accepts an undertaking and loses access; a document and a matter go to the bin and come back."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.person import Person
from tests.support.stack import Stack

ALICE = "alice@practice.example"
PASSWORD = "quiet harbour window seven"


def new_matter(alice: Person, name: str) -> str:
    """A matter with one document; its address."""
    alice.open("/matters")
    alice.button("New matter").first.click()
    alice.dialog().get_by_label("Name", exact=True).fill(name)
    alice.in_dialog("Open matter").click()
    expect(alice.heading(name)).to_be_visible()
    alice.button("Add document").first.click()
    alice.dialog().get_by_label("File").set_input_files(
        {"name": "Draft.txt", "mimeType": "text/plain", "buffer": b"A draft."}
    )
    alice.in_dialog("Add document").click()
    expect(alice.link("Draft.txt")).to_be_visible()
    return alice.page.url


def test_a_guest_is_invited_accepts_an_undertaking_and_loses_access(firm: Stack, visit: Visit) -> None:
    alice = visit(firm, ALICE)
    address = new_matter(alice, "Sale of the mill")
    alice.open(f"{address}/people")
    alice.button("Set undertaking").click()
    alice.dialog().get_by_label("Title").fill("Confidentiality undertaking")
    alice.dialog().get_by_label("Text").fill(
        "We keep the documents confidential.\nWe delete them when asked."
    )
    alice.check_page()
    alice.in_dialog("Save").click()
    expect(alice.page.get_by_text("0 of 0 guests have accepted it.")).to_be_visible()
    alice.button("Invite guest").click()
    alice.dialog().get_by_label("Name", exact=True).fill("Petra Novak")
    alice.dialog().get_by_label("Email").fill("petra@millbuyers.example")
    alice.dialog().get_by_label("Organisation").fill("Mill Buyers")
    last_day = datetime.now(UTC).date() + timedelta(days=30)
    alice.dialog().get_by_label("Access until").fill(last_day.isoformat())
    alice.check_page()
    alice.in_dialog("Invite").click()
    link = alice.dialog().locator("#invitation-link").inner_text()
    alice.check_page()
    alice.dialog().get_by_role("link", name="Done").click()
    row = alice.page.get_by_role("row").filter(has_text="Petra Novak")
    expect(row).to_contain_text("Invited")
    expect(row).to_contain_text(f"Until {last_day.day} {last_day:%b %Y}")
    alice.page.locator("summary", has_text="What each role may do").click()
    alice.check_page()

    petra = visit(firm)
    petra.open(link)
    petra.page.get_by_label("Password").fill(PASSWORD)
    petra.button("Join").click()
    petra.link("Sale of the mill").click()
    expect(petra.heading("Confidentiality undertaking")).to_be_visible()
    expect(petra.page.get_by_text("We delete them when asked.")).to_be_visible()
    petra.check_page()
    petra.button("Accept").click()
    expect(petra.link("Draft.txt")).to_be_visible()
    expect(petra.page.get_by_text("You have access until the end of")).to_be_visible()
    petra.check_page()

    alice.open(f"{address}/people")
    expect(alice.page.get_by_text("1 of 1 guest has accepted it.")).to_be_visible()
    alice.link("Who has accepted what").click()
    expect(alice.page.get_by_role("row").filter(has_text="Petra Novak")).to_contain_text("Mill Buyers")
    alice.check_page()
    assert "Petra Novak" in alice.download(alice.link("Download CSV")).path().read_text(encoding="utf-8-sig")
    alice.open(f"{address}/people")
    alice.link("Access of Petra Novak").click()
    alice.check_page()
    alice.dialog().get_by_role("button", name="End access now").click()
    expect(alice.page.get_by_text("Access ended")).to_be_visible()
    alice.check_page()

    with petra.expecting(403):
        petra.page.get_by_role("row").filter(has_text="Draft.txt").get_by_role(
            "button", name="Actions"
        ).click()
        expect(petra.page.locator("#toasts")).to_contain_text("Your access to this matter has ended.")
    petra.open("/matters")
    expect(petra.link("Sale of the mill")).to_have_count(0)


def test_a_document_and_a_matter_are_archived_removed_and_restored(firm: Stack, visit: Visit) -> None:
    alice = visit(firm, ALICE)
    address = new_matter(alice, "Purchase of the barn")
    row = alice.page.get_by_role("row").filter(has_text="Draft.txt")
    row.get_by_role("button", name="Actions").click()
    row.get_by_role("button", name="Move to bin").click()
    expect(alice.dialog()).to_contain_text("Leads and editors can restore it for 30 days.")
    alice.check_page()
    alice.in_dialog("Move to bin").click()
    expect(alice.page.get_by_text("Draft.txt is in the bin.")).to_be_visible()
    alice.button("More").click()
    alice.check_page()
    alice.link("Bin").click()
    expect(alice.page.get_by_role("row").filter(has_text="Draft.txt")).to_contain_text("Alice")
    alice.check_page()
    alice.button("Restore Draft.txt").click()
    expect(alice.page.get_by_text("Draft.txt is back in the matter.")).to_be_visible()

    alice.open(address)
    alice.button("More").click()
    alice.button("Archive").click()
    alice.check_page()
    alice.in_dialog("Archive").click()
    expect(alice.page.get_by_text("This matter is archived", exact=True)).to_be_visible()
    expect(alice.button("Add document")).to_have_count(0)
    alice.check_page()
    alice.open("/matters")
    expect(alice.link("Purchase of the barn")).to_have_count(0)
    alice.link("Archived").click()
    alice.check_page()
    alice.link("Purchase of the barn").click()
    alice.button("Reactivate").click()
    expect(alice.button("Add document")).to_be_visible()

    alice.button("More").click()
    alice.button("Move to bin").click()
    expect(alice.dialog()).to_contain_text(re.compile("its 1 document"))
    alice.check_page()
    alice.in_dialog("Move to bin").click()
    expect(alice.page.get_by_text("Purchase of the barn is in the bin.")).to_be_visible()
    alice.link("Bin").click()
    alice.check_page()
    alice.button("Restore Purchase of the barn").click()
    expect(alice.link("Draft.txt")).to_be_visible()
