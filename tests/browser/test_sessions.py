"""Sessions that end while a page is open, the Back button, double clicks, appearance and the keyboard."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from commands.demo_firm import PASSWORD
from tests.browser.conftest import Visit
from tests.browser.imanage import expect_outcome, get_large, go_into, sign_in_from_account
from tests.browser.person import Person
from tests.support.stack import Stack

BRAM = "bram@harbourvale.example"
CAROL = "carol@practice.example"
MATTER = "Project Heron"


def sign_out(person: Person) -> None:
    person.button("Bram de Vries").or_(person.button("Carol Mensah")).click()
    person.button("Sign out").click()
    expect(person.heading("Sign in")).to_be_visible()


def test_a_session_that_ends_during_a_poll_leads_to_sign_in(firm_without_faults: Stack, visit: Visit) -> None:
    stack = firm_without_faults
    bram = visit(stack, BRAM)
    sign_in_from_account(bram, "bram")
    get_large(bram, MATTER, "Data room index.pdf")
    stack.practice.fault("trickle", path="/download", rate=1 << 20, times=None)
    bram.in_dialog("Get").click()
    expect(bram.page.get_by_role("progressbar", name="Documents finished")).to_be_visible()
    transfer = bram.page.url
    bram.allowed.add(401)
    elsewhere = bram.context.new_page()
    elsewhere.goto("/account")
    elsewhere.get_by_role("button", name="Bram de Vries").click()
    elsewhere.get_by_role("button", name="Sign out", exact=True).click()
    expect(elsewhere.get_by_role("heading", name="Sign in")).to_be_visible()
    elsewhere.close()

    expect(bram.heading("Sign in")).to_be_visible()
    expect(bram.page.get_by_role("table")).to_have_count(0)
    expect(bram.page.get_by_role("heading")).to_have_count(1)
    bram.check_page()
    stack.practice.clear_faults()
    bram.page.get_by_label("Email").fill(BRAM)
    bram.page.get_by_label("Password").fill(PASSWORD)
    bram.button("Sign in").click()
    expect(bram.heading("Get from iManage")).to_be_visible()
    assert bram.page.url == transfer, "Signing in again did not lead back to the open page."
    expect_outcome(bram, "arrived from iManage")


def test_back_after_signing_out_shows_nothing(firm: Stack, visit: Visit) -> None:
    carol = visit(firm, CAROL)
    carol.open_matter(MATTER)
    sign_out(carol)
    carol.page.go_back()
    expect(carol.heading("Sign in")).to_be_visible()
    assert "Facility agreement" not in carol.page.content()
    carol.page.go_back()
    assert "Facility agreement" not in carol.page.content()


def test_a_double_click_on_get_makes_one_transfer(firm_without_faults: Stack, visit: Visit) -> None:
    bram = visit(firm_without_faults, BRAM)
    sign_in_from_account(bram, "bram")
    bram.open("/transfers")
    before = bram.page.get_by_role("table", name="Your transfers").get_by_role("row").count()
    bram.open_matter(MATTER)
    bram.button("Get from iManage").click()
    go_into(bram, MATTER, "Searches")
    bram.dialog().get_by_role("checkbox").first.check()
    bram.in_dialog("Get").dblclick()
    expect_outcome(bram, re.compile("arrived from iManage|is already here"))
    bram.open("/transfers")
    rows = bram.page.get_by_role("table", name="Your transfers").get_by_role("row")
    expect(rows).to_have_count(before + 1 if before else 2)


def test_a_chosen_appearance_is_kept(firm: Stack, visit: Visit) -> None:
    carol = visit(firm, CAROL, color_scheme="light")
    page = carol.page
    carol.button("Appearance").click()
    carol.button("Dark").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    for path in ("/matters", "/account", "/transfers"):
        carol.open(path)
        expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    carol.open_matter(MATTER)
    carol.button("Appearance").click()
    carol.button("Same as this device").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")


def test_a_pop_up_is_used_and_left_by_keyboard(firm: Stack, visit: Visit) -> None:
    carol = visit(firm, CAROL)
    carol.button("New matter").focus()
    carol.page.keyboard.press("Enter")
    expect(carol.dialog().get_by_label("Name")).to_be_focused()
    for _ in range(12):
        carol.page.keyboard.press("Tab")
        assert carol.page.evaluate(
            "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
        ), "Tab leaves the pop-up."
    carol.page.keyboard.press("Escape")
    expect(carol.dialog()).to_have_count(0)
    expect(carol.button("New matter")).to_be_focused()

    carol.open_matter(MATTER)
    row = carol.page.get_by_role("row").filter(has_text="Steps paper.pdf")
    row.get_by_role("button", name="Actions").focus()
    carol.page.keyboard.press("ArrowDown")
    expect(row.get_by_role("button", name="Rename")).to_be_visible()
    carol.page.keyboard.press("End")
    expect(row.get_by_role("button", name="Move to bin")).to_be_focused()
    carol.page.keyboard.press("ArrowUp")
    expect(row.get_by_role("button", name="Rename")).to_be_focused()
    carol.page.keyboard.press("Enter")
    expect(carol.dialog().get_by_label("Name")).to_be_focused()
    carol.page.keyboard.press("Escape")
    expect(row.get_by_role("button", name="Actions")).to_be_focused()

    # Opened again it holds the items of the last time until the fresh ones are there; the focus stays on its item.
    with carol.page.expect_response("**/actions"):
        carol.page.keyboard.press("ArrowDown")
        carol.page.keyboard.press("End")
    carol.page.wait_for_load_state("networkidle")
    expect(row.get_by_role("button", name="Move to bin")).to_be_focused()


def end_session_elsewhere(person: Person) -> None:
    person.allowed |= {400, 401, 409}
    elsewhere = person.context.new_page()
    elsewhere.goto("/account")
    elsewhere.get_by_role("button", name="Carol Mensah").click()
    elsewhere.get_by_role("button", name="Sign out", exact=True).click()
    expect(elsewhere.get_by_role("heading", name="Sign in")).to_be_visible()
    elsewhere.close()


def sign_in_elsewhere(person: Person, email: str) -> None:
    """Through the notice's link, which opens another tab."""
    with person.context.expect_page() as opened:
        person.page.get_by_role("link", name="Sign in in a new tab").click()
    tab = opened.value
    tab.get_by_label("Email").fill(email)
    tab.get_by_label("Password").fill(PASSWORD)
    tab.get_by_role("button", name="Sign in").click()
    expect(tab.get_by_role("heading", name="Matters")).to_be_visible()
    tab.close()


def test_form_input_survives_the_session_and_is_sent_after_signing_in(firm: Stack, visit: Visit) -> None:
    carol = visit(firm, CAROL)
    carol.button("New matter").click()
    carol.dialog().get_by_label("Name").fill("Project Wren")
    end_session_elsewhere(carol)
    carol.in_dialog("Open matter").click()
    expect(carol.page.get_by_text("You were signed out")).to_be_visible()
    expect(carol.dialog().get_by_label("Name")).to_have_value("Project Wren")
    carol.check_page()
    sign_in_elsewhere(carol, CAROL)
    carol.in_dialog("Open matter").click()
    expect(carol.heading("Project Wren")).to_be_visible()


def test_a_file_is_not_sent_until_the_session_is_confirmed(firm: Stack, visit: Visit) -> None:
    carol = visit(firm, CAROL)
    carol.open_matter(MATTER)
    carol.button("Add document").click()
    file = {"name": "Outlived.txt", "mimeType": "text/plain", "buffer": b"x" * 20_000_000}
    carol.dialog().get_by_label("File").set_input_files(file)
    end_session_elsewhere(carol)
    sent: list[str] = []
    carol.page.on("request", lambda request: request.method == "POST" and sent.append(request.url))
    carol.in_dialog("Add document").click()
    expect(carol.page.get_by_text("You were signed out")).to_be_visible()
    assert sent == []
    sign_in_elsewhere(carol, CAROL)
    carol.in_dialog("Add document").click()
    expect(carol.page.get_by_role("table").get_by_text("Outlived.txt")).to_be_visible()


def test_a_page_opened_by_one_member_sends_nothing_as_another(firm: Stack, visit: Visit) -> None:
    carol = visit(firm, CAROL)
    carol.button("New matter").click()
    carol.dialog().get_by_label("Name").fill("Project Wagtail")
    end_session_elsewhere(carol)
    carol.in_dialog("Open matter").click()
    sign_in_elsewhere(carol, BRAM)
    carol.in_dialog("Open matter").click()
    expect(carol.page.get_by_text("You are now signed in as Bram de Vries.")).to_be_visible()
    expect(carol.dialog().get_by_label("Name")).to_have_value("Project Wagtail")


def test_signing_in_again_elsewhere_requires_one_more_click(firm: Stack, visit: Visit) -> None:
    carol = visit(firm, CAROL)
    carol.button("New matter").click()
    carol.dialog().get_by_label("Name").fill("Project Dunnock")
    end_session_elsewhere(carol)
    tab = carol.context.new_page()
    tab.goto("/sign-in")
    tab.get_by_label("Email").fill(CAROL)
    tab.get_by_label("Password").fill(PASSWORD)
    tab.get_by_role("button", name="Sign in").click()
    expect(tab.get_by_role("heading", name="Matters")).to_be_visible()
    carol.in_dialog("Open matter").click()
    expect(carol.page.get_by_text("You have signed in again since you opened this page")).to_be_visible()
    carol.in_dialog("Open matter").click()
    expect(carol.heading("Project Dunnock")).to_be_visible()
