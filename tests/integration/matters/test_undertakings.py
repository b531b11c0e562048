"""An undertaking is accepted before any page of its matter is seen, and what was accepted is kept."""

from __future__ import annotations

import uuid

import pytest
from flask import Flask

from models import Member
from services.core.actor import Actor
from services.core.errors import ForbiddenError, InvalidError, NotFoundError
from services.core.unit_of_work import session
from services.matters import documents, participants, undertakings
from tests.support.audit import trail
from tests.support.concurrency import at_once
from tests.support.matters import add_document, current_version, open_matter
from tests.support.pages import Browser
from tests.support.people import actor_of, make_member

TEXT = "I keep everything confidential.\nI return it when asked."


@pytest.fixture
def lead(database: None) -> Actor:
    return actor_of(make_member("Lea Lead"))


@pytest.fixture
def guest(database: None) -> Member:
    return make_member("Gail Guest", is_guest=True, organisation="Harbour Bank")


@pytest.fixture
def matter_id(lead: Actor, guest: Member) -> uuid.UUID:
    return open_matter(lead, editor=guest)


def accept(browser: Browser, matter_id: uuid.UUID, **more: str) -> str:
    """Accept what the page shows; the address that follows."""
    page = browser.page(f"/matters/{matter_id}/undertaking")
    form = {"undertaking": page.value_of("undertaking"), **more}
    return browser.post(f"/matters/{matter_id}/undertaking", form).headers["Location"]


def test_a_guest_accepts_before_any_page_and_is_led_back(
    browser: Browser, lead: Actor, guest: Member, matter_id: uuid.UUID
) -> None:
    document_id = add_document(lead, matter_id, "Secret plan.docx")
    undertakings.change(lead, matter_id, "Confidentiality", TEXT)
    browser.sign_in(guest)
    asked = f"/matters/{matter_id}/undertaking"
    for page in (
        f"/matters/{matter_id}",
        f"/matters/{matter_id}/people",
        f"/documents/{document_id}",
        f"/versions/{current_version(document_id)}/download",
    ):
        answer = browser.get(page)
        assert answer.status_code == 303 and answer.headers["Location"].startswith(asked), page
        assert "Secret plan" not in answer.get_data(as_text=True)
    assert browser.get(f"/documents/{document_id}/actions", htmx=True).headers["HX-Redirect"] == asked
    assert browser.post(f"/documents/{document_id}/rename", {"name": "x"}).headers["Location"] == asked
    assert documents.of_matter(actor_of(guest), matter_id).rows == ()
    page = browser.page(f"{asked}?next=/documents/{document_id}")
    assert "Confidentiality" in page.text and "I return it when asked." in page.text
    assert page.value_of("next") == f"/documents/{document_id}"
    assert accept(browser, matter_id, next=f"/documents/{document_id}") == f"/documents/{document_id}"
    assert "Secret plan.docx" in browser.page(f"/documents/{document_id}").text
    assert ("undertaking.accepted", "done", "Confidentiality") in trail()
    assert browser.get(asked).headers["Location"] == f"/matters/{matter_id}"


def test_the_way_back_is_a_page_of_ours(
    browser: Browser, lead: Actor, guest: Member, matter_id: uuid.UUID
) -> None:
    undertakings.change(lead, matter_id, "Confidentiality", TEXT)
    browser.sign_in(guest)
    assert accept(browser, matter_id, next="//elsewhere.example/x") == f"/matters/{matter_id}"


def test_a_changed_text_asks_again_and_what_was_accepted_stays(
    browser: Browser, lead: Actor, guest: Member, matter_id: uuid.UUID
) -> None:
    undertakings.change(lead, matter_id, "Confidentiality", TEXT)
    browser.sign_in(guest)
    accept(browser, matter_id)
    undertakings.change(lead, matter_id, "Confidentiality", TEXT)  # the same: nobody is asked
    assert browser.get(f"/matters/{matter_id}").status_code == 200
    undertakings.change(lead, matter_id, "Confidentiality", f"{TEXT} Strictly.")
    assert browser.get(f"/matters/{matter_id}").status_code == 303
    accept(browser, matter_id)
    participants.remove(lead, matter_id, guest.id)
    rows = undertakings.acceptances(lead, matter_id).rows
    assert [(row.name, row.organisation, row.number, row.is_in_force) for row in rows] == [
        ("Gail Guest", "Harbour Bank", 2, True),
        ("Gail Guest", "Harbour Bank", 1, False),
    ]
    undertakings.withdraw(lead, matter_id)
    assert not undertakings.acceptances(lead, matter_id).rows[0].is_in_force
    undertakings.change(lead, matter_id, "Confidentiality", TEXT)
    in_force = undertakings.in_force(lead, matter_id)
    assert in_force and (in_force.number, in_force.accepted, in_force.guests) == (3, 0, 0)


def test_a_text_that_changed_while_it_was_read_is_not_accepted(
    browser: Browser, lead: Actor, guest: Member, matter_id: uuid.UUID
) -> None:
    undertakings.change(lead, matter_id, "Confidentiality", TEXT)
    browser.sign_in(guest)
    old = browser.page(f"/matters/{matter_id}/undertaking").value_of("undertaking")
    undertakings.change(lead, matter_id, "Confidentiality", f"{TEXT} Strictly.")
    answer = browser.post(f"/matters/{matter_id}/undertaking", {"undertaking": old})
    assert answer.status_code == 409 and "has changed" in answer.get_data(as_text=True)
    assert undertakings.acceptances(lead, matter_id).rows == ()


def test_members_of_the_firm_are_not_asked_and_only_leads_set_it(
    browser: Browser, lead: Actor, guest: Member, matter_id: uuid.UUID
) -> None:
    editor = make_member()
    participants.add(lead, matter_id, editor.id, "editor")
    undertakings.change(lead, matter_id, "Confidentiality", TEXT)
    assert browser.sign_in(editor).get(f"/matters/{matter_id}").status_code == 200
    with pytest.raises(NotFoundError):
        undertakings.offer(actor_of(editor), matter_id)
    for act in (undertakings.withdraw, undertakings.acceptances, undertakings.acceptances_csv):
        with pytest.raises(ForbiddenError):
            act(actor_of(editor), matter_id)
    page = browser.page(f"/matters/{matter_id}/people")
    assert "0 of 1 guest has accepted it." in page.text and "Withdraw" not in page.text


def test_leads_see_and_download_who_accepted(browser: Browser, lead: Actor, matter_id: uuid.UUID) -> None:
    crafty = make_member("=1+1", is_guest=True, organisation="@SUM(A1)")
    participants.add(lead, matter_id, crafty.id, "viewer")
    undertakings.change(lead, matter_id, "Confidentiality", TEXT)
    accept(Browser(browser.app).sign_in(crafty), matter_id)
    lead_browser = browser.sign_in(session().get_one(Member, lead.id))
    assert "Confidentiality, version 1" in lead_browser.page(f"/matters/{matter_id}/acceptances").text
    text = lead_browser.get(f"/matters/{matter_id}/acceptances.csv").get_data(as_text=True)
    assert '"\'=1+1"' in text and '"\'@SUM(A1)"' in text and ',"1","Yes"' in text


def test_odd_texts_are_shown_as_text(
    browser: Browser, lead: Actor, guest: Member, matter_id: uuid.UUID
) -> None:
    undertakings.change(lead, matter_id, "<b>Title</b>", "<script>alert(1)</script>{{ 7 * 7 }}")
    page = browser.sign_in(guest).page(f"/matters/{matter_id}/undertaking")
    assert "<script>alert(1)</script>{{ 7 * 7 }}" in page.text and "<b>Title</b>" in page.text


@pytest.mark.parametrize("text", ["", "   \n ", "x" * 20_001])
def test_no_text_or_too_long_a_text_is_refused(lead: Actor, matter_id: uuid.UUID, text: str) -> None:
    with pytest.raises(InvalidError):
        undertakings.change(lead, matter_id, "Title", text)


def test_two_leads_change_the_text_at_once(app: Flask, lead: Actor, matter_id: uuid.UUID) -> None:
    other = make_member()
    participants.add(lead, matter_id, other.id, "lead")
    actors = (lead, actor_of(other))
    done = at_once(app, *(lambda a=a: undertakings.change(a, matter_id, "Title", a.name) for a in actors))
    assert done == [None, None]
    session().rollback()
    in_force = undertakings.in_force(lead, matter_id)
    assert in_force and in_force.number == 2
