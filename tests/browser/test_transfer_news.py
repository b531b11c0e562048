"""Transfer news is one line, so that documents stay visible on a narrow screen; the rest is on Transfers."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.imanage import go_into, sign_in_from_account, tick
from tests.browser.person import NARROW, Person
from tests.support.stack import Stack

MATTER = "Project Heron"


def test_news_is_one_line_and_the_rest_is_on_transfers(firm: Stack, visit: Visit) -> None:
    alice = visit(firm, "alice@practice.example")
    sign_in_from_account(alice, "alice")
    get_and_leave_page(alice, "Tax deed.docx")
    get_and_leave_page(alice, "Disclosure letter.docx")
    news = alice.page.locator("#transfers-news")
    alice.page.set_viewport_size(NARROW)
    alice.open_matter(MATTER)
    expect(news.locator(".cp-ended")).to_have_count(1, timeout=60_000)
    first = alice.page.locator("#documents").get_by_role("link").first
    expect(first).to_be_in_viewport()
    alice.check_page()
    news.get_by_role("button", name="Dismiss").click()
    expect(news).to_be_empty()
    alice.link("Transfers").click()
    row = alice.page.get_by_role("row").filter(has=alice.link("Disclosure letter.docx")).first
    expect(row).to_contain_text("From iManage")
    expect(row).to_contain_text(MATTER)
    expect(row).to_contain_text(re.compile("arrived from iManage|is already here"))
    alice.check_page()


def get_and_leave_page(alice: Person, name: str) -> None:
    """Leave for another page before the transfer has ended, so that its end is news there."""
    alice.open_matter(MATTER)
    alice.button("Get from iManage").click()
    go_into(alice, MATTER, "Drafts")
    tick(alice, name)
    alice.stack.practice.fault("slow", path="/download", seconds=1, times=1)
    alice.in_dialog("Get").click()
    alice.page.wait_for_url("**/transfers/*")
    alice.open("/account")
