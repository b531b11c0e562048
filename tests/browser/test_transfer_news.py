"""Transfer news is one line, so that documents stay visible on a narrow screen; the rest is on Transfers."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.imanage import (
    downloads_wait,
    go_into,
    leave_transfer,
    sign_in_from_account,
    tick,
    until_transfers_finished,
)
from tests.browser.person import NARROW, Person
from tests.support.stack import Stack

MATTER = "Kestrel Robotics – Series B"


def test_news_is_one_line_and_the_rest_is_on_transfers(firm_without_faults: Stack, visit: Visit) -> None:
    alice = visit(firm_without_faults, "alice@practice.example")
    sign_in_from_account(alice, "alice")
    with downloads_wait(alice):
        get_and_leave_page(alice, "Tax deed.docx")
        get_and_leave_page(alice, "Disclosure letter.docx")
    until_transfers_finished(alice)
    news = alice.page.locator("#transfers-news")
    alice.page.set_viewport_size(NARROW)
    alice.open_matter(MATTER)
    expect(news.locator(".cp-ended")).to_have_count(1)
    expect(news.get_by_role("link", name=re.compile(r"See \d+ more"))).to_be_visible()
    first = alice.page.locator("#documents").get_by_role("link").first
    expect(first).to_be_in_viewport()
    alice.check_page()
    news.get_by_role("button", name="Dismiss").click()
    expect(news).to_be_empty()
    alice.link("Transfers").click()
    row = alice.page.get_by_role("row").filter(has=alice.link("Disclosure letter.docx")).first
    expect(row).to_contain_text("From iManage")
    expect(row).to_contain_text(MATTER)
    expect(row).to_contain_text("arrived from iManage")
    alice.check_page()


def get_and_leave_page(alice: Person, name: str) -> None:
    alice.open_matter(MATTER)
    alice.button("Get from iManage").click()
    go_into(alice, "Project Heron", "Drafts")
    tick(alice, name)
    alice.in_dialog("Get").click()
    leave_transfer(alice)
