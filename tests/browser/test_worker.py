"""The worker is killed during a large get: the page says so, the next worker resumes, it arrives once."""

from __future__ import annotations

import hashlib

from playwright.sync_api import expect

from simulator.seed import LARGE
from tests.browser.conftest import Visit
from tests.browser.imanage import document_row, expect_outcome, get_large, sign_in_from_account
from tests.support.stack import Stack, until

BRAM = "bram@harbourvale.example"
MATTER = "Lease of Granary Wharf"
NAME, SIZE, SHA256 = LARGE[0]
DOCUMENT = f"{NAME}.pdf"
A_SECOND = 1 << 20


def test_a_killed_worker_loses_nothing(firm_without_faults: Stack, visit: Visit) -> None:
    stack = firm_without_faults
    bram = visit(stack, BRAM)
    sign_in_from_account(bram, "bram")
    get_large(bram, MATTER, DOCUMENT)
    stack.practice.fault("trickle", path="/download", rate=A_SECOND, times=None)
    bram.in_dialog("Get").click()
    progress = bram.page.get_by_role("progressbar", name=f"Progress of {DOCUMENT}")
    expect(progress).to_be_visible()
    until(lambda: float(progress.get_attribute("value") or 0) > A_SECOND, "A first megabyte")
    stack.kill_worker()
    try:
        expect(bram.page.get_by_text("Transfers are not running at the moment")).to_be_visible(timeout=20_000)
        expect(bram.page.get_by_text("Nothing is lost")).to_be_visible()
        bram.check_page()
    finally:
        stack.practice.clear_faults()
        stack.start_worker()
    expect_outcome(bram, "arrived from iManage")
    bram.link(f"Back to {MATTER}").click()
    expect(document_row(bram, DOCUMENT)).to_have_count(1)
    bram.link(DOCUMENT).click()
    expect(bram.page.get_by_role("table", name="Versions, newest first").get_by_role("row")).to_have_count(2)
    content = bram.download(bram.link("Download")).path().read_bytes()
    assert len(content) == SIZE
    assert hashlib.sha256(content).hexdigest() == SHA256
