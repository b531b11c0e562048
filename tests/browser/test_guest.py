"""A guest sees and downloads the documents of their matters, and finds no trace of iManage."""

from __future__ import annotations

import io
import re

from openpyxl import load_workbook

from tests.browser.conftest import Visit
from tests.support.stack import Stack

TOM = "tom@lindqvist.example"
MATTER = "Lease of Granary Wharf"
DOCUMENT = "Rent schedule.xlsx"
LETTER = "Lease – Granary Wharf.docx"
IMANAGE = re.compile(r"i-?manage|practice server|twin|transfer", re.IGNORECASE)


def test_a_guest_sees_their_documents_and_nothing_of_imanage(firm: Stack, visit: Visit) -> None:
    tom = visit(firm, TOM)
    seen: list[str] = [tom.page.url]

    def assert_no_imanage() -> None:
        content = tom.page.content()
        assert not (found := IMANAGE.search(content)), content[max(0, found.start() - 200) : found.end() + 80]
        assert firm.practice.url not in content
        seen.append(tom.page.url)

    assert_no_imanage()
    assert tom.page.get_by_role("table").get_by_role("link").all_inner_texts() != []
    assert tom.page.get_by_text("Kestrel Robotics").count() == 0
    tom.open_matter(MATTER)
    assert_no_imanage()
    tom.page.get_by_role("row").filter(has_text=DOCUMENT).get_by_role("button", name="Actions").click()
    tom.page.get_by_role("row").filter(has_text=DOCUMENT).get_by_role("link", name="History").wait_for()
    assert_no_imanage()
    tom.open_matter(MATTER)
    tom.page.get_by_role("navigation", name="Matter").get_by_role("link", name="People").click()
    tom.check_page()
    assert_no_imanage()
    tom.open("/account")
    assert_no_imanage()

    tom.open_matter(MATTER)
    tom.link(DOCUMENT).click()
    tom.check_page()
    assert_no_imanage()
    download = tom.download(tom.link("Download"))
    assert download.suggested_filename == DOCUMENT
    book = load_workbook(io.BytesIO(download.path().read_bytes()))
    assert book.active["B2"].value == 120000

    tom.open_matter(MATTER)
    tom.link(LETTER).click()
    assert tom.download(tom.link("Download")).suggested_filename == LETTER

    for path in ("/transfers", "/admin/integrations/imanage", "/admin/members", "/admin/audit"):
        with tom.expecting(403, 404):
            tom.open(path)
            assert_no_imanage()
            assert tom.page.get_by_role("heading", level=1).inner_text()
    assert len(set(seen)) > 6
