"""Late responses do not undo what was typed or focused meanwhile."""

from __future__ import annotations

import time

from playwright.sync_api import Route, expect

from tests.browser.conftest import Visit
from tests.browser.imanage import breadcrumb, sign_in_from_account
from tests.support.stack import Stack

ADA = "ada@harbourvale.example"
BRAM = "bram@harbourvale.example"
MATTER = "Project Heron"
DELAY_SECONDS = 1.0
SEARCH = "**/restriction/search"


def delay(route: Route) -> None:
    """Hold the response back for a while."""
    answer = route.fetch()
    time.sleep(DELAY_SECONDS)
    route.fulfill(response=answer)


def delay_unless_searched(route: Route) -> None:
    if "q=" in (route.request.post_data or ""):
        route.continue_()
    else:
        delay(route)


def test_a_search_result_keeps_the_focus_when_a_late_response_arrives(firm: Stack, visit: Visit) -> None:
    ada = visit(firm, ADA)
    ada.open("/admin/integrations/imanage")
    ada.page.get_by_role("main").get_by_role("table").get_by_role("link").first.click()
    ada.page.get_by_role("switch", name="Restrict to specific members").check()
    box = ada.page.get_by_label("Search members")
    box.fill("a")
    found = ada.page.locator("#found button")
    expect(found).to_have_count(2)
    alice = found.filter(has_text="Alice Archer")
    ada.page.route(SEARCH, delay)
    with ada.page.expect_response(SEARCH):
        with ada.page.expect_request(SEARCH):
            box.press_sequentially("lice")
        alice.focus()
    expect(found).to_have_count(1)
    expect(alice).to_be_focused()
    ada.page.keyboard.press("Enter")
    expect(ada.page.get_by_role("list", name="Listed members")).to_contain_text("Alice Archer")
    ada.check_page()
    ada.page.unroute_all()


def test_text_typed_before_the_first_listing_is_searched(firm: Stack, visit: Visit) -> None:
    bram = visit(firm, BRAM)
    sign_in_from_account(bram, "bram")
    bram.open_matter(MATTER)
    bram.page.route("**/browse/**", delay_unless_searched)
    bram.button("Get from iManage").click()
    bram.dialog().get_by_label("Search iManage").fill("heron")
    expect(breadcrumb(bram).get_by_text("“heron”")).to_be_visible()
    bram.page.wait_for_timeout(DELAY_SECONDS * 1500)
    expect(breadcrumb(bram).get_by_text("“heron”")).to_be_visible()
    expect(bram.dialog().get_by_label("Search iManage")).to_have_value("heron")
    bram.page.unroute_all()
