"""A document is held when it is got, hidden from guests, viewed as one, and released to one organisation."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.imanage import document_row, expect_outcome, search, sign_in_from_picker, tick
from tests.browser.person import Person
from tests.support.stack import Stack

BRAM, CAROL, GITA, TOM = (
    "bram@harbourvale.example",
    "carol@practice.example",
    "gita@northwind.example",
    "tom@lindqvist.example",
)
MATTER = "Project Heron"
BIBLE = "Closing bible.pdf"


def test_a_held_document_reaches_the_guests_whom_it_is_for(firm: Stack, visit: Visit) -> None:
    bram, gita, tom = visit(firm, BRAM), visit(firm, GITA), visit(firm, TOM)
    get_held(bram)
    assert not sees(gita), "a guest sees a held document"
    view_as_guest(bram)
    choose_organisation(bram, "Lindqvist Oy")
    release(bram)
    assert sees(tom) and not sees(gita)
    gita.open_matter(MATTER)
    gita.check_page()


def get_held(bram: Person) -> None:
    bram.open_matter(MATTER)
    sign_in_from_picker(bram, "bram")
    search(bram, "Closing bible")
    tick(bram, BIBLE)
    question = bram.dialog().get_by_role("group", name="Who can see it?")
    expect(question).to_contain_text("Northwind Bank: Gita Rao")
    expect(question).to_contain_text("Lindqvist Oy: Tom Lindqvist")
    question.get_by_role("radio", name="Hold for members").check()
    bram.check_page()
    bram.in_dialog("Get").click()
    expect_outcome(bram, "arrived from iManage")
    bram.check_page()
    bram.open_matter(MATTER)
    expect(document_row(bram, BIBLE)).to_contain_text("Held")
    bram.check_page()


def sees(guest: Person) -> bool:
    guest.open_matter(MATTER)
    return document_row(guest, BIBLE).count() > 0


def view_as_guest(bram: Person) -> None:
    bram.button("More").click()
    bram.button("View as").click()
    bram.check_page()
    bram.dialog().get_by_role("button", name="Gita Rao").click()
    banner = bram.page.get_by_role("complementary", name="View as")
    expect(banner).to_contain_text("You are viewing this matter as Gita Rao")
    expect(document_row(bram, BIBLE)).to_have_count(0)
    expect(bram.button("Get from iManage")).to_have_count(0)
    bram.check_page()
    banner.get_by_role("button", name="Leave").click()
    expect(banner).to_have_count(0)
    expect(bram.button("View as Gita Rao")).to_be_visible()
    bram.check_page()


def choose_organisation(bram: Person, name: str) -> None:
    bram.open_matter(MATTER)
    bram.link(BIBLE).click()
    bram.button("More").click()
    bram.button("Who can see this").click()
    bram.dialog().get_by_role("radio", name="Members and chosen organisations").check()
    bram.dialog().get_by_role("checkbox", name=name).check()
    bram.check_page()
    bram.in_dialog("Save").click()
    expect(bram.page.get_by_text(f"Who can see this: Members and {name}")).to_be_visible()


def release(bram: Person) -> None:
    bram.button("Release version 1").click()
    expect(bram.dialog()).to_contain_text("Lindqvist Oy: Tom Lindqvist")
    expect(bram.dialog()).not_to_contain_text("Gita")
    bram.check_page()
    bram.in_dialog("Release").click()
    expect(bram.page.get_by_text("Released by Bram de Vries")).to_be_visible()
    bram.check_page()
