"""Matters whose last lead was deactivated: a System Admin finds them, and appoints somebody."""

from __future__ import annotations

import uuid
from functools import partial

import pytest
from flask import Flask

from models import Matter, Member, Participant
from services.core.actor import Actor
from services.core.errors import ConflictError, ForbiddenError, NotFoundError
from services.core.unit_of_work import session
from services.matters import participants, recycle_bin
from services.members import offboarding, orphaned_matters
from tests.support.audit import trail
from tests.support.concurrency import at_once
from tests.support.pages import Browser
from tests.support.people import actor_of, make_member
from tests.support.transfers import make_matter

LEADS = "/admin/members/leads"


@pytest.fixture
def anna(database: None) -> Member:
    return make_member("Anna")


def role_of(matter_id: uuid.UUID, member: Member) -> str | None:
    session().rollback()
    place = session().get(Participant, (matter_id, member.id))
    return place.role if place else None


def is_orphaned(matter_id: uuid.UUID) -> bool:
    session().rollback()
    return session().get_one(Matter, matter_id).orphaned_since is not None


def left_by(ada: Member, lead: Member, **others: uuid.UUID) -> uuid.UUID:
    matter_id = make_matter(lead.id, **others)
    offboarding.deactivate(actor_of(ada), lead.id)
    return matter_id


def test_a_matter_that_lost_its_lead_is_listed_until_it_has_one(ada_browser: Browser, anna: Member) -> None:
    otto, guest = make_member("Otto"), make_member("Gina Guest", is_guest=True, organisation="Heron AG")
    matter_id = make_matter(anna.id, editor=otto.id, viewer=guest.id)
    assert "has no lead" not in ada_browser.page("/admin/members").text
    assert "Every matter has a lead" in ada_browser.page(LEADS).text
    ada_browser.post(f"/admin/members/{anna.id}/deactivate")
    assert "1 matter has no lead" in ada_browser.page("/admin/members").text
    listed = ada_browser.page(LEADS).text
    assert "Project Heron" in listed
    assert "10042 / 0007" in listed

    choice = ada_browser.page(f"{LEADS}/{matter_id}", htmx=True).text
    assert "Otto" in choice and "Editor of this matter" in choice
    assert "Gina" not in choice, "a guest cannot lead"
    answer = ada_browser.post(f"{LEADS}/{matter_id}/{otto.id}")
    assert (answer.status_code, answer.location) == (303, LEADS)
    assert role_of(matter_id, otto) == "lead"
    assert ("participant.appointed", "done", "Otto in Project Heron") in trail()
    assert "Every matter has a lead" in ada_browser.page(LEADS).text
    assert "has no lead" not in ada_browser.page("/admin/members").text
    assert ada_browser.get(f"{LEADS}/{matter_id}").status_code == 404


def test_a_matter_in_the_bin_says_so_and_its_new_lead_restores_it(
    ada_browser: Browser, ada: Member, anna: Member
) -> None:
    otto = make_member("Otto")
    matter_id = make_matter(anna.id)
    recycle_bin.remove_matter(actor_of(anna), matter_id)
    offboarding.deactivate(actor_of(ada), anna.id)
    text = ada_browser.page(LEADS).text
    assert "In the bin" in text and "unless a lead restores it" in text
    orphaned_matters.appoint(actor_of(ada), matter_id, otto.id)
    assert recycle_bin.restore_matter(actor_of(otto), matter_id) == "Project Heron"


def test_somebody_from_outside_the_matter_is_found_and_appointed(
    ada_browser: Browser, ada: Member, anna: Member
) -> None:
    zoe = make_member("Zoë Zander", email="zoe@firm.test")
    matter_id = left_by(ada, anna)
    assert "No member of the firm takes part" in ada_browser.page(f"{LEADS}/{matter_id}", htmx=True).text
    assert "Zoë Zander" in ada_browser.page(f"{LEADS}/{matter_id}/search?q=zoe", htmx=True).text
    assert "Zoë Zander" in ada_browser.page(f"{LEADS}/{matter_id}?q=zoe").text, "without scripts"
    assert "No active member" in ada_browser.page(f"{LEADS}/{matter_id}/search?q=%3Cb%3E", htmx=True).text
    assert ada_browser.post(f"{LEADS}/{matter_id}/{zoe.id}").status_code == 303
    assert role_of(matter_id, zoe) == "lead"


def test_where_somebody_else_leads_nothing_is_to_be_done(ada: Member, anna: Member) -> None:
    otto = make_member("Otto")
    matter_id = make_matter(anna.id)
    participants.add(actor_of(anna), matter_id, otto.id, "lead")
    offboarding.deactivate(actor_of(ada), anna.id)
    assert not is_orphaned(matter_id)
    with pytest.raises(ConflictError, match="has a lead"):
        orphaned_matters.appoint(actor_of(ada), matter_id, make_member().id)
    offboarding.deactivate(actor_of(ada), otto.id)
    assert is_orphaned(matter_id)


@pytest.mark.parametrize(
    ("kind", "status"), [({"is_guest": True}, 422), ({"is_active": False}, 404), (None, 404)]
)
def test_who_cannot_lead_is_not_appointed(
    ada_browser: Browser, ada: Member, anna: Member, kind: dict[str, bool] | None, status: int
) -> None:
    somebody = uuid.uuid4() if kind is None else make_member("Somebody", **kind).id
    matter_id = left_by(ada, anna)
    assert ada_browser.post(f"{LEADS}/{matter_id}/{somebody}").status_code == status
    assert is_orphaned(matter_id)


def test_only_system_admins_appoint(ada: Member, anna: Member) -> None:
    otto = make_member("Otto")
    matter_id = left_by(ada, anna, editor=otto.id)
    for act in (orphaned_matters.matters, orphaned_matters.count):
        with pytest.raises(ForbiddenError):
            act(actor_of(otto))
    with pytest.raises(ForbiddenError):
        orphaned_matters.appoint(actor_of(otto), matter_id, otto.id)


def test_an_admin_sees_nothing_of_a_matter_that_is_led(ada: Member, anna: Member) -> None:
    matter_id = make_matter(anna.id)
    for look in (orphaned_matters.name_of, orphaned_matters.candidates):
        with pytest.raises(NotFoundError):
            look(actor_of(ada), matter_id)


def test_two_admins_at_once_appoint_one(app: Flask, ada: Member, anna: Member) -> None:
    second, otto, paul = make_member("Second", is_admin=True), make_member("Otto"), make_member("Paul")
    matter_id = left_by(ada, anna)
    one, two = actor_of(ada), actor_of(second)

    def act(actor: Actor, member_id: uuid.UUID) -> str:
        return orphaned_matters.appoint(actor, matter_id, member_id)

    answers = at_once(app, partial(act, one, otto.id), partial(act, two, paul.id))
    assert sum(isinstance(answer, ConflictError) for answer in answers) == 1
    assert [role_of(matter_id, each) for each in (otto, paul)].count("lead") == 1


def test_the_last_two_leads_leave_at_once(app: Flask, ada: Member, anna: Member) -> None:
    """One lead is deactivated while the other leaves: the matter has a lead or is listed."""
    otto = make_member("Otto")
    matter_id = make_matter(anna.id)
    participants.add(actor_of(anna), matter_id, otto.id, "lead")
    ada, leaver = actor_of(ada), actor_of(otto)
    at_once(
        app,
        partial(offboarding.deactivate, ada, anna.id),
        partial(participants.remove, leaver, matter_id, otto.id),
    )
    assert is_orphaned(matter_id) == (role_of(matter_id, otto) != "lead")
