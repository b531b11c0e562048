"""What a guest sees: the documents of their matters, and nothing of iManage."""

from __future__ import annotations

import io
import re

from openpyxl import load_workbook

from tests.browser.conftest import Sit
from tests.support.stack import Stack

TOM = "tom@lindqvist.example"
MATTER = "Lease of Granary Wharf"
DOCUMENT = "Rent schedule.xlsx"
LETTER = "Lease – Granary Wharf.docx"
IMANAGE = re.compile(r"i-?manage|practice server|twin|transfer", re.IGNORECASE)


def test_a_guest_sees_their_documents_and_nothing_of_imanage(firm: Stack, sit: Sit) -> None:
    tom = sit(firm, TOM)
    seen: list[str] = [tom.page.url]

    def nothing_of_imanage() -> None:
        content = tom.page.content()
        assert not (found := IMANAGE.search(content)), content[max(0, found.start() - 200) : found.end() + 80]
        assert firm.practice.url not in content
        seen.append(tom.page.url)

    nothing_of_imanage()
    assert tom.page.get_by_role("table").get_by_role("link").all_inner_texts() != []
    assert tom.page.get_by_text("Kestrel Robotics").count() == 0
    tom.open_matter(MATTER)
    nothing_of_imanage()
    tom.page.get_by_role("row").filter(has_text=DOCUMENT).get_by_role("button", name="Actions").click()
    tom.page.get_by_role("row").filter(has_text=DOCUMENT).get_by_role("link", name="History").wait_for()
    nothing_of_imanage()
    tom.open_matter(MATTER)
    tom.page.get_by_role("navigation", name="Matter").get_by_role("link", name="People").click()
    tom.look()
    nothing_of_imanage()
    tom.open("/account")
    nothing_of_imanage()

    tom.open_matter(MATTER)
    tom.link(DOCUMENT).click()
    tom.look()
    nothing_of_imanage()
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
            nothing_of_imanage()
            assert tom.page.get_by_role("heading", level=1).inner_text()
    assert len(set(seen)) > 6
