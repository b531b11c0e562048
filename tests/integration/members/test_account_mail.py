"""The switch for mails about transfers on a person's own account."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from models import Member
from services.core.unit_of_work import session
from tests.support.pages import Browser
from tests.support.people import make_member
from tests.support.smtp import mail_server


@pytest.fixture
def post(database: None) -> Iterator[None]:
    with mail_server():
        yield


def test_mails_about_transfers_can_be_switched_off(browser: Browser, post: None) -> None:
    member = make_member()
    browser.sign_in(member)
    assert "Email me when my transfers end" in browser.page("/account").text
    answer = browser.post("/account/mail", {"mail": "0"}, htmx=True)
    assert 'aria-checked="false"' in answer.get_data(as_text=True)
    session().rollback()
    assert session().get_one(Member, member.id).wants_mail is False
    assert browser.post("/account/mail", {"mail": "1"}).status_code == 303
    assert browser.post("/account/mail", {"mail": "maybe"}).status_code == 400
    session().rollback()
    assert session().get_one(Member, member.id).wants_mail is True


def test_the_setting_is_hidden_without_a_mail_server_and_from_guests(
    app: Flask, browser: Browser, database: None
) -> None:
    browser.sign_in(make_member())
    assert "Email me when" not in browser.page("/account").text
    with mail_server():
        guest = Browser(app).sign_in(make_member(is_guest=True))
        assert "Email me when" not in guest.page("/account").text
        assert guest.post("/account/mail", {"mail": "1"}).status_code == 404
