"""A file whose name is taken is refused when it is chosen, and none of it is sent."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Request, expect

from tests.browser.conftest import Visit
from tests.support.stack import Stack

CAROL = "carol@practice.example"
MATTER = "Kestrel Robotics – Series B"
TAKEN = "Cap table.xlsx"


def test_a_taken_name_is_refused_before_the_upload(firm: Stack, visit: Visit, tmp_path: Path) -> None:
    carol = visit(firm, CAROL)
    carol.open_matter(MATTER)
    sent: list[str] = []

    def note(request: Request) -> None:
        if request.method == "POST" and request.url.endswith("/documents/new"):
            sent.append(request.url)

    carol.page.on("request", note)
    large = tmp_path / TAKEN
    with large.open("wb") as file:
        file.truncate(1 << 30)
    carol.button("Add document").click()
    chooser = carol.dialog().get_by_label("File")
    chooser.set_input_files(large)
    problem = carol.dialog().get_by_role("alert")
    expect(problem).to_contain_text(f"This matter already has a document named {TAKEN}.")
    expect(problem).to_have_count(1)
    expect(chooser).to_have_attribute("aria-invalid", "true")
    carol.check_page()
    carol.in_dialog("Add document").click()
    expect(problem).to_have_count(1)
    expect(carol.in_dialog("Add document")).not_to_have_attribute("aria-busy", "true")
    assert sent == []

    other = tmp_path / "Option pool.xlsx"
    other.write_bytes(b"pool")
    chooser.set_input_files([large, other])
    expect(problem).to_contain_text(f"{TAKEN}: This matter already has")
    chooser.set_input_files(other)
    expect(problem).to_have_count(0)
    carol.in_dialog("Add document").click()
    expect(carol.page.get_by_text("Option pool.xlsx has been added.")).to_be_visible()
    assert len(sent) == 1
