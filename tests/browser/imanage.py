"""Steps that several browser tests take with iManage."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Locator, expect

from tests.browser.person import Person
from tests.support.stack import until

OUTCOME_MS = 60_000


def sign_in_from_account(person: Person, user: str) -> None:
    """Sign in to iManage on the account page, unless they are signed in already."""
    person.open("/account")
    if accounts(person).get_by_role("button", name="Disconnect", exact=True).count():
        return
    accounts(person).get_by_role("button", name="Sign in", exact=True).click()
    person.sign_in_at_imanage(user)
    expect(person.page.get_by_text("You are signed in to iManage as")).to_be_visible()
    person.check_page()


def sign_in_from_picker(person: Person, user: str) -> None:
    """Open the picker in a matter, and sign in to iManage from it unless they are signed in already."""
    person.button("Get from iManage").click()
    sign_in = person.in_dialog("Sign in to iManage")
    expect(sign_in.or_(person.in_dialog("Get"))).to_be_visible()
    if sign_in.is_visible():
        sign_in.click()
        person.sign_in_at_imanage(user)


def disconnect(person: Person) -> None:
    """End the person's sign-in to iManage, if they have one."""
    person.open("/account")
    button = accounts(person).get_by_role("button", name="Disconnect", exact=True)
    if button.count():
        button.click()
        person.in_dialog("Disconnect").click()
        expect(person.page.get_by_text("You are disconnected.")).to_be_visible()


def accounts(person: Person) -> Locator:
    return person.page.get_by_role("table", name="Connected accounts")


def go_into(person: Person, workspace: str, *folders: str) -> None:
    """Open a folder by path, starting from the favourites. The pop-up may have opened in the previous folder."""
    favourites, top = person.in_dialog("Favourites"), person.in_dialog("Workspaces")
    expect(favourites.or_(top).first).to_be_visible()
    if not favourites.is_visible():
        top.click()
    favourites.click()
    expect(person.in_dialog("Favourites")).to_have_attribute("aria-pressed", "true")
    for name in (workspace, *folders):
        person.dialog().locator("#picker-containers").get_by_role("button", name=name).first.click()
        expect(breadcrumb(person).get_by_text(name, exact=True)).to_be_visible()


def breadcrumb(person: Person) -> Locator:
    return person.dialog().get_by_role("navigation", name="Where you are in iManage")


def search(person: Person, words: str) -> None:
    person.dialog().get_by_label("Search iManage").fill(words)
    expect(breadcrumb(person).get_by_text(f"“{words}”")).to_be_visible()


def tick(person: Person, name: str | re.Pattern[str]) -> None:
    person.dialog().get_by_role("checkbox", name=name).check()


def choose(person: Person, name: str | re.Pattern[str]) -> None:
    """Like `tick`, in a list of which only one can be selected."""
    person.dialog().get_by_role("radio", name=name).check()


def get_closing_bible(person: Person) -> None:
    """Find a document in the open picker by a search, and get it."""
    search(person, "Closing bible")
    tick(person, "Closing bible.pdf")
    person.in_dialog("Get").click()
    expect_outcome(person, "arrived from iManage")


def get_large(person: Person, matter: str, name: str | re.Pattern[str]) -> None:
    """Open the picker in a matter and choose one of the practice server's large documents."""
    person.open_matter(matter)
    person.button("Get from iManage").click()
    go_into(person, "Project Heron", "Data room")
    tick(person, name)


def expect_outcome(person: Person, sentence: str | re.Pattern[str]) -> None:
    person.page.wait_for_url("**/transfers/*")
    expect(person.page.locator(".cp-transfer-summary")).to_contain_text(sentence, timeout=OUTCOME_MS)
    person.check_page()


@contextmanager
def downloads_wait(person: Person) -> Iterator[None]:
    """No document arrives within the block, so a transfer begun in it ends after its page was left: that is news."""
    practice = person.stack.practice
    practice.fault("throttle", path="/download", retry_after=1, times=None)
    yield
    practice.clear_faults()


def leave_transfer(person: Person) -> None:
    person.page.wait_for_url("**/transfers/*")
    person.open("/account")


def until_transfers_finished(person: Person) -> None:
    query = "SELECT 1 FROM transfer WHERE finished_at IS NULL"
    until(lambda: not person.stack.rows(query), "The end of every transfer")


def document_row(person: Person, name: str) -> Locator:
    table = person.page.get_by_role("table", name=re.compile("^Documents"))
    return table.get_by_role("row").filter(has=person.page.get_by_role("link", name=name, exact=True))
