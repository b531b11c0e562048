"""Ticked documents are downloaded as a zip file and put into the closing index, ordered by keyboard and mouse."""

from __future__ import annotations

import zipfile

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.support.stack import Stack

CAROL = "carol@practice.example"
MATTER = "Kestrel Robotics – Series B"


def test_from_ticked_documents_to_the_index(firm: Stack, visit: Visit) -> None:
    carol = visit(firm, CAROL)
    carol.open_matter(MATTER)
    ticks = carol.page.locator("#documents [name=document]")
    names = [carol.page.locator(".cp-doc a").nth(at).inner_text() for at in (0, 1)]
    for at in (0, 1):
        ticks.nth(at).check()
    with carol.page.expect_download() as download:
        carol.button("Download as zip").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.testzip() is None and sorted(archive.namelist()) == sorted(names)
    assert download.value.suggested_filename == f"{MATTER}.zip"

    carol.button("Add to index").click()
    expect(carol.page.get_by_text("2 documents have been added to the index.")).to_be_visible()
    carol.button("Add heading").click()
    carol.dialog().get_by_label("Title").fill("Closing <set>")
    carol.in_dialog("Add heading").click()
    rows = carol.page.locator("[data-row]")
    expect(rows).to_have_count(3)
    carol.button("Up: Closing <set>").focus()
    carol.page.keyboard.press("Enter")
    expect(rows.nth(1)).to_contain_text("Closing <set>")
    expect(carol.button("Up: Closing <set>")).to_be_focused()
    rows.nth(1).drag_to(rows.nth(0), target_position={"x": 30, "y": 4})
    expect(rows.nth(0)).to_contain_text("Closing <set>")
    carol.check_page()
    with carol.page.expect_download() as download:
        carol.page.get_by_role("link", name="PDF", exact=True).click()
    assert download.value.path().read_bytes().startswith(b"%PDF")
    carol.button("Closing <set>").click()
    carol.in_dialog("Remove from index").click()
    expect(rows).to_have_count(2)
