"""Every way to save, through the pop-ups, for one document and for many, and what iManage stores afterwards."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.imanage import expect_outcome, go_into, sign_in_from_account
from tests.browser.person import Person
from tests.support.stack import Stack, until

ALICE = "alice@practice.example"
MATTER = "Saving every way"
WORKSPACE, FOLDER = "Project Heron", "Correspondence"
NAMES = ("Undertaking.docx", "Guarantee.docx", "Waiver.docx")


def test_each_target_works_for_one_document_and_for_many(firm: Stack, visit: Visit) -> None:
    alice = visit(firm, ALICE)
    sign_in_from_account(alice, "alice")
    create_matter_with_documents(alice)
    one, others = NAMES[0], NAMES[1:]

    save_one(alice, one, "new_document")
    first = imanage_id(alice, one)
    assert stored_versions(alice, first) == {1: sha256_of(one, 1)}

    add_version(alice, one, 2)
    save_one(alice, one, "new_version")
    assert stored_versions(alice, first) == {1: sha256_of(one, 1), 2: sha256_of(one, 2)}

    add_version(alice, one, 3)
    save_one(alice, one, "replace")
    expect_outcome(alice, f"{one} replaced version 2 in iManage.")
    assert stored_versions(alice, first) == {1: sha256_of(one, 1), 2: sha256_of(one, 3)}

    save_many(alice, others, "new_document")
    ids = [imanage_id(alice, name) for name in others]
    assert len({first, *ids}) == 3
    for name, twin in zip(others, ids, strict=True):
        assert stored_versions(alice, twin) == {1: sha256_of(name, 1)}
        add_version(alice, name, 2)

    save_many(alice, others, "twins")
    for name, twin in zip(others, ids, strict=True):
        assert imanage_id(alice, name) == twin
        assert stored_versions(alice, twin) == {1: sha256_of(name, 1), 2: sha256_of(name, 2)}
        add_version(alice, name, 3)

    save_many(alice, others, "replace")
    expect_outcome(alice, "All 2 documents replaced the latest versions in iManage.")
    for name, twin in zip(others, ids, strict=True):
        assert stored_versions(alice, twin) == {1: sha256_of(name, 1), 2: sha256_of(name, 3)}
    assert stored_versions(alice, first) == {1: sha256_of(one, 1), 2: sha256_of(one, 3)}

    add_version(alice, one, 4)
    delete_in_imanage(alice, first, versions=2)
    expect_only_new_document(alice, one)
    save_to_another(alice, others[0])
    assert stored_versions(alice, ids[0])[3] == sha256_of(one, 4)


def save_to_another(alice: Person, name: str) -> None:
    """In the pop-up that is open: onto a document which is another one's twin."""
    alice.dialog().get_by_role("radio", name="Save to another document").check()
    go_into(alice, WORKSPACE, FOLDER)
    alice.dialog().get_by_role("radio", name=re.compile(f"^{name}")).check()
    alice.check_page()
    alice.in_dialog("Save here").click()
    expect_outcome(alice, re.compile("was saved to iManage"))


def delete_in_imanage(alice: Person, twin: str, versions: int) -> None:
    practice = alice.stack.practice
    with practice.as_user("alice") as session:
        for number in range(versions, 0, -1):
            address = f"{practice.library()}/documents/{twin.rsplit('.', 1)[0]}.{number}"
            assert session.delete(address, timeout=10).ok


def expect_only_new_document(alice: Person, name: str) -> None:
    """The pop-up opens before iManage has answered, and disables what is impossible once it has."""
    alice.open_matter(MATTER)
    alice.link(name).click()
    alice.button("Save to iManage").click()
    ways = alice.dialog().get_by_role("group", name="How")
    expect(ways.get_by_text("Lost", exact=True)).to_be_visible()
    expect(ways.get_by_role("radio", name="Save as new version")).to_be_disabled()
    expect(ways.get_by_role("radio", name="Replace latest version")).to_be_disabled()
    expect(ways.get_by_role("radio", name="Save as new document")).to_be_checked()
    expect(alice.dialog().get_by_label("Name", exact=True)).to_be_visible()
    alice.check_page()


def content(name: str, version: int) -> bytes:
    return f"{name}, version {version} here".encode()


def sha256_of(name: str, version: int) -> str:
    return hashlib.sha256(content(name, version)).hexdigest()


def create_matter_with_documents(alice: Person) -> None:
    alice.open("/matters")
    alice.button("New matter").click()
    alice.dialog().get_by_label("Name", exact=True).fill(MATTER)
    alice.in_dialog("Open matter").click()
    expect(alice.heading(MATTER)).to_be_visible()
    alice.button("Add document").first.click()
    alice.dialog().get_by_label("File").set_input_files(
        [{"name": name, "mimeType": "application/octet-stream", "buffer": content(name, 1)} for name in NAMES]
    )
    alice.in_dialog("Add document").click()
    expect(alice.page.get_by_text("3 documents have been added.")).to_be_visible()


def add_version(alice: Person, name: str, version: int) -> None:
    alice.open_matter(MATTER)
    alice.link(name).click()
    alice.button("New version").click()
    alice.dialog().get_by_label("File").set_input_files(
        {"name": name, "mimeType": "application/octet-stream", "buffer": content(name, version)}
    )
    alice.in_dialog("Add version").click()
    expect(alice.page.get_by_text(f"Version {version} has been added")).to_be_visible()


def save_one(alice: Person, name: str, target: str) -> None:
    alice.open_matter(MATTER)
    alice.link(name).click()
    alice.button("Save to iManage").click()
    choose_and_save(alice, target)


def save_many(alice: Person, names: tuple[str, ...], target: str) -> None:
    alice.open_matter(MATTER)
    for name in names:
        alice.page.get_by_role("checkbox", name=name, exact=True).check()
    bar = alice.page.get_by_role("region", name="Selected documents")
    bar.get_by_role("button", name="Save to iManage").click()
    expect(alice.dialog().get_by_text(f"{len(names)} selected")).to_be_visible()
    choose_and_save(alice, target)


def choose_and_save(alice: Person, target: str) -> None:
    """Choose the target by its value. A document without a twin has no choice."""
    ways = alice.dialog().locator("input[name=target]")
    expect(ways.first).to_be_attached()
    if ways.first.get_attribute("type") == "radio":
        alice.dialog().locator(f"input[name=target][value={target}]").check()
    if target == "new_document":
        go_into(alice, WORKSPACE, FOLDER)
    alice.check_page()
    alice.in_dialog("Save here").click()
    alice.page.wait_for_url("**/transfers/*")
    transfer_id = alice.page.url.rsplit("/", 1)[-1].replace("-", "")

    def is_over() -> bool:
        return {state for (state,) in states(alice, transfer_id)} <= {
            "done",
            "failed",
            "stopped",
            "needs_decision",
        }

    until(is_over, "The end of the save")
    assert {state for (state,) in states(alice, transfer_id)} == {"done"}


def states(alice: Person, transfer_id: str) -> list[tuple[Any, ...]]:
    return alice.stack.rows("SELECT state FROM transfer_item WHERE transfer_id = ?", transfer_id)


def imanage_id(alice: Person, name: str) -> str:
    """The id in iManage of the one document of this name that Alice saved into the folder."""
    stem = name.rsplit(".", 1)[0]
    found = [one for one in alice.stack.practice.documents("alice", folder_id(alice)) if one["name"] == stem]
    assert len(found) == 1, found
    return f"Active!{found[0]['document_number']}.1"


def folder_id(alice: Person) -> str:
    rows = alice.stack.rows(
        "SELECT i.target_id FROM transfer_item i JOIN transfer t ON t.id = i.transfer_id "
        "JOIN matter m ON m.id = t.matter_id WHERE m.name = ? AND i.target = 'new_document'",
        MATTER,
    )
    return str(rows[0][0])


def stored_versions(alice: Person, twin: str) -> dict[int, str]:
    """The SHA-256 of each version in iManage, by number."""
    versions = alice.stack.practice.versions("alice", twin)
    return {one["version"]: one["checksum"].rpartition(":")[2].lower() for one in versions}
