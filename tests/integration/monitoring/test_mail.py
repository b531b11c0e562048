"""Mails about servers: when the state changes, once a day while one fails, to whom, and never twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import update

from models import Mail, Member, Server, utcnow
from services.core.unit_of_work import session, unit_of_work
from services.mail import outbox, smtp
from tests.support.pages import Browser
from tests.support.people import make_member
from tests.support.server_health import mails, note, put, row_of
from tests.support.servers import make_server
from tests.support.smtp import Mailbox, mail_server


@pytest.fixture
def box(database: None) -> Iterator[Mailbox]:
    with mail_server() as box:
        yield box


@pytest.fixture
def server(database: None) -> Server:
    return make_server(is_enabled=True)


def subjects(box: Mailbox) -> list[str]:
    while smtp.send_due():
        pass
    return [str(message["Subject"]) for message in box.messages]


def test_a_failure_says_what_was_found_and_what_to_do(box: Mailbox, ada: Member, server: Server) -> None:
    note(server, "fail")
    assert smtp.send_due() == 1
    (message,) = box.messages
    assert box.recipients == ["ada@firm.test"]
    assert message["Subject"] == "“London DMS” is failing"
    assert message["Auto-Submitted"] == "auto-generated"
    text = message.get_content()
    for words in (
        "The iManage server “London DMS” is failing.",
        "Problem: It came to: fail.",
        "What to do: ",
        "Who needs to act: ",
        f"http://127.0.0.1:8000/admin/integrations/imanage/{server.id}",
        "To stop these emails: http://127.0.0.1:8000/account",
    ):
        assert words in text


def test_each_change_is_told_and_nothing_else(box: Mailbox, ada: Member, server: Server) -> None:
    note(server, "pass", "pass")
    assert subjects(box) == []
    for outcome in ("warn", "warn", "fail", "fail", "pass", "pass"):
        note(server, outcome)
        subjects(box)
    assert subjects(box) == [
        "“London DMS” is working, with a warning",
        "“London DMS” is failing",
        "“London DMS” is healthy again",
    ]


def test_a_first_warning_is_no_change(box: Mailbox, ada: Member, server: Server) -> None:
    note(server, "warn")
    assert subjects(box) == []


def test_a_lasting_failure_is_told_once_a_day(box: Mailbox, ada: Member, server: Server) -> None:
    note(server, "fail", "fail")
    assert len(subjects(box)) == 1
    put(server, told_at=utcnow() - timedelta(hours=25), since=utcnow() - timedelta(hours=25))
    note(server, "fail", "fail")
    assert subjects(box) == ["“London DMS” is failing", "“London DMS” is still failing"]
    put(server, told_at=utcnow() - timedelta(hours=23))
    note(server, "fail")
    assert len(subjects(box)) == 2


def test_what_has_changed_before_it_was_sent_is_not_told(box: Mailbox, ada: Member, server: Server) -> None:
    note(server, "fail", "pass")
    assert subjects(box) == ["“London DMS” is healthy again"]
    assert {each.outcome for each in mails()} == {"The state has changed since.", "Sent."}


def test_it_is_sent_once_by_one_of_several_workers(box: Mailbox, ada: Member, server: Server) -> None:
    note(server, "fail")
    (mail_id,) = outbox.due(10)
    assert outbox.claim(mail_id) is not None and outbox.claim(mail_id) is None
    with unit_of_work() as writing:
        writing.execute(update(Mail).values(due_at=utcnow() - timedelta(seconds=1)))
    assert len(subjects(box)) == 1
    with unit_of_work() as writing:
        writing.execute(update(Mail).values(due_at=utcnow() - timedelta(seconds=1)))
    assert len(subjects(box)) == 1


@pytest.mark.parametrize("change", ["is_admin", "is_active", "wants_health_mail"])
def test_nobody_is_told_who_should_not_be(box: Mailbox, ada: Member, server: Server, change: str) -> None:
    make_member(email="member@firm.test")
    note(server, "fail")
    with unit_of_work() as writing:
        setattr(writing.get_one(Member, ada.id), change, False)
    assert subjects(box) == []
    note(server, "pass")
    assert subjects(box) == [] and len(mails()) == 1


def test_a_server_that_is_off_is_no_news(box: Mailbox, ada: Member) -> None:
    server = make_server("Paris")
    note(server, "fail")
    assert mails() == [] and row_of(server).state == "failing"


def test_one_that_was_switched_off_meanwhile_is_none_either(
    box: Mailbox, ada: Member, server: Server
) -> None:
    note(server, "fail")
    with unit_of_work() as writing:
        writing.execute(update(Server).values(is_enabled=False))
    assert subjects(box) == []


def test_without_a_mail_server_nothing_is_queued(ada: Member, server: Server) -> None:
    note(server, "fail", "pass")
    assert mails() == []


def test_mails_go_with_their_server(box: Mailbox, ada: Member, server: Server) -> None:
    note(server, "fail")
    with unit_of_work() as writing:
        writing.delete(writing.get_one(Server, server.id))
    assert mails() == [] and subjects(box) == []


def test_an_admin_switches_them_off(box: Mailbox, browser: Browser, ada: Member) -> None:
    browser.sign_in(ada)
    assert "Email me when an iManage server fails" in browser.page("/account").text
    answer = browser.post("/account/health-mail", {"health_mail": "0"}, htmx=True)
    assert 'aria-checked="false"' in answer.get_data(as_text=True)
    session().rollback()
    assert session().get_one(Member, ada.id).wants_health_mail is False
    assert browser.post("/account/health-mail", {"health_mail": "1"}).status_code == 303
    assert browser.post("/account/health-mail", {"health_mail": "x"}).status_code == 400


def test_the_account_page_says_where_no_mail_is_sent(app: Flask, browser: Browser, ada: Member) -> None:
    assert "Counterpart cannot send email" in browser.sign_in(ada).page("/account").text
    member = Browser(app).sign_in(make_member())
    assert "Counterpart cannot send email" not in member.page("/account").text
    with mail_server():
        assert "iManage server fails" not in member.page("/account").text
    assert member.post("/account/health-mail", {"health_mail": "1"}).status_code in (403, 404)
