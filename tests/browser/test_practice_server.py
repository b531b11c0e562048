"""The practice server on an installation like that of `make run`: loopback is blocked, and nothing runs by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.imanage import expect_outcome, search, tick
from tests.browser.person import Person, fill_set_up
from tests.support.stack import Practice, Stack, answers, free_port, inherited, until

PASSWORD = "four plain words here"
BANNER = "Practice iManage is a stand-in for training"
PATIENT = 30_000


@pytest.fixture
def plain_installation(tmp_path: Path) -> Iterator[Stack]:
    port, practice_port = free_port(), free_port()
    url = f"http://127.0.0.1:{port}"
    environment = inherited() | {
        "COUNTERPART_DATA_DIR": str(tmp_path / "data"),
        "COUNTERPART_PORT": str(port),
        "COUNTERPART_PUBLIC_URL": url,
        "COUNTERPART_PRACTICE_PORT": str(practice_port),
        "COUNTERPART_CHECK_MINUTES": "0",
        "PYTHONUNBUFFERED": "1",
    }
    stack = Stack(tmp_path, url, Practice(f"http://127.0.0.1:{practice_port}"), environment)
    try:
        stack.run("up", "-m", "flask", "--app", "app", "up")
        until(lambda: answers(f"{url}/health/ready"), "Counterpart")
        yield stack
    finally:
        stack.stop()


def test_the_practice_server_is_added_used_and_removed(plain_installation: Stack, visit: Visit) -> None:
    practice = f"{plain_installation.practice.url}/api"
    nora = visit(plain_installation)
    set_up(nora)
    add_practice_server(nora)
    assert not answers(practice)

    nora.page.get_by_role("switch", name="Enabled").click()
    until(lambda: answers(practice), "The practice iManage")
    nora.button("Check connection").last.click()
    expect(nora.page.get_by_text("All checks passed.")).to_be_visible(timeout=PATIENT)
    nora.check_page()
    get_document(nora)

    nora.open("/admin/integrations/imanage")
    row = nora.page.get_by_role("row").filter(has_text="Practice iManage")
    expect(row.get_by_text("Practice", exact=True)).to_be_visible()
    nora.link("Practice iManage").click()
    switch = nora.page.get_by_role("switch", name="Enabled")
    switch.click()
    until(lambda: not answers(practice), "The end of the practice iManage")
    switch.click()
    until(lambda: answers(practice), "The practice iManage")

    remove_practice_server(nora)
    until(lambda: not answers(practice), "The end of the practice iManage")
    assert not any((plain_installation.folder / "data" / "practice").iterdir())


def set_up(nora: Person) -> None:
    fill_set_up(nora, "nora@harbourvale.example", PASSWORD)
    nora.page.keyboard.press("Enter")
    expect(nora.heading("Matters")).to_be_visible()


def add_practice_server(nora: Person) -> None:
    page = nora.open("/admin/integrations/imanage")
    nora.button("Add practice server").click()
    expect(nora.dialog()).to_contain_text("It starts switched off.")
    nora.check_page()
    nora.in_dialog("Add practice server").click()
    expect(nora.heading("Practice iManage")).to_be_visible()
    expect(page.get_by_role("complementary", name="Practice")).to_contain_text(BANNER)
    expect(page.get_by_role("table", name="Practice users")).to_contain_text("bram-practice")
    next_step = page.get_by_role("list", name="Set-up").get_by_role("listitem").filter(has_text="Next:")
    expect(next_step).to_contain_text("Switch the server on")
    nora.check_page()


def get_document(nora: Person) -> None:
    """Its name replaces "iManage" and a banner is on every page, so that nobody takes it for the firm's own."""
    page = nora.open("/matters")
    nora.button("New matter").first.click()
    nora.dialog().get_by_label("Name").fill("Sale of the mill")
    nora.in_dialog("Open matter").click()
    expect(nora.heading("Sale of the mill")).to_be_visible()
    expect(page.get_by_role("complementary", name="Practice")).to_contain_text(BANNER)
    nora.button("Get from Practice iManage").click()
    nora.in_dialog("Sign in to iManage").click()
    nora.sign_in_at_imanage("bram")
    expect(nora.dialog()).to_contain_text(BANNER)
    nora.check_page()
    search(nora, "Closing bible")
    tick(nora, "Closing bible.pdf")
    nora.in_dialog("Get").click()
    expect_outcome(nora, "arrived from Practice iManage")
    expect(page.get_by_role("complementary", name="Practice")).to_contain_text(BANNER)
    nora.open_matter("Sale of the mill")
    row = page.get_by_role("row").filter(has_text="Closing bible.pdf")
    expect(row.get_by_text("Practice", exact=True)).to_be_visible()
    nora.check_page()


def remove_practice_server(nora: Person) -> None:
    nora.button("Remove server").click()
    nora.dialog().get_by_label("Server name").fill("Practice iManage")
    nora.in_dialog("Remove server").click()
    expect(nora.page.get_by_text("“Practice iManage” has been removed.")).to_be_visible()
