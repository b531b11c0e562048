"""Members with less access: a viewer, a member who disconnects, and one who denies access in iManage."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.imanage import accounts, document_row, sign_in_from_account
from tests.support.stack import Stack

ADA = "ada@harbourvale.example"
ALICE = "alice@practice.example"
CAROL = "carol@practice.example"
MATTER = "Kestrel Robotics – Series B"
DOCUMENT = "Cap table.xlsx"


def test_a_viewer_has_no_transfer_actions(firm: Stack, visit: Visit) -> None:
    alice = visit(firm, ALICE)
    alice.open_matter(MATTER)
    alice.page.get_by_role("navigation", name="Matter").get_by_role("link", name="People").click()
    alice.page.get_by_label("Search people").press_sequentially("Ada", delay=20)
    alice.page.get_by_role("button", name="Ada Kerr").click()
    expect(alice.page.get_by_label("Role of Ada Kerr")).to_have_value("viewer")
    alice.check_page()

    ada = visit(firm, ADA)
    ada.open_matter(MATTER)
    expect(ada.button("Get from iManage")).to_have_count(0)
    expect(ada.button("Save to iManage")).to_have_count(0)
    expect(ada.button("Add document")).to_have_count(0)
    row = document_row(ada, DOCUMENT)
    row.get_by_role("button", name="Actions").click()
    expect(row.get_by_role("link", name="Download")).to_be_visible()
    expect(row.get_by_role("button", name="iManage")).to_have_count(0)
    expect(row.get_by_role("button", name="New version")).to_have_count(0)
    ada.check_page()
    ada.open_matter(MATTER)
    ada.link(DOCUMENT).click()
    expect(ada.heading(DOCUMENT)).to_be_visible()
    expect(ada.button("Get from iManage")).to_have_count(0)
    expect(ada.button("Save to iManage")).to_have_count(0)
    ada.check_page()


def test_disconnecting_asks_for_a_new_sign_in(firm: Stack, visit: Visit) -> None:
    carol = visit(firm, CAROL)
    sign_in_from_account(carol, "carol")
    expect(accounts(carol)).to_contain_text("Signed in")
    accounts(carol).get_by_role("button", name="Disconnect").click()
    expect(carol.dialog()).to_contain_text("You must sign in again")
    carol.check_page()
    carol.in_dialog("Disconnect").click()
    expect(carol.page.get_by_text("You are disconnected.")).to_be_visible()
    expect(accounts(carol)).to_contain_text("Not signed in")
    carol.check_page()
    carol.open_matter(MATTER)
    carol.button("Get from iManage").click()
    expect(carol.dialog().get_by_role("heading", name="Sign in to iManage")).to_be_visible()


def test_a_sign_in_denied_in_imanage_has_its_page(firm: Stack, visit: Visit) -> None:
    carol = visit(firm, CAROL)
    carol.open_matter(MATTER)
    matter = carol.page.url
    carol.button("Get from iManage").click()
    carol.in_dialog("Sign in to iManage").click()
    expect(carol.page.get_by_role("button", name="Deny")).to_be_visible()
    with carol.expecting(400, 403, 409):
        carol.page.get_by_role("button", name="Deny").click()
        expect(carol.page.get_by_role("heading", level=1)).to_contain_text("did not allow")
        carol.check_page()
    carol.link("Go back to your work").click()
    expect(carol.heading(MATTER)).to_be_visible()
    assert carol.page.url.split("?")[0] == matter
