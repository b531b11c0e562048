"""Guests invited from a matter: mailed or shown a link, in the matter at once, and never twice."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from models import Invitation, Member, Participant, utcnow
from services.core.actor import Actor
from services.core.errors import ConflictError, ForbiddenError, InvalidError
from services.core.unit_of_work import session
from services.mail import smtp
from services.matters import participants
from services.members import guests, invitations
from services.members.guests import NewGuest
from services.members.invitations import NewInvitation
from tests.support.audit import trail
from tests.support.concurrency import at_once
from tests.support.matters import open_matter
from tests.support.pages import Browser
from tests.support.passwords import PASSWORD
from tests.support.people import actor_of, make_member
from tests.support.smtp import Mailbox, mail_server

FORM = {"name": "Gail Guest", "email": "gail@bank.test", "organisation": "Harbour Bank", "role": "editor"}


@pytest.fixture
def box(database: None) -> Iterator[Mailbox]:
    with mail_server() as box:
        yield box


@pytest.fixture
def member(database: None) -> Member:
    return make_member("Lea Lead")


@pytest.fixture
def lead(member: Member) -> Actor:
    return actor_of(member)


@pytest.fixture
def matter_id(lead: Actor) -> uuid.UUID:
    return open_matter(lead)


def gail() -> Member:
    session().rollback()
    return session().scalars(select(Member).where(Member.email_key == "gail@bank.test")).one()


def test_a_guest_is_invited_by_mail_joins_and_is_in_the_matter(
    browser: Browser, box: Mailbox, member: Member, matter_id: uuid.UUID
) -> None:
    day = (utcnow() + timedelta(days=40)).date()
    browser.sign_in(member)
    assert 'value="Harbour Bank"' not in browser.page(f"/matters/{matter_id}/people/invite").html
    answer = browser.post(f"/matters/{matter_id}/people/invite", FORM | {"until": str(day)}, htmx=True)
    assert "/join/" not in answer.get_data(as_text=True)
    page = browser.page(f"/matters/{matter_id}/people")
    assert "The invitation to gail@bank.test is being sent." in page.text
    assert "Gail Guest" in page.text and "Invited" in page.text and "Harbour Bank" in page.text
    assert 'value="Harbour Bank"' in browser.page(f"/matters/{matter_id}/people/invite").html
    smtp.send_due()
    (message,) = box.messages
    link = re.search(r"/join/\S+", message.get_content())
    assert message["To"] == "gail@bank.test" and link
    guest = Browser(browser.app)
    assert guest.post(link[0], {"name": "Gail Guest", "password": PASSWORD}).status_code == 303
    assert f"{day.day} {day:%b %Y}" in guest.page(f"/matters/{matter_id}").text
    place = session().get_one(Participant, (matter_id, gail().id))
    assert (place.role, place.until) == ("editor", participants.end_of(day))
    assert "Invited" not in browser.page(f"/matters/{matter_id}/people").text
    done = [action for action, _, _ in trail()]
    assert {"guest.added", "participant.added", "invitation.made", "invitation.accepted"} <= {*done}


def test_without_mail_the_lead_is_shown_the_link_once(
    browser: Browser, member: Member, matter_id: uuid.UUID
) -> None:
    answer = browser.sign_in(member).post(f"/matters/{matter_id}/people/invite", FORM, htmx=True)
    assert re.search(r'id="invitation-link">\S+/join/', answer.get_data(as_text=True))


def test_a_person_with_an_account_is_offered_instead(
    browser: Browser, member: Member, lead: Actor, matter_id: uuid.UUID
) -> None:
    known = make_member("Gail Known", email="gail@bank.test", is_guest=True, organisation="Bank")
    url = f"/matters/{matter_id}/people"
    day = str((utcnow() + timedelta(days=40)).date())
    answer = browser.sign_in(member).post(f"{url}/invite", FORM | {"until": day}, htmx=True)
    text = answer.get_data(as_text=True)
    assert "Gail Known" in text and "Add as editor" in text
    assert session().scalars(select(Invitation)).all() == []
    form = {"member": str(known.id), "role": "editor", "until": day}
    assert browser.post(url, form).status_code == 303
    assert session().get_one(Participant, (matter_id, known.id)).until is not None
    again = browser.post(f"{url}/invite", FORM, htmx=True).get_data(as_text=True)
    assert "is already in this matter" in again


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"email": "nobody"}, "email"),
        ({"organisation": ""}, "organisation"),
        ({"role": "lead"}, "role"),
        ({"until": utcnow() - timedelta(days=1)}, "until"),
    ],
)
def test_what_is_wrong_is_told_at_its_field_and_nothing_is_added(
    lead: Actor, matter_id: uuid.UUID, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidError) as refusal:
        guests.invite(lead, matter_id, replace(NewGuest(**FORM), **changes))
    assert set(refusal.value.fields) == {field}
    assert session().scalars(select(Member).where(Member.is_guest)).all() == []


def test_an_address_that_is_invited_elsewhere_or_deactivated_is_refused(
    lead: Actor, matter_id: uuid.UUID
) -> None:
    admin = actor_of(make_member("Ada", is_admin=True))
    invitations.invite(admin, NewInvitation("gail@bank.test"))
    with pytest.raises(InvalidError, match="Ada has already invited"):
        guests.invite(lead, matter_id, NewGuest(**FORM))
    make_member("Gone", email="gone@bank.test", is_active=False)
    with pytest.raises(InvalidError, match="deactivated"):
        guests.invite(lead, matter_id, NewGuest(**FORM | {"email": "gone@bank.test"}))


def test_only_leads_invite(lead: Actor, matter_id: uuid.UUID) -> None:
    editor = make_member()
    participants.add(lead, matter_id, editor.id, "editor")
    with pytest.raises(ForbiddenError):
        guests.invite(actor_of(editor), matter_id, NewGuest(**FORM))


def test_a_new_link_replaces_the_old_one_until_they_join(
    browser: Browser, lead: Actor, matter_id: uuid.UUID
) -> None:
    old = guests.invite(lead, matter_id, NewGuest(**FORM)).link
    new = guests.invite_again(lead, matter_id, gail().id).link
    path = old.removeprefix("http://127.0.0.1:8000")
    assert browser.get(path).status_code == 410
    path = new.removeprefix("http://127.0.0.1:8000")
    assert browser.post(path, {"name": "Gail Guest", "password": PASSWORD}).status_code == 303
    with pytest.raises(ConflictError, match="already joined"):
        guests.invite_again(lead, matter_id, gail().id)


def test_a_shown_link_lets_no_lead_into_the_matter_of_another(lead: Actor, matter_id: uuid.UUID) -> None:
    guests.invite(lead, matter_id, NewGuest(**FORM))
    other = actor_of(make_member("Otto"))
    elsewhere = open_matter(other, "Elsewhere")
    with pytest.raises(ConflictError, match="Lea Lead has the link"):
        participants.add(other, elsewhere, gail().id, "viewer")
    own = open_matter(lead, "Own")
    participants.add(lead, own, gail().id, "viewer")
    with pytest.raises(ConflictError, match="other matters"):
        guests.invite_again(lead, matter_id, gail().id)


def test_with_mail_the_guest_is_added_to_other_matters_before_they_join(
    box: Mailbox, lead: Actor, matter_id: uuid.UUID
) -> None:
    assert guests.invite(lead, matter_id, NewGuest(**FORM)).link == ""
    other = actor_of(make_member("Otto"))
    participants.add(other, open_matter(other, "Elsewhere"), gail().id, "viewer")
    assert guests.invite_again(lead, matter_id, gail().id).link == ""


def test_two_leads_invite_the_same_person_at_once(app: Flask, lead: Actor, matter_id: uuid.UUID) -> None:
    done = at_once(app, *(lambda: guests.invite(lead, matter_id, NewGuest(**FORM)) for _ in range(2)))
    refused = [each for each in done if isinstance(each, Exception)]
    assert len(refused) == 1 and isinstance(refused[0], guests.KnownPersonError | InvalidError)
    assert gail().name == "Gail Guest"
