"""Who takes part in a matter, and who may change that."""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import select

from models import AuditEvent, Member, Participant
from services.core.actor import Actor
from services.core.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from services.core.unit_of_work import session
from services.matters import participants
from tests.support.matters import add_document, open_matter
from tests.support.pages import Browser, read
from tests.support.people import actor_of, make_member


def role_of(matter_id: uuid.UUID, member: Member) -> str | None:
    place = session().get(Participant, (matter_id, member.id), populate_existing=True)
    return place.role if place else None


def test_a_lead_finds_a_person_and_one_press_adds(browser: Browser) -> None:
    ann, ben = make_member("Ann Clarke"), make_member("Benedict Osei")
    matter_id = open_matter(actor_of(ann))
    browser.sign_in(ann)
    people = f"/matters/{matter_id}/people"
    found = browser.page(f"{people}/search?q=osei", htmx=True)
    assert "Benedict Osei" in found.text and "Add" in found.text

    answer = browser.post(people, {"member": str(ben.id), "role": "editor", "q": "osei"}, htmx=True)

    assert role_of(matter_id, ben) == "editor"
    fragment = read(answer, whole=False)
    assert "Benedict Osei has been added to this matter." in fragment.text
    assert "Already an editor" in fragment.text
    assert f'action="{people}/{ben.id}/role"' in fragment.html and "<noscript>" in fragment.html
    assert "Benedict Osei" in browser.page(people).text
    event = session().scalars(select(AuditEvent).where(AuditEvent.action == "participant.added")).one()
    assert (event.subject_id, event.detail["role"]) == (ben.id, "editor")
    assert browser.post(people, {"member": str(ben.id), "role": "viewer"}, htmx=True).status_code == 409
    assert role_of(matter_id, ben) == "editor"


def test_people_are_listed_by_organisation_the_firm_first(browser: Browser) -> None:
    ann = make_member("Ann")
    bank = make_member("Gina Rossi", organisation="Harbour Bank", is_guest=True)
    none = make_member("Olaf", is_guest=True)
    matter_id = open_matter(actor_of(ann), viewer=bank, viewer_2=none)
    page = participants.of_matter(actor_of(ann), matter_id)
    assert [group.organisation for group in page.rows] == [
        "The firm",
        "No organisation",
        "Harbour Bank",
    ]
    as_guest = Browser(browser.app).sign_in(bank).page(f"/matters/{matter_id}/people")
    assert "Ann" in as_guest.text and ann.email not in as_guest.text
    assert "Remove" not in as_guest.text and "Search people" not in as_guest.text


@pytest.mark.parametrize(("role", "is_guest"), [("lead", True), ("owner", False), ("", False)])
def test_a_role_that_cannot_be_is_refused(database: None, role: str, is_guest: bool) -> None:
    ann, other = actor_of(make_member()), make_member(is_guest=is_guest)
    matter_id = open_matter(ann)
    with pytest.raises(InvalidError):
        participants.add(ann, matter_id, other.id, role)
    participants.add(ann, matter_id, other.id, "viewer")
    with pytest.raises(InvalidError):
        participants.change_role(ann, matter_id, other.id, role)
    assert role_of(matter_id, other) == "viewer"


def test_nobody_is_added_who_is_not_active_or_not_there(browser: Browser) -> None:
    ann, gone = make_member(), make_member("Gone", is_active=False)
    matter_id = open_matter(actor_of(ann))
    browser.sign_in(ann)
    for member_id in (str(gone.id), str(uuid.uuid4()), "", "not-an-id"):
        answer = browser.post(f"/matters/{matter_id}/people", {"member": member_id, "role": "viewer"})
        assert answer.status_code == 404
    assert len(session().scalars(select(Participant)).all()) == 1


def test_the_last_lead_cannot_go_or_step_down(browser: Browser) -> None:
    ann, ben = make_member("Ann"), make_member("Ben")
    lead = actor_of(ann)
    matter_id = open_matter(lead, editor=ben)
    with pytest.raises(ConflictError, match="at least one lead"):
        participants.remove(lead, matter_id, ann.id)
    browser.sign_in(ann)
    url = f"/matters/{matter_id}/people/{ann.id}/role"
    refused = browser.post(url, {"role": "viewer"}, htmx=True)
    assert refused.status_code == 422
    assert "A matter needs at least one lead." in read(refused, whole=False).text
    assert browser.post(url, {"role": "viewer"}).status_code == 409
    assert role_of(matter_id, ann) == "lead"

    participants.change_role(lead, matter_id, ben.id, "lead")
    answer = browser.post(f"/matters/{matter_id}/people/{ann.id}/remove", htmx=True)
    assert answer.headers["HX-Redirect"] == "/"
    assert role_of(matter_id, ann) is None and role_of(matter_id, ben) == "lead"


def test_a_removed_person_loses_the_matter_and_their_work_stays(browser: Browser) -> None:
    ann, ben = make_member("Ann"), make_member("Ben")
    matter_id = open_matter(actor_of(ann), editor=ben)
    document_id = add_document(actor_of(ben), matter_id, "Of Ben.docx")
    browser.sign_in(ann)
    asked = browser.page(f"/matters/{matter_id}/people/{ben.id}/remove", htmx=True)
    assert "will no longer see this matter" in asked.text
    browser.post(f"/matters/{matter_id}/people/{ben.id}/remove", htmx=True)
    assert Browser(browser.app).sign_in(ben).get(f"/documents/{document_id}").status_code == 404
    assert "Of Ben.docx" in browser.page(f"/matters/{matter_id}").text


def test_two_leads_cannot_take_each_others_lead_away(app: Flask, database: None) -> None:
    ann, ben = actor_of(make_member("Ann")), actor_of(make_member("Ben"))
    matter_id = open_matter(ann)
    participants.add(ann, matter_id, ben.id, "lead")
    session().rollback()
    together = threading.Barrier(2)

    def step_down(who: Actor, whom: Actor) -> str:
        with app.app_context():
            together.wait(timeout=10)
            try:
                return participants.change_role(who, matter_id, whom.id, "viewer")
            except (ConflictError, ForbiddenError) as refusal:
                return refusal.code

    with ThreadPoolExecutor(2) as pool:
        results = sorted(pool.map(step_down, (ann, ben), (ben, ann)))
    session().rollback()
    roles = sorted(session().scalars(select(Participant.role).where(Participant.matter_id == matter_id)))
    assert roles == ["lead", "viewer"], results


@pytest.mark.parametrize("role", ["editor", "viewer"])
def test_only_leads_change_people(browser: Browser, role: str) -> None:
    ann, ben, eve = make_member("Ann"), make_member("Ben"), make_member("Eve")
    matter_id = open_matter(actor_of(ann), **{role: ben})
    actor = actor_of(ben)
    with pytest.raises(ForbiddenError):
        participants.add(actor, matter_id, eve.id, "viewer")
    with pytest.raises(ForbiddenError):
        participants.remove(actor, matter_id, ann.id)
    with pytest.raises(ForbiddenError):
        participants.change_role(actor, matter_id, ben.id, "lead")
    with pytest.raises(ForbiddenError):
        participants.search(actor, matter_id, "eve")
    with pytest.raises(NotFoundError):
        participants.add(actor_of(eve), matter_id, eve.id, "lead")
    browser.sign_in(ben)
    assert browser.post(f"/matters/{matter_id}/people", {"member": str(eve.id)}).status_code == 403
    assert "Search people" not in browser.page(f"/matters/{matter_id}/people").text
