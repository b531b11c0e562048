"""Two hundred documents each way, the worker killed during both: the page shows it, and each arrives once."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections import Counter
from typing import Any
from urllib.parse import unquote, urlsplit

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.imanage import OUTCOME_MS, expect_outcome, go_into, sign_in_from_account
from tests.browser.person import Person
from tests.support.stack import Stack, until

BRAM = "bram@harbourvale.example"
MATTER = "Disclosure in Project Heron"
MANY = 200
KILL_AFTER = 40
SLOW = 0.4
TWIN = "link.library || '!' || link.number || '.' || link.version"
IN_MATTER = (
    "from document join matter on matter.id = document.matter_id"
    " join version on version.document_id = document.id join link on link.version_id = version.id"
    " where matter.name = ?"
)
DOWNLOADED = re.compile(r"/documents/([^/]+)/download")


def test_two_hundred_documents_survive_a_killed_worker(firm_without_faults: Stack, visit: Visit) -> None:
    stack = firm_without_faults
    bram = visit(stack, BRAM)
    sign_in_from_account(bram, "bram")
    open_new_matter(bram)
    add_documents(bram)

    stack.practice.fault("slow", path="/documents", seconds=SLOW, times=None)
    choose_whole_matter(bram)
    bram.in_dialog("Save here").click()
    saving = states_on_its_page(bram)
    choose_two_hundred(bram)
    expect(bram.dialog().get_by_text("iManage records that you read each of these documents")).to_be_visible()
    bram.in_dialog("Get").click()
    getting = states_on_its_page(bram)
    kill_worker_during_both(bram, saving, getting)

    expect_outcome(bram, f"All {MANY} documents arrived from iManage.")
    assert_each_arrived_once(stack, getting)
    bram.open(f"/transfers/{uuid.UUID(saving)}")
    expect_outcome(bram, f"All {MANY} documents were saved to iManage.")
    assert_each_saved_once(stack, saving)


def open_new_matter(bram: Person) -> None:
    bram.open("/matters")
    bram.button("New matter").first.click()
    bram.dialog().get_by_label("Name").fill(MATTER)
    bram.in_dialog("Open matter").click()
    expect(bram.heading(MATTER)).to_be_visible()


def add_documents(bram: Person) -> None:
    bram.button("Add document").first.click()
    bram.dialog().get_by_label("File").set_input_files(
        [
            {"name": f"Closing {number:03d}.txt", "mimeType": "text/plain", "buffer": content_of(number)}
            for number in range(MANY)
        ]
    )
    bram.in_dialog("Add document").click()
    expect(bram.page.get_by_text(f"{MANY} documents have been added.")).to_be_visible(timeout=OUTCOME_MS)


def content_of(number: int) -> bytes:
    return f"Closing document {number} of the disclosure".encode()


def choose_whole_matter(bram: Person) -> None:
    bram.button("Save to iManage").click()
    bram.dialog().get_by_role("button", name=re.compile("^The whole matter")).click()
    expect(bram.dialog().get_by_text(f"{MANY} selected")).to_be_visible()
    go_into(bram, "Project Heron", "Drafts", "Superseded")


def choose_two_hundred(bram: Person) -> None:
    bram.link(f"Back to {MATTER}").click()
    bram.button("Get from iManage").click()
    go_into(bram, "Project Heron", "Disclosure")
    bram.dialog().get_by_role("button", name=re.compile("^Show 100 more")).click()
    boxes = bram.dialog().locator("#picker-documents").get_by_role("checkbox")
    expect(boxes).to_have_count(MANY)
    bram.in_dialog("Select all on this page").click()
    expect(bram.dialog().get_by_text(f"{MANY} selected")).to_be_visible()


def states_on_its_page(bram: Person) -> str:
    """The transfer's id as the database stores it."""
    bram.page.wait_for_url("**/transfers/*")
    return uuid.UUID(urlsplit(bram.page.url).path.rpartition("/")[2]).hex


def kill_worker_during_both(bram: Person, saving: str, getting: str) -> None:
    """Kill the worker in the middle of both transfers, then start another."""
    stack = bram.stack
    said = bram.page.get_by_text(re.compile(rf"^{MANY} documents from iManage: \d+ arrived, "))
    until(lambda: arrived_count(said) >= KILL_AFTER, "The middle of the transfer")
    stack.kill_worker()
    stack.practice.clear_faults()
    left = {transfer: done_count(stack, transfer) for transfer in (saving, getting)}
    assert all(0 < done < MANY for done in left.values()), f"One had not begun or had ended: {left}"

    expect(said).to_have_text(re.compile(rf": {left[getting]} arrived, "))
    main = bram.page.get_by_role("main")
    expect(main.get_by_text(re.compile("^(Running|Waiting)$")).first).to_be_visible()  # as the worker left it
    expect(main.get_by_role("progressbar", name="Documents finished")).to_be_visible()
    expect(main.get_by_text("You can leave this page. The transfer will continue.")).to_be_visible()
    bram.check_page()
    stack.start_worker()
    until(
        lambda: arrived_count(said) > left[getting] or said.count() == 0, "The next worker's first document"
    )


def arrived_count(said: Any) -> int:
    """The number in the page's sentence; 0 before it appears and after the end."""
    return int(said.inner_text().partition(": ")[2].split()[0]) if said.count() else 0


def done_count(stack: Stack, transfer_id: str) -> int:
    query = "select count(*) from transfer_item where transfer_id = ? and state = 'done'"
    count: int = stack.rows(query, transfer_id)[0][0]
    return count


def assert_each_arrived_once(stack: Stack, transfer_id: str) -> None:
    """According to the rows and to the calls that iManage received."""
    items = stack.rows("select state, source_id from transfer_item where transfer_id = ?", transfer_id)
    assert Counter(state for state, _ in items) == {"done": MANY}
    asked_for = {source_id for _, source_id in items}
    assert len(asked_for) == MANY
    paths = [unquote(str(call["path"])) for call in stack.practice.calls()]
    assert asked_for <= {found[1] for path in paths if (found := DOWNLOADED.search(path))}

    kept = stack.rows(f"select document.name, {TWIN} {IN_MATTER} and link.direction = 'got'", MATTER)
    assert len(kept) == MANY, "A document, a version or a link is missing, or exists twice."
    assert len({name for name, _ in kept}) == MANY
    assert {twin for _, twin in kept} == asked_for


def assert_each_saved_once(stack: Stack, transfer_id: str) -> None:
    """According to the rows and to the bytes in iManage's folder."""
    items = stack.rows("select state, target_id from transfer_item where transfer_id = ?", transfer_id)
    assert Counter(state for state, _ in items) == {"done": MANY}
    (folder_id,) = {target_id for _, target_id in items}
    there = {
        one["id"]: sha256_of(one)
        for one in stack.practice.documents("bram", folder_id)
        if one["name"].startswith("Closing ")
    }
    sent = [hashlib.sha256(content_of(number)).hexdigest() for number in range(MANY)]
    assert sorted(there.values()) == sorted(sent)
    links = stack.rows(f"select {TWIN} {IN_MATTER} and link.direction = 'saved'", MATTER)
    assert sorted(twin for (twin,) in links) == sorted(there)


def sha256_of(profile: dict[str, Any]) -> str:
    return str(profile["checksum"]).rpartition(":")[2].lower()
