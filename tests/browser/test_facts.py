"""The facts about a server: an admin looks at them, corrects one, returns it, and has the server learned."""

from __future__ import annotations

from playwright.sync_api import expect

from commands.demo_firm import ADMIN
from tests.browser.conftest import Visit
from tests.browser.imanage import accounts, sign_in_from_account
from tests.support.stack import Stack

SERVER = "Practice iManage"


def test_an_admin_corrects_a_fact(firm_without_faults: Stack, visit: Visit) -> None:
    admin = visit(firm_without_faults, ADMIN.member.email)
    admin.open("/admin/integrations/imanage")
    page = admin.page
    page.get_by_role("link", name=SERVER).click()
    page.get_by_role("link", name="See the facts").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(SERVER)
    admin.check_page()
    row = page.get_by_role("row").filter(has_text="Most rows in one call")
    expect(row).to_contain_text("Assumed")
    row.get_by_role("button", name="Correct Most rows in one call").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Value").fill("many")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Enter a whole number above 0.")
    admin.check_page()
    dialog.get_by_label("Value").fill("500")
    dialog.get_by_role("button", name="Save").click()
    expect(row).to_contain_text("500")
    expect(row).to_contain_text("Told by an admin")
    expect(row).to_contain_text(f"by {ADMIN.member.name}")
    with page.expect_download() as saved:
        page.get_by_role("link", name="Download report").click()
    text = saved.value.path().read_text()
    assert "Most rows in one call: 500 (told by an admin; publicly known: 9,999)" in text
    assert SERVER not in text
    row.get_by_role("button", name="Correct Most rows in one call").click()
    dialog.get_by_role("button", name="Return to the assumed value").click()
    expect(row).to_contain_text("Assumed")
    expect(row).to_contain_text("9,999")


def test_an_admin_learns_the_server(firm_without_faults: Stack, visit: Visit) -> None:
    admin = visit(firm_without_faults, ADMIN.member.email)
    page = admin.page
    sign_in_from_account(admin, "alice")
    admin.open("/admin/integrations/imanage")
    admin.link(SERVER).click()
    page.locator("#facts").get_by_role("button", name="Learn this server").click()
    admin.dialog().get_by_label("Scratch folder").fill("nowhere")
    admin.in_dialog("Learn this server").click()
    expect(admin.dialog().get_by_role("alert")).to_contain_text("Enter the folder’s ID")
    admin.check_page()
    admin.dialog().get_by_label("Scratch folder").fill("")
    admin.in_dialog("Learn this server").click()
    expect(page.get_by_text("facts measured with")).to_be_visible(timeout=30_000)
    row = page.get_by_role("row").filter(has_text="Downloads can be continued")
    expect(row).to_contain_text("Measured")
    page.get_by_text("Every request").click()
    expect(page.get_by_text("GET /api", exact=True).first).to_be_visible()
    admin.check_page()
    admin.open("/account")
    accounts(admin).get_by_role("button", name="Disconnect", exact=True).click()
    admin.in_dialog("Disconnect").click()
    expect(accounts(admin).get_by_role("button", name="Sign in", exact=True)).to_be_visible()
