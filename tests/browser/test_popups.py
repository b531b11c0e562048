"""Pop-ups: one that is on its way shows so at once, and one that holds what was typed is not dropped by Escape."""

from __future__ import annotations

import time

from playwright.sync_api import Route, expect

from tests.browser.conftest import Sit
from tests.browser.person import Person
from tests.support.stack import Stack

ADA = "ada@harbourvale.example"
BRAM = "bram@harbourvale.example"
LATE = 1.5
SECRET = "typed once, not to be typed again"


def dawdles(route: Route) -> None:
    """An answer that is on its way for a while."""
    answer = route.fetch()
    time.sleep(LATE)
    route.fulfill(response=answer)


def shows_that_it_loads(person: Person, button: str, address: str, ready: str) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    person.page.route(address, hold)
    person.button(button).first.click()
    expect(person.dialog()).to_contain_text("Loading…")
    person.look()
    held[0].continue_()
    expect(person.dialog().get_by_role("heading", name=ready)).to_be_visible()
    expect(person.dialog()).to_have_count(1)
    person.page.unroute_all()


def test_a_pop_up_shows_at_once_that_it_loads(firm: Stack, sit: Sit) -> None:
    ada = sit(firm, ADA)
    ada.open("/admin/integrations/imanage")
    shows_that_it_loads(ada, "Add server", "**/imanage/new", "Add server")
    ada.page.keyboard.press("Escape")
    expect(ada.dialog()).to_have_count(0)
    expect(ada.button("Add server")).to_be_focused()
    bram = sit(firm, BRAM)
    shows_that_it_loads(bram, "New matter", "**/matters/new", "New matter")


def test_a_pop_up_that_is_shut_before_it_came_stays_shut(firm: Stack, sit: Sit) -> None:
    ada = sit(firm, ADA)
    ada.open("/admin/integrations/imanage")
    ada.page.route("**/imanage/new", dawdles)
    ada.button("Add server").click()
    expect(ada.dialog()).to_contain_text("Loading…")
    ada.page.keyboard.press("Escape")
    expect(ada.dialog()).to_have_count(0)
    expect(ada.button("Add server")).to_be_focused()
    ada.page.wait_for_timeout(LATE * 1500)
    expect(ada.dialog()).to_have_count(0)
    ada.page.unroute_all()


def test_a_pop_up_that_is_refused_leaves_the_page_as_it_was(firm: Stack, sit: Sit) -> None:
    ada = sit(firm, ADA)
    ada.open("/admin/integrations/imanage")
    ada.page.route("**/imanage/new", lambda route: route.fulfill(status=502, body="a proxy's own words"))
    with ada.expecting(502):
        ada.button("Add server").click()
        expect(ada.page.get_by_text("We could not reach Counterpart.")).to_be_visible()
    expect(ada.dialog()).to_have_count(0)
    expect(ada.button("Add server")).to_be_focused()
    ada.page.unroute_all()


def test_escape_asks_before_typed_credentials_are_dropped(firm: Stack, sit: Sit) -> None:
    ada = sit(firm, ADA)
    ada.open("/admin/integrations/imanage")
    ada.button("Add server").click()
    dialog, secret = ada.dialog(), ada.dialog().get_by_label("Client Secret")
    secret.fill(SECRET)
    ada.page.keyboard.press("Escape")
    expect(dialog).to_contain_text("Leave without saving?")
    ada.look()
    ada.page.keyboard.press("Escape")
    expect(dialog).not_to_contain_text("Leave without saving?")
    expect(secret).to_have_value(SECRET)
    ada.page.keyboard.press("Escape")
    ada.in_dialog("Keep editing").click()
    expect(secret).to_have_value(SECRET)
    ada.in_dialog("Add server").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Enter a name.")
    ada.page.keyboard.press("Escape")
    expect(dialog).to_contain_text("Leave without saving?")
    ada.in_dialog("Leave").click()
    expect(dialog).to_have_count(0)
    expect(ada.button("Add server")).to_be_focused()
