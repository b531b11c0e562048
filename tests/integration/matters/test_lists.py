"""Lists: sorted, counted, searched by name, author and number in one matter and across all; pinned matters."""

from __future__ import annotations

from typing import Any

import pytest

from models import Member
from services.core.actor import Actor
from services.core.errors import NotFoundError
from services.core.pagination import Page
from services.matters import documents, exposure, matters, participants
from tests.support.matters import add_document, counted_queries, current_version, open_matter
from tests.support.pages import Browser
from tests.support.people import actor_of, make_member
from tests.support.transfers import Desk, carry_all, get


@pytest.fixture
def member(database: None) -> Member:
    return make_member("Lea Lead")


@pytest.fixture
def lead(member: Member) -> Actor:
    return actor_of(member)


def names(page: Page[Any]) -> list[str]:
    return [row.name for row in page.rows]


def test_documents_are_sorted_and_counted(browser: Browser, member: Member, lead: Actor) -> None:
    matter_id = open_matter(lead)
    for name, content in (("b.docx", b"1"), ("C.docx", b"333"), ("a.pdf", b"22")):
        add_document(lead, matter_id, name, content)
    by_name = documents.of_matter(lead, matter_id, sort="name")
    assert (names(by_name), by_name.total, by_name.sort) == (["a.pdf", "b.docx", "C.docx"], 3, "name")
    assert names(documents.of_matter(lead, matter_id, sort="-size")) == ["C.docx", "a.pdf", "b.docx"]
    fallback = documents.of_matter(lead, matter_id, sort="matter_id; drop")
    assert (names(fallback), fallback.sort) == (["a.pdf", "C.docx", "b.docx"], "-changed")
    browser.sign_in(member)
    html = browser.get(f"/matters/{matter_id}?sort=name").get_data(as_text=True)
    assert 'aria-sort="ascending"' in html and "sort=-name" in html and "3 documents" in html
    assert "sort=name" in html, "A change of the list keeps the order."


def test_one_search_finds_names_types_and_authors_in_all_matters(lead: Actor) -> None:
    gina = make_member("Gina Bank", organisation="Harbour Bank", is_guest=True)
    guest = actor_of(gina)
    heron, kestrel = open_matter(lead, editor=gina), open_matter(lead, "Kestrel")
    add_document(guest, heron, "Comments.pdf")
    held = add_document(lead, heron, "Draft lease.docx", b"held")
    exposure.hold(lead, heron, [current_version(held)])
    add_document(lead, kestrel, "Lease.docx")
    assert names(documents.in_all_matters(lead, "gina")) == ["Comments.pdf"]
    assert names(documents.in_all_matters(lead, "lease docx", sort="matter")) == [
        "Lease.docx",
        "Draft lease.docx",
    ]
    assert [row.matter_name for row in documents.in_all_matters(lead, "pdf").rows] == ["Project Heron"]
    assert names(documents.in_all_matters(guest, "lease")) == [], "Held, and in a matter of others."
    assert documents.in_all_matters(guest, "lease").total == 0
    participants.remove(lead, heron, guest.id)
    assert names(documents.in_all_matters(guest, "comments")) == []


def test_the_search_page_has_matters_and_documents_in_few_queries(
    browser: Browser, member: Member, lead: Actor
) -> None:
    add_document(lead, open_matter(lead), "Heron lease.docx")
    browser.sign_in(member)
    assert "Heron" not in browser.page("/search").text
    with counted_queries() as asked:
        page = browser.page("/search?q=heron+10482")
    asked = [statement for statement in asked if not statement.startswith(("BEGIN", "PRAGMA"))]
    assert len(asked) <= 12, "\n".join(asked)
    assert "Project Heron" in page.text and "No documents found" in page.text
    assert "Heron lease.docx" in browser.page("/search?q=heron").text
    assert "1 document" in browser.page("/search?q=heron").text
    assert "Nothing found" in browser.page("/search?q=osprey").text


def test_a_number_of_imanage_finds_its_twin_for_those_who_may_use_the_server(desk: Desk) -> None:
    twin = desk.practice.world.named("SPA – Project Heron")
    carry_all(get(desk, twin.id()))
    number = twin.id().partition("!")[2].partition(".")[0]
    assert names(documents.in_all_matters(desk.actor, number)) == ["SPA – Project Heron.docx"]
    assert names(documents.of_matter(desk.actor, desk.matter_id, number)) == ["SPA – Project Heron.docx"]
    assert names(documents.in_all_matters(desk.actor, "9" * 40)) == []
    guest = make_member("Gina Bank", organisation="Harbour Bank", is_guest=True)
    participants.add(desk.actor, desk.matter_id, guest.id, "viewer")
    assert names(documents.in_all_matters(actor_of(guest), number)) == []


def test_pinned_matters_come_first_in_ones_list_only(browser: Browser, member: Member, lead: Actor) -> None:
    other = make_member("Eve Editor")
    older, newer = open_matter(lead, "Albatross", editor=other), open_matter(lead, "Bittern", editor=other)
    browser.sign_in(member)
    assert browser.post(f"/matters/{older}/pin", data={"pinned": "1"}).status_code == 303
    assert names(matters.mine(lead)) == ["Albatross", "Bittern"]
    assert names(matters.mine(lead, sort="-name")) == ["Albatross", "Bittern"], "Also where it is sorted."
    assert names(matters.mine(actor_of(other))) == ["Bittern", "Albatross"]
    assert "2 matters" in browser.page("/matters?sort=name").text
    assert browser.post(f"/matters/{older}/pin", data={"pinned": "0"}).status_code == 303
    assert names(matters.mine(lead)) == ["Bittern", "Albatross"]
    with pytest.raises(NotFoundError):
        matters.pin(actor_of(make_member("Una Other")), newer, is_pinned=True)
