"""A System Admin sets up an empty installation, adds members, and adds and removes iManage servers."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, expect

from simulator import practice_password
from tests.browser.conftest import Visit
from tests.browser.imanage import get_closing_bible, sign_in_from_picker
from tests.browser.person import Person
from tests.support.stack import CLIENT_ID, Stack

PASSWORD = "four plain words here"
ADMIN = "nora@harbourvale.example"
LISTED = "lena@harbourvale.example"
UNLISTED = "una@harbourvale.example"
NAME = "London"


def test_the_admin_sets_up_connects_restricts_and_removes(empty: Stack, visit: Visit) -> None:
    nora = visit(empty)
    create_first_system_admin(nora)
    add_member(nora, "Lena Ford", LISTED)
    add_member(nora, "Una Blake", UNLISTED)

    add_on_premise_server_after_errors(nora)
    restrict_to_one_member(nora)
    set_enabled(nora, on=True)

    lena = visit(empty)
    lena.sign_in(LISTED, PASSWORD)
    get_document_as_listed_member(lena)
    una = visit(empty)
    una.sign_in(UNLISTED, PASSWORD)
    expect_nothing_for_unlisted_member(una, lena)

    add_cloud_server(nora)
    open_server(nora, NAME)
    set_enabled(nora, on=False)
    lena.open("/matters")
    lena.link("Sale of the mill").click()
    expect(lena.button("Get from iManage")).to_have_count(0)
    lena.check_page()
    remove_server_by_typed_name(nora)
    appoint_new_lead(nora, una)


def create_first_system_admin(nora: Person) -> None:
    """With the code that only the terminal shows. A wrong one is reported at its field, and the input is kept."""
    nora.open("/")
    expect(nora.heading("Set up Counterpart")).to_be_visible()
    found = re.search(r"Set-up code:\s+(\S+)", nora.stack.processes["up"].said())
    assert found, nora.stack.processes["up"].said()
    page = nora.page
    page.get_by_label("Set-up code").fill("AAAAA-AAAAA-AAAAA-AAAAA")
    page.get_by_label("Name").fill("Nora Vale")
    page.get_by_label("Email").fill(ADMIN)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("This is not the current set-up code.")
    expect(page.get_by_label("Name")).to_have_value("Nora Vale")
    nora.check_page()
    page.get_by_label("Set-up code").fill(found[1].lower())
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(nora.heading("Matters")).to_be_visible()
    nora.check_page()
    nora.open("/set-up")
    expect(nora.heading("Set up Counterpart")).to_have_count(0)


def add_member(nora: Person, name: str, email: str) -> None:
    nora.open("/")
    nora.link("Admin System").click()
    nora.page.get_by_role("navigation", name="Admin System").get_by_role("link", name="Members").click()
    nora.link("Add member").click()
    dialog = nora.dialog()
    expect(dialog.get_by_role("heading", name="Add member")).to_be_visible()
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("Email").fill(email)
    dialog.get_by_label("Password").fill(PASSWORD)
    nora.check_page()
    nora.in_dialog("Add member").click()
    expect(dialog).to_have_count(0)
    nora.open("/admin/members")
    expect(nora.page.get_by_role("row").filter(has_text=email)).to_be_visible()


def add_on_premise_server_after_errors(nora: Person) -> None:
    """By keyboard, from opening the pop-up to sending the form."""
    practice = nora.stack.practice
    page, dialog = nora.page, nora.dialog()
    nora.open("/")
    nora.link("Admin System").click()
    page.get_by_role("navigation", name="Admin System").get_by_role("link", name="iManage").click()
    expect(page.get_by_text("No iManage servers yet")).to_be_visible()
    nora.check_page()
    nora.button("Add server").focus()
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("heading", name="Add server")).to_be_visible()
    nora.check_page()
    expect(dialog.get_by_role("radio", name="Cloud iManage")).to_be_checked()
    dialog.get_by_role("radio", name="Cloud iManage").focus()
    page.keyboard.press("ArrowDown")
    expect(dialog.get_by_label("URL", exact=True)).to_be_visible()
    expect(dialog.get_by_label("Subdomain")).to_have_count(0)

    dialog.get_by_label("Name").fill(NAME)
    dialog.get_by_label("URL", exact=True).fill("javascript:alert(1)")
    page.keyboard.press("Enter")
    expect(invalid(dialog.get_by_label("URL", exact=True))).to_be_visible()
    expect(invalid(dialog.get_by_label("Client ID"))).to_be_visible()
    expect(invalid(dialog.get_by_label("Client Secret"))).to_be_visible()
    expect(dialog.get_by_label("Name")).to_have_value(NAME)
    expect(dialog.get_by_label("URL", exact=True)).to_have_value("javascript:alert(1)")
    nora.check_page()

    dialog.get_by_label("URL", exact=True).fill("https://firm.cloudimanage.com")
    page.keyboard.press("Enter")
    nora.in_dialog("Change to Cloud iManage").click()
    expect(dialog.get_by_role("radio", name="Cloud iManage")).to_be_checked()
    expect(dialog.get_by_label("Subdomain")).to_have_value("firm")
    nora.check_page()
    dialog.get_by_role("radio", name="On-premise").check()

    dialog.get_by_label("URL", exact=True).fill(practice.url)
    page.keyboard.press("Tab")
    expect(dialog.get_by_label("API URL")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.type(CLIENT_ID)
    page.keyboard.press("Tab")
    page.keyboard.type(practice_password(CLIENT_ID))
    page.keyboard.press("Enter")
    expect(nora.heading(NAME)).to_be_visible()
    expect(
        page.get_by_text(f"“{NAME}” has been added. Members see it once you switch it on.")
    ).to_be_visible()
    expect(page.get_by_role("switch", name="Enabled")).not_to_be_checked()
    nora.check_page()


def invalid(field: Locator) -> Locator:
    """The field, if it is marked as invalid and described."""
    return field.and_(field.page.locator("[aria-invalid=true][aria-describedby]"))


def restrict_to_one_member(nora: Person) -> None:
    page = nora.page
    page.get_by_role("switch", name="Restrict to specific members").check()
    page.get_by_label("Search members").press_sequentially(LISTED.split("@", maxsplit=1)[0], delay=20)
    page.get_by_role("button", name=LISTED).press("Enter")
    expect(page.get_by_role("list", name="Listed members")).to_contain_text("Lena Ford")
    nora.check_page()
    nora.button("Save").click()
    expect(page.get_by_text("Saved. Only")).to_be_visible()
    expect(page.get_by_text("Restricted (1)")).to_be_visible()
    nora.check_page()


def set_enabled(nora: Person, *, on: bool) -> None:
    switch = nora.page.get_by_role("switch", name="Enabled")
    switch.focus()
    nora.page.keyboard.press("Space")
    if on:  # it has never been checked
        expect(nora.dialog()).to_contain_text("not been checked yet")
        nora.check_page()
        nora.in_dialog("Enable anyway").click()
        expect(nora.dialog()).to_have_count(0)
        expect(switch).to_be_focused()
        expect(nora.page.get_by_text("is on. It has not been checked yet")).to_be_visible()
    expect(nora.page.locator("#server-state").get_by_text("On" if on else "Off", exact=True)).to_be_visible()
    expect(switch).to_be_checked(checked=on)
    nora.check_page()


def get_document_as_listed_member(lena: Person) -> None:
    lena.button("New matter").first.click()
    lena.dialog().get_by_label("Name").fill("Sale of the mill")
    lena.dialog().get_by_label("Client number").fill("20001")
    lena.in_dialog("Open matter").click()
    expect(lena.heading("Sale of the mill")).to_be_visible()
    lena.check_page()
    sign_in_from_picker(lena, "bram")
    get_closing_bible(lena)


def expect_nothing_for_unlisted_member(una: Person, lena: Person) -> None:
    una.button("New matter").first.click()
    una.dialog().get_by_label("Name").fill("Purchase of the mill")
    una.in_dialog("Open matter").click()
    expect(una.heading("Purchase of the mill")).to_be_visible()
    una.check_page()
    for path in (una.page.url, "/account", "/matters", "/transfers"):
        una.open(path)
        expect(una.button("Get from iManage")).to_have_count(0)
        assert NAME not in una.page.content()
        assert una.stack.practice.url not in una.page.content()
    lena.open("/account")
    expect(lena.page.get_by_role("table", name="Connected accounts")).to_contain_text("Signed in")


def add_cloud_server(nora: Person) -> None:
    nora.open("/admin/integrations/imanage")
    nora.button("Add server").click()
    dialog = nora.dialog()
    dialog.get_by_label("Name").fill("Firm-wide")
    dialog.get_by_label("Subdomain").fill("harbourvale.example")
    dialog.get_by_label("Client ID").fill("counterpart")
    dialog.get_by_label("Client Secret").fill("typed once, kept sealed")
    nora.in_dialog("Add server").click()
    expect(invalid(dialog.get_by_label("Subdomain"))).to_be_visible()
    dialog.get_by_label("Subdomain").fill("https://harbourvale.cloudimanage.com/work")
    dialog.get_by_label("Client Secret").fill("typed once, kept sealed")
    nora.in_dialog("Add server").click()
    expect(nora.heading("Firm-wide")).to_be_visible()
    expect(nora.page.get_by_text("We used the subdomain “harbourvale” from the address")).to_be_visible()
    expect(nora.page.get_by_text("harbourvale.cloudimanage.com").first).to_be_visible()
    assert "typed once, kept sealed" not in nora.page.content()
    nora.check_page()


def open_server(nora: Person, name: str) -> None:
    nora.open("/admin/integrations/imanage")
    nora.link(name).click()
    expect(nora.heading(name)).to_be_visible()


def remove_server_by_typed_name(nora: Person) -> None:
    nora.button("Remove server").click()
    expect(nora.dialog()).to_contain_text("1 link between documents here and in iManage is removed.")
    nora.check_page()
    nora.in_dialog("Remove server").click()
    field = nora.dialog().get_by_label("Server name")
    expect(invalid(field)).to_be_visible()
    field.fill(NAME)
    nora.in_dialog("Remove server").click()
    expect(nora.page.get_by_text(f"“{NAME}” has been removed.")).to_be_visible()
    expect(nora.page.get_by_role("table", name="iManage servers")).not_to_contain_text(NAME)
    expect(nora.link("Firm-wide")).to_be_visible()
    nora.check_page()


def appoint_new_lead(nora: Person, una: Person) -> None:
    page = nora.open("/admin/members")
    page.get_by_role("link", name=LISTED).click()
    nora.link("Deactivate").click()
    expect(nora.dialog().get_by_text("This matter has no other lead")).to_be_visible()
    nora.check_page()
    nora.in_dialog("Deactivate").click()
    expect(page.get_by_text("Lena Ford deactivated and signed out everywhere.")).to_be_visible()
    nora.open("/admin/members")
    nora.link("Appoint a lead").click()
    expect(nora.heading("Matters without a lead")).to_be_visible()
    nora.check_page()
    nora.link("Appoint a lead").click()
    nora.dialog().get_by_label("Search members").press_sequentially("una", delay=20)
    found = nora.dialog().get_by_role("listitem").filter(has_text=UNLISTED)
    expect(found).to_be_visible()
    nora.check_page()
    found.get_by_role("button", name="Make lead").click()
    expect(page.get_by_text("Una Blake is now the lead of Sale of the mill.")).to_be_visible()
    expect(page.get_by_text("Every matter has a lead")).to_be_visible()
    nora.check_page()
    una.open_matter("Sale of the mill")
