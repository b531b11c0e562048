"""What people do with iManage, step by step, as the pages name it."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, expect

from tests.browser.person import Person

ARRIVES = 60_000


def sign_in_from_account(person: Person, user: str) -> None:
    """Where they have not been signed in to it before."""
    person.open("/account")
    if accounts(person).get_by_role("button", name="Disconnect", exact=True).count():
        return
    accounts(person).get_by_role("button", name="Sign in", exact=True).click()
    person.sign_in_at_imanage(user)
    expect(person.page.get_by_text("You are signed in to iManage as")).to_be_visible()
    person.look()


def accounts(person: Person) -> Locator:
    return person.page.get_by_role("table", name="Connected accounts")


def go_into(person: Person, workspace: str, *folders: str) -> None:
    """Down from the favourite workspaces, one press for each place. The pop-up may have opened where it was before."""
    favourites, top = person.in_dialog("Favourites"), person.in_dialog("Workspaces")
    expect(favourites.or_(top).first).to_be_visible()
    if not favourites.is_visible():
        top.click()
    favourites.click()
    expect(person.in_dialog("Favourites")).to_have_attribute("aria-pressed", "true")
    for place in (workspace, *folders):
        person.dialog().get_by_role("button", name=place).first.click()
        expect(where(person).get_by_text(place, exact=True)).to_be_visible()


def where(person: Person) -> Locator:
    return person.dialog().get_by_role("navigation", name="Where you are in iManage")


def search(person: Person, words: str) -> None:
    person.dialog().get_by_label("Search iManage").fill(words)
    expect(where(person).get_by_text(f"“{words}”")).to_be_visible()


def tick(person: Person, name: str | re.Pattern[str]) -> None:
    person.dialog().get_by_role("checkbox", name=name).check()


def choose(person: Person, name: str | re.Pattern[str]) -> None:
    """Where only one can be taken."""
    person.dialog().get_by_role("radio", name=name).check()


def get_large(person: Person, matter: str, name: str | re.Pattern[str]) -> None:
    """Open the picker in a matter and choose one of the practice server's large documents."""
    person.open_matter(matter)
    person.button("Get from iManage").click()
    go_into(person, "Project Heron", "Data room")
    tick(person, name)


def has_arrived(person: Person, sentence: str | re.Pattern[str]) -> None:
    person.page.wait_for_url("**/transfers/*")
    expect(person.page.locator(".cp-transfer-summary")).to_contain_text(sentence, timeout=ARRIVES)
    person.look()


def document_row(person: Person, name: str) -> Locator:
    table = person.page.get_by_role("table", name=re.compile("^Documents"))
    return table.get_by_role("row").filter(has=person.page.get_by_role("link", name=name, exact=True))
