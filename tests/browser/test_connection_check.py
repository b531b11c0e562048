"""Check connection: results as they arrive, the check from the browser itself, and a request sheet of one page."""

from __future__ import annotations

import re
import uuid

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import Visit
from tests.browser.person import Person
from tests.support.stack import Stack

ADMIN = "ada@harbourvale.example"
MEMBER = "alice@practice.example"
PAGE_OF_PDF = re.compile(rb"/Type\s*/Page\b(?!s)")


def server_url(stack: Stack) -> str:
    ((found,),) = stack.rows("SELECT id FROM server")
    return f"/admin/integrations/imanage/{uuid.UUID(found)}"


@pytest.fixture
def ada(firm_without_faults: Stack, visit: Visit) -> Person:
    return visit(firm_without_faults, ADMIN)


def expect_result(person: Person, outcome: str) -> None:
    expect(person.page.locator(f"[data-connectivity-state={outcome}]")).to_be_visible(timeout=15_000)
    expect(person.page.locator("[data-connectivity-state]:visible")).to_have_count(1)


def test_results_come_one_by_one_and_the_report_can_be_copied(ada: Person) -> None:
    ada.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = ada.open(server_url(ada.stack))
    ada.stack.practice.fault("slow", path="/auth/oauth2/authorize", seconds=1.5, times=1)
    card = page.locator("#check")
    card.get_by_role("button", name="Check connection").click()
    expect(card.get_by_text("Checking", exact=True)).to_be_visible()
    expect(card.locator("li.cp-check-waiting").first).to_be_visible()
    expect(card.locator("li.cp-check-pass").first).to_be_visible()
    expect(ada.button("Copy report")).to_be_visible()
    expect(card.locator("li.cp-check-waiting")).to_have_count(0)
    expect_result(ada, "reached")
    steps = page.locator("#checklist")  # the list is collapsed once all steps are done
    expect(steps.get_by_text("Done: Reach the server")).to_have_count(1)
    expect(page.locator("#health-line").get_by_text("Healthy")).to_be_visible()
    ada.check_page()
    ada.button("Copy report").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("Check of the iManage server “Practice iManage”")
    assert "[OK] Host name" in copied
    saved = ada.download(page.get_by_role("link", name="Download the report as text"))
    assert saved.suggested_filename == "Check of Practice iManage.txt"


def test_a_failure_is_open_and_links_to_its_page(ada: Person) -> None:
    ada.stack.practice.fault("status", path="/auth/oauth2/authorize", status=400, html=True, times=None)
    page = ada.open(server_url(ada.stack))
    card = page.locator("#check")
    card.get_by_role("button", name="Check connection").click()
    failed = card.locator("li.cp-check-fail")
    expect(failed).to_have_count(1)
    expect(failed.get_by_text("Who needs to act")).to_be_visible()
    expect(ada.button("Copy report")).to_be_visible()
    ada.check_page()
    failed.get_by_role("link", name="Something went wrong").click()
    expect(ada.heading("Something went wrong")).to_be_visible()
    expect(page.locator("li.cp-check-fail")).to_have_count(1)
    ada.check_page()
    ada.stack.practice.clear_faults()
    ada.button("Check now").click()
    expect(page.locator("li.cp-check-fail")).to_have_count(0)
    expect(ada.button("Copy report")).to_be_visible()


def test_a_member_checks_from_the_account_page(firm: Stack, visit: Visit) -> None:
    alice = visit(firm, MEMBER)
    alice.open("/account")
    alice.link("Check from this browser").click()
    expect(alice.heading("Can this browser reach iManage?")).to_be_visible()
    expect_result(alice, "waiting")
    alice.button("Check from this browser").click()
    expect_result(alice, "reached")
    alice.check_page()


def test_the_browser_reports_what_blocks_it(firm: Stack, visit: Visit) -> None:
    alice = visit(firm, MEMBER)
    page = alice.open("/account")
    alice.link("Check from this browser").click()
    expect(alice.button("Check from this browser")).to_be_visible()
    page.route("**/api", lambda route: route.abort("connectionrefused"))
    alice.button("Check from this browser").click()
    expect_result(alice, "blocked")
    alice.check_page()
    page.unroute("**/api")

    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/api", hold)
    page.clock.install()
    alice.button("Check from this browser").click()
    expect_result(alice, "trying")
    page.clock.fast_forward(10_000)
    expect_result(alice, "silent")
    page.clock.resume()
    alice.check_page()


def test_a_server_that_redirects_is_reached(firm_without_faults: Stack, visit: Visit) -> None:
    """Our content security policy blocks the redirect, and the page detects that."""
    alice = visit(firm_without_faults, MEMBER)
    alice.open("/account")
    alice.link("Check from this browser").click()
    firm_without_faults.practice.fault("redirect", path="/api", location="http://localhost:9/elsewhere")
    alice.button("Check from this browser").click()
    expect_result(alice, "sent-on")
    assert alice.problems and all("connect-src" in problem for problem in alice.problems)
    alice.problems.clear()
    alice.check_page()


def test_the_request_sheet_prints_on_one_page(ada: Person) -> None:
    page = ada.open(f"{server_url(ada.stack)}/request-sheet")
    ada.check_page()
    printed = page.pdf(prefer_css_page_size=True)
    assert len(PAGE_OF_PDF.findall(printed)) == 1


def test_the_longest_request_sheet_prints_on_one_page_too(ada: Person) -> None:
    """With long host names, a separate API URL and many addresses."""
    page = ada.open(f"{server_url(ada.stack)}/request-sheet")
    page.evaluate(
        """() => {
          const long = "a-rather-long-name-of-a-host.subdomain.of-a-department.a-law-firm-with-a-name.example";
          const rows = document.querySelector(".cp-sheet tbody");
          rows.append(rows.lastElementChild.cloneNode(true));
          for (const host of rows.querySelectorAll("strong")) host.textContent = long;
          document.querySelector(".cp-sheet p").append(Array(24).fill("203.0.113.255").join(", "));
          document.querySelector(".cp-sheet h2 ~ h2 + p code").append(long);
          document.querySelector("h1").append(" ", Array(100).fill("N").join(""));
        }"""
    )
    assert len(PAGE_OF_PDF.findall(page.pdf(prefer_css_page_size=True))) == 1
