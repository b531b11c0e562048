"""Hands that are faster than answers: what is pressed or typed before an answer has come is not undone by it."""

from __future__ import annotations

import time

from playwright.sync_api import Route, expect

from tests.browser.conftest import Sit
from tests.browser.imanage import sign_in_from_account, where
from tests.support.stack import Stack

ADA = "ada@harbourvale.example"
BRAM = "bram@harbourvale.example"
MATTER = "Project Heron"
LATE = 1.0
SEARCH = "**/restriction/search"


def dawdles(route: Route) -> None:
    """An answer that is on its way for a while."""
    answer = route.fetch()
    time.sleep(LATE)
    route.fulfill(response=answer)


def dawdles_unless_searched(route: Route) -> None:
    if "q=" in (route.request.post_data or ""):
        route.continue_()
    else:
        dawdles(route)


def test_a_found_member_keeps_the_focus_while_a_later_answer_comes(firm: Stack, sit: Sit) -> None:
    ada = sit(firm, ADA)
    ada.open("/admin/integrations/imanage")
    ada.page.get_by_role("main").get_by_role("table").get_by_role("link").first.click()
    ada.page.get_by_role("switch", name="Restrict to specific members").check()
    box = ada.page.get_by_label("Search members")
    box.fill("a")
    found = ada.page.locator("#found button")
    expect(found).to_have_count(2)
    alice = found.filter(has_text="Alice Archer")
    ada.page.route(SEARCH, dawdles)
    with ada.page.expect_response(SEARCH):
        with ada.page.expect_request(SEARCH):
            box.press_sequentially("lice")
        alice.focus()
    expect(found).to_have_count(1)
    expect(alice).to_be_focused()
    ada.page.keyboard.press("Enter")
    expect(ada.page.get_by_role("list", name="Listed members")).to_contain_text("Alice Archer")
    ada.look()
    ada.page.unroute_all()


def test_words_typed_before_the_first_list_are_searched_for(firm: Stack, sit: Sit) -> None:
    bram = sit(firm, BRAM)
    sign_in_from_account(bram, "bram")
    bram.open_matter(MATTER)
    bram.page.route("**/browse/**", dawdles_unless_searched)
    bram.button("Get from iManage").click()
    bram.dialog().get_by_label("Search iManage").fill("heron")
    expect(where(bram).get_by_text("“heron”")).to_be_visible()
    bram.page.wait_for_timeout(LATE * 1500)
    expect(where(bram).get_by_text("“heron”")).to_be_visible()
    expect(bram.dialog().get_by_label("Search iManage")).to_have_value("heron")
    bram.page.unroute_all()
