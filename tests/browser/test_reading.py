"""A member compares two versions, looks at a PDF page by page, and verifies a receipt offline."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import FilePayload, expect

from commands.demo_firm import ALICE
from tests.browser.conftest import Visit
from tests.browser.person import Person
from tests.support.documents import pdf, word
from tests.support.repository import ROOT
from tests.support.stack import Stack

CLAUSES = [
    f"{number}. The Supplier shall keep clause {number} in force during the Term." for number in range(1, 31)
]
OLD = [*CLAUSES, "The Customer shall pay within thirty days.", "This agreement is governed by English law."]
NEW = [
    *CLAUSES,
    "The Customer shall pay within sixty days of the invoice.",
    "Notices are sent by post.",
    OLD[-1],
]
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def add_version(person: Person, file: FilePayload, note: str = "") -> None:
    person.button("New version").click()
    person.dialog().get_by_label("File").set_input_files(file)
    person.dialog().get_by_label("Note").fill(note)
    person.in_dialog("Add version").click()
    expect(person.page.get_by_text("is now the current version")).to_be_visible()


def row_action(person: Person, version: int, action: str) -> None:
    person.page.get_by_role("button", name=f"Actions for version {version}").click()
    person.page.get_by_role("row").get_by_text(action, exact=True).locator("visible=true").click()


def test_versions_are_compared_previewed_and_receipted(firm: Stack, visit: Visit, tmp_path: Path) -> None:
    alice = visit(firm, ALICE.member.email)
    page = alice.page
    alice.open("/")
    alice.button("New matter").click()
    alice.dialog().get_by_label("Name").fill("Supply terms")
    alice.in_dialog("Open matter").click()
    page.get_by_role("button", name="Add document").first.click()
    alice.dialog().get_by_label("File").set_input_files(
        FilePayload(name="Terms.docx", mimeType=DOCX, buffer=word(*OLD))
    )
    alice.dialog().get_by_role("button", name="Add", exact=False).last.click()
    alice.link("Terms.docx").click()
    add_version(
        alice, FilePayload(name="Terms.docx", mimeType=DOCX, buffer=word(*NEW)), "Longer payment term"
    )

    row_action(alice, 2, "Edit note")
    alice.check_page()
    alice.dialog().get_by_label("Note").fill("Payment in sixty days")
    alice.in_dialog("Save").click()
    expect(page.get_by_role("cell", name="Payment in sixty days")).to_be_visible()
    row_action(alice, 1, "Make current")
    expect(alice.dialog()).to_contain_text("becomes the current version")
    alice.check_page()
    alice.in_dialog("Cancel").click()

    alice.link("Compare").click()
    expect(page.get_by_text("2 changes")).to_be_visible()
    alice.check_page()
    expect(page.locator("del").filter(has_text="thirty")).to_be_visible()
    expect(page.get_by_role("insertion").filter(has_text="Notices are sent by post.")).to_be_visible()
    for key, place in (("n", 1), ("n", 2), ("n", 2), ("p", 1)):
        page.keyboard.press(key)
        expect(page.get_by_text(f"Change {place} of 2")).to_be_visible()
        expect(page.locator(f"#change-{place}")).to_be_focused()

    alice.link("Terms.docx").click()
    signed = pdf(OLD[-2:], ["Signed by both parties."])
    add_version(alice, FilePayload(name="Terms.pdf", mimeType="application/pdf", buffer=signed))
    row_action(alice, 3, "Preview")
    expect(page.get_by_role("img", name="Page 1 of 2")).to_be_visible()
    alice.check_page()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("img", name="Page 2 of 2")).to_be_visible()
    page.get_by_text("Text of this page").click()
    expect(page.get_by_text("Signed by both parties.")).to_be_visible()

    alice.link("Terms.docx").click()
    row_action(alice, 2, "Receipt")
    expect(page.get_by_role("heading", name="What the receipt states")).to_be_visible()
    alice.check_page()
    receipt, keys = tmp_path / "receipt.json", tmp_path / "keys.json"
    alice.download(alice.link("Download JSON")).save_as(receipt)
    keys.write_text(page.request.get("/receipt-keys.json").text())
    command = [
        sys.executable,
        "-I",
        str(ROOT / "docs" / "verify_receipt.py"),
        str(receipt),
        "--keys",
        str(keys),
    ]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout.startswith(
        "Verified: Terms.docx v2"
    )
    assert json.loads(receipt.read_bytes())["version"]["number"] == 2
    assert alice.download(alice.link("Download PDF")).suggested_filename == "Terms v2 receipt.pdf"
