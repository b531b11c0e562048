"""From an empty installation to a member's first document, following only what the pages say."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Visit
from tests.browser.imanage import get_closing_bible, sign_in_from_picker
from tests.browser.person import Person, fill_set_up
from tests.support.stack import Stack, installation

PASSWORD = "four plain words here"
ADMIN = "nora@harbourvale.example"
MEMBER = "lena@harbourvale.example"
SERVER = "London"
PATIENT = 30_000


@pytest.fixture
def fresh_installation(tmp_path: Path) -> Iterator[Stack]:
    with installation(tmp_path, with_firm=False) as stack:
        yield stack


def test_an_admin_gets_to_the_first_document_unaided(fresh_installation: Stack, visit: Visit) -> None:
    nora = visit(fresh_installation)
    set_up(nora)
    add_member(nora)
    manifest = make_package(nora)
    add_server_from_package(nora)

    check_connection(nora)
    expect(next_step(nora)).to_contain_text("Ask for the package to be uploaded, then check the connection.")
    nora.check_page()
    register_in_control_centre(fresh_installation, manifest)
    check_connection(nora)
    expect_all_passed(nora)

    expect(next_step(nora)).to_contain_text("Switch the server on")
    restrict_to_member(nora)
    enable_server(nora)
    expect(next_step(nora)).to_contain_text("Sign in to iManage")

    lena = visit(fresh_installation)
    lena.sign_in(MEMBER, PASSWORD)
    get_document(lena)

    nora.page.reload()
    expect(nora.page.get_by_text("All 9 steps are complete.")).to_be_visible()
    nora.check_page()


def set_up(nora: Person) -> None:
    fill_set_up(nora, ADMIN, PASSWORD)
    nora.page.get_by_role("button").last.click()
    expect(nora.heading("Matters")).to_be_visible()


def go_to(nora: Person, place: str) -> None:
    nora.link("Admin System").click()
    nora.page.get_by_role("navigation", name="Admin System").get_by_role("link", name=place).click()


def add_member(nora: Person) -> None:
    go_to(nora, "Members")
    nora.link("Add member").click()
    dialog = nora.dialog()
    dialog.get_by_label("Name").fill("Lena Ford")
    dialog.get_by_label("Email").fill(MEMBER)
    dialog.get_by_label("Password").fill(PASSWORD)
    nora.in_dialog("Add member").click()
    expect(nora.page.get_by_text("Lena Ford added.")).to_be_visible()


def make_package(nora: Person) -> dict[str, str]:
    """Make the package and return its manifest, which iManage would read."""
    go_to(nora, "Application package")
    nora.page.get_by_label("Organization").fill("Harbour & Vale LLP")
    nora.check_page()
    nora.button("Make package").click()
    expect(nora.page.get_by_text("These are only shown once")).to_be_visible()
    nora.check_page()
    saved = nora.download(nora.button("Download manifest.zip"))
    assert saved.suggested_filename == "manifest.zip"
    with zipfile.ZipFile(io.BytesIO(saved.path().read_bytes())) as archive:
        assert archive.namelist() == ["manifest.yaml"]
        written: dict[str, str] = yaml.safe_load(archive.read("manifest.yaml"))
    assert written["redirect_url"] == f"{nora.stack.url}/auth/v0/oauth2/authorized"
    return written


def register_in_control_centre(stack: Stack, manifest: dict[str, str]) -> None:
    """What the iManage admin does: upload the package with Allow Refresh Token set to Yes."""
    stack.practice.control("POST", "applications", manifest | {"allow_refresh_token": True})


def add_server_from_package(nora: Person) -> None:
    nora.button("Use it in Add server").click()
    dialog = nora.dialog()
    expect(dialog.get_by_role("radio", name="On-premise")).to_be_checked()
    expect(dialog.get_by_label("Client Secret")).to_have_count(0)
    dialog.get_by_label("Name").fill(SERVER)
    dialog.get_by_label("URL", exact=True).fill(nora.stack.practice.url)
    nora.in_dialog("Add server").click()
    expect(nora.heading(SERVER)).to_be_visible()
    expect(steps(nora).get_by_text("Done: Register the application")).to_have_count(1)
    nora.check_page()


def steps(nora: Person) -> Locator:
    return nora.page.get_by_role("list", name="Set-up")


def next_step(nora: Person) -> Locator:
    return steps(nora).get_by_role("listitem").filter(has_text="Next:")


def check_connection(nora: Person) -> None:
    """By the button of the checklist's next step."""
    next_step(nora).get_by_role("button", name="Check connection").click()
    card = nora.page.locator("#check")
    expect(card.get_by_text("Checking", exact=True)).to_be_visible()
    expect(nora.button("Copy report")).to_be_visible(timeout=PATIENT)


def expect_all_passed(nora: Person) -> None:
    card = nora.page.locator("#check")
    expect(card.get_by_text("All checks passed.")).to_be_visible()
    expect(card.get_by_text("Passed:")).not_to_have_count(0)
    for outcome in ("Failed:", "Warning:"):
        expect(card.get_by_text(outcome)).to_have_count(0)
    nora.check_page()


def restrict_to_member(nora: Person) -> None:
    page = nora.page
    page.get_by_role("switch", name="Restrict to specific members").check()
    page.get_by_label("Search members").press_sequentially("lena", delay=20)
    nora.page.get_by_role("button", name=MEMBER).click()
    expect(page.get_by_role("list", name="Listed members")).to_contain_text("Lena Ford")
    nora.button("Save").click()
    expect(page.get_by_text("Restricted (1)")).to_be_visible()


def enable_server(nora: Person) -> None:
    switch = nora.page.get_by_role("switch", name="Enabled")
    switch.click()
    expect(switch).to_be_checked()
    expect(steps(nora).get_by_text("Done: Switch the server on")).to_have_count(1)


def get_document(lena: Person) -> None:
    lena.button("New matter").first.click()
    lena.dialog().get_by_label("Name").fill("Sale of the mill")
    lena.in_dialog("Open matter").click()
    expect(lena.heading("Sale of the mill")).to_be_visible()
    sign_in_from_picker(lena, "bram")
    get_closing_bible(lena)
    lena.open_matter("Sale of the mill")
    expect(lena.link("Closing bible.pdf")).to_be_visible()
