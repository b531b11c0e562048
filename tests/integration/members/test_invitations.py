"""Inviting: a link that works once and for seven days, mailed where mail can be sent, and kept as a hash alone."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, text

from models import Invitation, Mail, Member, db, utcnow
from services.core.actor import Actor
from services.core.errors import InvalidError
from services.core.unit_of_work import session, unit_of_work
from services.mail import smtp
from services.members import invitations, offboarding
from services.members.invitations import NewInvitation
from tests.support.audit import trail
from tests.support.pages import Browser, read
from tests.support.passwords import PASSWORD, is_signed_in, sign_in
from tests.support.people import actor_of, make_member
from tests.support.smtp import mail_server

URL = "/admin/members/invitations"


@pytest.fixture
def actor(ada: Member) -> Actor:
    return actor_of(ada)


def path(link: str) -> str:
    """The link without the host that browsers know us by."""
    assert link.startswith("http://127.0.0.1:8000/join/")
    return link.removeprefix("http://127.0.0.1:8000")


def invite(actor: Actor, **changes: object) -> str:
    return path(invitations.invite(actor, NewInvitation(**{"email": "Anna@Firm.test", **changes})).link)


def join(browser: Browser, link: str, **changes: str) -> int:
    return browser.post(link, {"name": "Anna Müller", "password": PASSWORD} | changes).status_code


def test_somebody_invited_joins_and_is_signed_in(app: Flask, ada_browser: Browser) -> None:
    answer = ada_browser.post(f"{URL}/new", {"kind": "member", "email": "anna@firm.test"}, htmx=True)
    shown = re.search(r'id="invitation-link">([^<]+)<', answer.get_data(as_text=True))
    assert answer.status_code == 200 and shown
    anna = Browser(app)
    page = anna.page(path(shown[1]))
    assert "Ada Admin has invited you" in page.text and "anna@firm.test" in page.text
    assert join(anna, path(shown[1])) == 303
    assert is_signed_in(anna)
    member = session().scalars(select(Member).where(Member.email_key == "anna@firm.test")).one()
    assert (member.name, member.is_guest, member.is_admin) == ("Anna Müller", False, False)
    assert sign_in(Browser(app), "anna@firm.test").status_code == 303
    actions = [(action, subject) for action, _, subject in trail()]
    assert ("invitation.made", "anna@firm.test") in actions and ("member.added", "Anna Müller") in actions
    assert ("invitation.accepted", "Anna Müller") in actions


def test_a_guest_is_of_an_organisation_and_stays_a_guest(browser: Browser, actor: Actor) -> None:
    with pytest.raises(InvalidError, match="organisation"):
        invite(actor, is_guest=True)
    link = invite(actor, is_guest=True, organisation="Bank", name="Gail")
    assert browser.page(link).value_of("name") == "Gail"
    assert join(browser, link, organisation="Firm", kind="member", is_admin="y") == 303
    gail = session().scalars(select(Member).where(Member.email_key == "anna@firm.test")).one()
    assert gail.is_guest and gail.organisation == "Bank" and not gail.is_admin


def test_a_link_that_is_over_says_why(app: Flask, browser: Browser, actor: Actor) -> None:
    used, replaced = invite(actor, email="used@firm.test"), invite(actor, email="twice@firm.test")
    withdrawn, expired = invite(actor, email="gone@firm.test"), invite(actor, email="late@firm.test")
    assert join(Browser(app), used) == 303
    with pytest.raises(invitations.AlreadyInvitedError):
        invite(actor, email="TWICE@firm.test")
    newest = path(invitations.invite(actor, NewInvitation("TWICE@firm.test"), replaces=True).link)
    by_email = {row.email: row.id for row in invitations.open_invitations(actor)}
    invitations.withdraw(actor, by_email["gone@firm.test"])
    with unit_of_work() as writing:
        writing.get_one(Invitation, by_email["late@firm.test"]).expires_at = utcnow() - timedelta(seconds=1)
    for link, said, status in (
        (used, "This link has been used", 410),
        (replaced, "This link has been replaced", 410),
        (withdrawn, "This invitation was withdrawn", 410),
        (expired, "This link has expired", 410),
        (f"{newest[:-2]}xx", "This link does not work", 404),
        ("/join/%00", "This link does not work", 404),
    ):
        assert said in browser.page(link, status=status).text
        assert join(browser, link) == status
    assert not is_signed_in(browser)
    assert join(browser, newest) == 303


def test_a_link_works_for_seven_days(browser: Browser, actor: Actor) -> None:
    invited = invitations.invite(actor, NewInvitation("anna@firm.test"))
    assert timedelta(days=7) - timedelta(minutes=1) < invited.expires_at - utcnow() <= timedelta(days=7)
    assert len(invited.link.rpartition("/")[2]) == 43


def test_the_link_is_shown_once_and_kept_nowhere(ada_browser: Browser, actor: Actor) -> None:
    token = invite(actor).rpartition("/")[2]
    assert token not in repr(invitations.invite(actor, NewInvitation("b@firm.test")))
    for url in (URL, "/admin/audit", "/admin/members"):
        assert token not in ada_browser.get(url).get_data(as_text=True)
    with db.engine.connect() as connection:
        for table in db.metadata.sorted_tables:
            assert token not in str(connection.execute(text(f"SELECT * FROM {table.name}")).all())


def test_an_existing_member_cannot_be_invited(ada_browser: Browser, actor: Actor) -> None:
    make_member("Anna Here", email="anna@firm.test")
    make_member("Gone Gustav", email="gone@firm.test", is_active=False)
    for email, said in (
        ("ANNA@firm.test", "already has an account"),
        ("gone@firm.test", "is deactivated"),
        ("x", "Enter"),
    ):
        answer = ada_browser.post(f"{URL}/new", {"kind": "member", "email": email}, htmx=True)
        page = read(answer, whole=False)
        assert answer.status_code == 422 and said in page.text and "email-error" in page.ids
    assert invitations.open_invitations(actor) == ()


@pytest.mark.parametrize(
    "entry", [{"password": "short"}, {"name": ""}, {"password": ""}, {"name": "An\u202ena"}]
)
def test_what_cannot_be_is_said_and_the_link_still_works(
    browser: Browser, actor: Actor, entry: dict[str, str]
) -> None:
    link = invite(actor)
    assert join(browser, link, **entry) == 422
    assert join(browser, link) == 303


def test_somebody_on_record_without_a_password_gets_one(browser: Browser, actor: Actor) -> None:
    anna = make_member("Anna", email="anna@firm.test", password_hash="")
    link = invite(actor)
    assert join(browser, link) == 303
    assert is_signed_in(browser)
    session().rollback()
    assert session().get_one(Member, anna.id).name == "Anna Müller"
    assert join(browser, link) == 410


def test_somebody_deactivated_since_cannot_join(browser: Browser, actor: Actor) -> None:
    anna = make_member("Anna", email="anna@firm.test", password_hash="")
    link = invite(actor)
    offboarding.deactivate(actor, anna.id)
    assert "This account is closed" in browser.page(link, status=410).text
    assert join(browser, link) == 410


def test_nobody_comes_in_by_the_word_of_somebody_deactivated_since(
    app: Flask, ada_browser: Browser, actor: Actor
) -> None:
    gone = actor_of(make_member("Gus Wren", email="gus@firm.test", is_admin=True))
    made = invitations.invite(gone, NewInvitation("theirs@firm.test"))
    kept = invitations.invite(actor, NewInvitation("ours@firm.test"))
    assert offboarding.consequences(actor, gone.id).invitations == 1
    page = ada_browser.page(f"/admin/members/{gone.id}/deactivate").text
    assert "1 invitation that they sent withdrawn: the link will stop working" in page
    offboarding.deactivate(actor, gone.id)
    assert offboarding.consequences(actor, gone.id).invitations == 0
    with pytest.raises(invitations.InvitationEndedError) as over:
        invitations.by_token(made.link.rsplit("/", 1)[-1])
    assert over.value.code == "invitation.withdrawn"
    assert invitations.by_token(kept.link.rsplit("/", 1)[-1]).email == "ours@firm.test"


def test_the_list_renews_and_withdraws(app: Flask, ada_browser: Browser, actor: Actor) -> None:
    first = invite(actor, name="Anna")
    assert "Anna" in ada_browser.page(URL).text
    (row,) = invitations.open_invitations(actor)
    answer = ada_browser.post(f"{URL}/{row.id}/link", htmx=True)
    shown = re.search(r'id="invitation-link">([^<]+)<', answer.get_data(as_text=True))
    assert shown and path(shown[1]) != first
    assert ada_browser.post(f"{URL}/{row.id}/link").status_code == 409
    (row,) = invitations.open_invitations(actor)
    assert ada_browser.post(f"{URL}/{row.id}/withdraw").status_code == 303
    assert "No open invitations" in ada_browser.page(URL).text
    assert join(Browser(app), path(shown[1])) == 410


def test_the_link_goes_by_mail_where_mail_can_be_sent(app: Flask, actor: Actor) -> None:
    assert smtp.send_due() == 0
    with mail_server() as box:
        invited = invitations.invite(actor, NewInvitation("anna@firm.test"))
        assert invited.is_mailed
        assert smtp.send_due() == 1
        assert smtp.send_due() == 0
        (message,) = box.messages
    assert message["To"] == "anna@firm.test"
    assert message["Subject"] == "Ada Admin has invited you to Counterpart"
    assert invited.link in message.get_content()
    (row,) = invitations.open_invitations(actor)
    assert row.mail == "Sent."
    assert join(Browser(app), path(invited.link)) == 303


def test_a_refused_address_is_told_and_an_ended_invitation_is_not_mailed(
    ada_browser: Browser, actor: Actor
) -> None:
    with mail_server() as box:
        box.refusals["RCPT"] = "550 No such user"
        invitations.invite(actor, NewInvitation("anna@firm.test"))
        assert smtp.send_due() == 0
        assert "refused the address" in ada_browser.page(URL).text
        box.refusals.clear()
        invitations.invite(actor, NewInvitation("bert@firm.test"))
        newest = invitations.open_invitations(actor)[0]
        invitations.withdraw(actor, newest.id)
        assert smtp.send_due() == 0
    assert box.messages == []


def test_a_mail_server_that_is_away_is_asked_again_with_the_same_link(actor: Actor) -> None:
    with mail_server() as box:
        invited = invitations.invite(actor, NewInvitation("anna@firm.test"))
        box.hang_up_at = "DATA"
        assert smtp.send_due() == 0
        box.hang_up_at = ""
        with unit_of_work() as writing:
            for row in writing.scalars(select(Mail)):
                row.due_at = utcnow()
        assert smtp.send_due() == 1
        (message,) = box.messages
    assert invited.link in message.get_content()


def test_a_second_invitation_asks_before_it_replaces_the_first_link(
    app: Flask, browser: Browser, ada_browser: Browser, actor: Actor
) -> None:
    first = invite(actor)
    again = {"kind": "member", "email": "ANNA@firm.test"}
    asked = ada_browser.post("/admin/members/invitations/new", again)
    assert asked.status_code == 422
    page = read(asked, whole=True)
    assert "already has an open invitation" in page.text and "that link stops working" in page.text
    assert "Join Counterpart" in browser.page(first).text, "nothing was replaced yet"
    replaced = ada_browser.post(
        "/admin/members/invitations/new", again | {"replace": page.value_of("replace")}
    )
    assert replaced.status_code == 200
    assert "This link has been replaced" in browser.page(first, status=410).text
