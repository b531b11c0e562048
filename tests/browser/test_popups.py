"""Pop-ups show at once that they are loading, and Escape does not discard what was typed without asking."""

from __future__ import annotations

from playwright.sync_api import Route, expect

from tests.browser.conftest import Visit
from tests.browser.person import Person
from tests.support.stack import Stack

ADA = "ada@harbourvale.example"
BRAM = "bram@harbourvale.example"
SECRET = "typed once, not to be typed again"
PRESS_ESCAPE = (
    "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape', bubbles: true}))"
)
PRESS_CLOSE = "document.querySelector('#dialog [data-close]').click()"
GO_BACK = "history.back()"


def hold(person: Person, address: str) -> list[Route]:
    """Requests to the address from now on: none is answered until the test does."""
    held: list[Route] = []

    def keep(route: Route) -> None:
        held.append(route)

    person.page.route(address, keep)
    return held


def expect_loading(person: Person, button: str, address: str, ready: str) -> None:
    held = hold(person, address)
    person.button(button).first.click()
    expect(person.dialog()).to_contain_text("Loading…")
    person.check_page()
    held[0].continue_()
    expect(person.dialog().get_by_role("heading", name=ready)).to_be_visible()
    expect(person.dialog()).to_have_count(1)
    person.page.unroute_all()


def test_a_pop_up_shows_at_once_that_it_is_loading(firm: Stack, visit: Visit) -> None:
    ada = visit(firm, ADA)
    ada.open("/admin/integrations/imanage")
    expect_loading(ada, "Add server", "**/imanage/new", "Add server")
    ada.page.keyboard.press("Escape")
    expect(ada.dialog()).to_have_count(0)
    expect(ada.button("Add server")).to_be_focused()
    bram = visit(firm, BRAM)
    expect_loading(bram, "New matter", "**/matters/new", "New matter")


def test_a_pop_up_closed_while_loading_stays_closed(firm: Stack, visit: Visit) -> None:
    """It is gone and its request aborted at once: no response comes in time to replace it."""
    ada = visit(firm, ADA)
    ada.open("/admin/integrations/imanage")
    hold(ada, "**/imanage/new")
    for close in (PRESS_ESCAPE, PRESS_CLOSE, GO_BACK):
        ada.button("Add server").click()
        expect(ada.dialog()).to_contain_text("Loading…")
        with ada.page.expect_event("requestfailed"):
            left = ada.page.evaluate(f"{close}, document.querySelectorAll('#dialog dialog').length")
        assert left == 0 or close == GO_BACK  # which the browser does later
        expect(ada.dialog()).to_have_count(0)
        expect(ada.button("Add server")).to_be_focused()
        ada.page.wait_for_function("() => !history.state?.step")
    ada.page.unroute_all()


def test_a_pop_up_that_fails_to_load_leaves_the_page_unchanged(firm: Stack, visit: Visit) -> None:
    ada = visit(firm, ADA)
    ada.open("/admin/integrations/imanage")
    ada.page.route("**/imanage/new", lambda route: route.fulfill(status=502, body="a proxy's own page"))
    with ada.expecting(502):
        ada.button("Add server").click()
        expect(ada.page.get_by_text("We could not reach Counterpart.")).to_be_visible()
    expect(ada.dialog()).to_have_count(0)
    expect(ada.button("Add server")).to_be_focused()
    ada.page.unroute_all()


def test_escape_asks_before_typed_credentials_are_discarded(firm: Stack, visit: Visit) -> None:
    ada = visit(firm, ADA)
    ada.open("/admin/integrations/imanage")
    ada.button("Add server").click()
    dialog, secret = ada.dialog(), ada.dialog().get_by_label("Client Secret")
    secret.fill(SECRET)
    ada.page.keyboard.press("Escape")
    expect(dialog).to_contain_text("Leave without saving?")
    ada.check_page()
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
