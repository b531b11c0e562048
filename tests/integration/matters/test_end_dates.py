"""A guest's access until a date: it ends at the second, everywhere, and the leads are told a week before."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, update

from models import Mail, Member, Participant, utcnow
from services.core.errors import ForbiddenError, InvalidError
from services.core.unit_of_work import session, unit_of_work
from services.mail import smtp
from services.matters import documents, end_dates, matters, participants
from tests.support.audit import trail
from tests.support.matters import add_document, current_version, open_matter
from tests.support.pages import Browser, read
from tests.support.people import actor_of, make_member
from tests.support.smtp import Mailbox, mail_server


@pytest.fixture
def box(database: None) -> Iterator[Mailbox]:
    with mail_server() as box:
        yield box


@pytest.fixture
def lead(database: None) -> Member:
    return make_member("Lea Lead")


@pytest.fixture
def guest(database: None) -> Member:
    return make_member("Gail Guest", is_guest=True, organisation="Harbour Bank")


@pytest.fixture
def matter_id(lead: Member, guest: Member) -> uuid.UUID:
    return open_matter(actor_of(lead), editor=guest)


def set_until(matter_id: uuid.UUID, guest: Member, until: datetime | None) -> None:
    with unit_of_work() as writing:
        where = Participant.matter_id == matter_id, Participant.member_id == guest.id
        writing.execute(update(Participant).where(*where).values(until=until))


def test_a_lead_sets_a_date_which_is_shown_to_both_and_recorded(
    browser: Browser, lead: Member, guest: Member, matter_id: uuid.UUID
) -> None:
    day = (utcnow() + timedelta(days=40)).date()
    url = f"/matters/{matter_id}/people/{guest.id}/access"
    browser.sign_in(lead)
    assert browser.post(url, {"until": day.isoformat()}, htmx=True).headers["HX-Redirect"]
    shown = f"{day.day} {day:%b %Y}"
    assert f"Until {shown}" in browser.page(f"/matters/{matter_id}/people").text
    assert browser.page(url).value_of("until") == day.isoformat()
    seen = Browser(browser.app).sign_in(guest).page(f"/matters/{matter_id}").text
    assert f"You have access until the end of {shown} (UTC)." in seen
    assert trail()[-1][0] == "participant.until_changed"


@pytest.mark.parametrize("until", ["2020-01-01", "31.12.2030", "tomorrow", "9999-12-31"])
def test_a_day_in_the_past_or_no_day_is_refused(
    browser: Browser, lead: Member, guest: Member, matter_id: uuid.UUID, until: str
) -> None:
    answer = browser.sign_in(lead).post(
        f"/matters/{matter_id}/people/{guest.id}/access", {"until": until}, htmx=True
    )
    assert answer.status_code == 422
    text = read(answer, whole=False).text
    assert (
        "Choose today or a later date." in text
        or "Enter a date, such as 2026-12-31." in text
        or "2200" in text
    )
    people, other = f"/matters/{matter_id}/people", make_member(is_guest=True, organisation="Bank")
    form = {"member": str(other.id), "role": "viewer", "until": until}
    assert browser.post(people, form).status_code == 422
    assert len(participants.of_matter(actor_of(lead), matter_id).rows) == 2


def test_only_guests_have_an_end(lead: Member, matter_id: uuid.UUID) -> None:
    colleague = make_member()
    participants.add(actor_of(lead), matter_id, colleague.id, "viewer")
    for change in (
        lambda: end_dates.change(actor_of(lead), matter_id, colleague.id, utcnow() + timedelta(days=9)),
        lambda: end_dates.end_now(actor_of(lead), matter_id, colleague.id),
    ):
        with pytest.raises(InvalidError, match="Only a guest"):
            change()


def test_today_lasts_until_midnight_in_utc() -> None:
    until = participants.end_of(date(2026, 12, 31))
    assert until == datetime(2027, 1, 1, tzinfo=UTC)
    assert participants.end_of(None) is None


def test_access_ends_at_the_second_on_every_page_and_for_an_open_one(
    browser: Browser, lead: Member, guest: Member, matter_id: uuid.UUID
) -> None:
    document_id = add_document(actor_of(lead), matter_id)
    pages = [
        f"/matters/{matter_id}",
        f"/matters/{matter_id}/people",
        f"/documents/{document_id}",
        f"/documents/{document_id}/actions",
        f"/versions/{current_version(document_id)}/download",
    ]
    browser.sign_in(guest)
    set_until(matter_id, guest, utcnow() + timedelta(seconds=30))
    assert [browser.get(page).status_code for page in pages] == [200] * 5
    set_until(matter_id, guest, utcnow())
    assert [browser.get(page).status_code for page in pages] == [403] * 5
    answer = browser.get(pages[0], htmx=True)  # the open page asks again
    assert (answer.status_code, answer.headers["HX-Retarget"]) == (403, "#toasts")
    assert "Your access to this matter has ended." in answer.get_data(as_text=True)
    upload = browser.post(f"/matters/{matter_id}/documents/check", {"name": "a.docx", "size": "1"})
    assert upload.status_code == 403
    assert "Project Heron" not in browser.page("/matters").text
    assert matters.mine(actor_of(guest)).rows == ()
    assert documents.of_matter(actor_of(guest), matter_id).rows == ()


def test_a_lead_ends_an_access_and_opens_it_again(
    browser: Browser, lead: Member, guest: Member, matter_id: uuid.UUID
) -> None:
    url = f"/matters/{matter_id}/people/{guest.id}/access"
    browser.sign_in(lead).post(url, {"end": "1"})
    assert "Access ended" in browser.page(f"/matters/{matter_id}/people").text
    with pytest.raises(ForbiddenError):
        matters.find(actor_of(guest), matter_id)
    browser.post(url, {"until": ""})
    assert matters.find(actor_of(guest), matter_id).last_day is None


def test_leads_are_told_once_a_week_before(
    box: Mailbox, lead: Member, guest: Member, matter_id: uuid.UUID
) -> None:
    end_dates.change(actor_of(lead), matter_id, guest.id, utcnow() + timedelta(days=20))
    end_dates.remind_leads()
    assert session().scalars(select(Mail)).all() == []
    set_until(matter_id, guest, utcnow() + timedelta(days=6))
    end_dates.remind_leads()
    end_dates.remind_leads()
    smtp.send_due()
    (message,) = box.messages
    assert box.recipients == [lead.email]
    assert message["Subject"] == "Gail Guest’s access to Project Heron ends soon"
    assert f"/matters/{matter_id}/people" in message.get_content()


def test_no_reminder_for_a_date_just_chosen_or_of_an_access_that_was_extended(
    box: Mailbox, lead: Member, guest: Member, matter_id: uuid.UUID
) -> None:
    end_dates.change(actor_of(lead), matter_id, guest.id, utcnow() + timedelta(days=3))
    end_dates.remind_leads()
    assert session().scalars(select(Mail)).all() == []
    end_dates.change(actor_of(lead), matter_id, guest.id, utcnow() + timedelta(days=20))
    set_until(matter_id, guest, utcnow() + timedelta(days=6))
    end_dates.remind_leads()
    end_dates.change(actor_of(lead), matter_id, guest.id, None)
    smtp.send_due()
    assert box.messages == []
    assert session().scalars(select(Mail.outcome)).one().endswith("no longer ends.")
