"""Signing in and out: one sentence for every wrong pair, limits on guessing, and no way to another site."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from models import Member, SignInAttempt, SignInSession, utcnow
from services.auth import login_throttle, passwords, sessions
from services.core.unit_of_work import session, unit_of_work
from tests.support.audit import trail
from tests.support.pages import Browser, read
from tests.support.passwords import PASSWORD, is_signed_in, sign_in, with_password
from tests.support.people import make_member

WRONG = "The email address or password is wrong."


@pytest.fixture
def anna(database: None) -> Member:
    return with_password("Anna", email="anna@firm.test")


def test_the_right_pair_signs_in_and_leads_on(browser: Browser, anna: Member) -> None:
    page = browser.page("/sign-in")
    assert {"email", "password"} <= {control.get("name") for control in page.controls}
    answer = sign_in(browser, " Anna@FIRM.test ", url="/sign-in?next=/account")
    assert (answer.status_code, answer.location) == (303, "/account")
    assert is_signed_in(browser)
    assert trail() == [("sign_in", "done", "")]


def test_every_page_leads_to_sign_in_and_back(browser: Browser, anna: Member) -> None:
    answer = browser.get("/admin/members?q=a")
    assert answer.status_code == 302
    assert answer.location == "/sign-in?next=/admin/members?q%3Da"
    assert sign_in(browser, "anna@firm.test", url=answer.location).location == "/admin/members?q=a"


@pytest.mark.parametrize(
    ("email", "password"),
    [("anna@firm.test", "another password"), ("nobody@firm.test", PASSWORD), ("off@firm.test", PASSWORD),
     ("not an address", PASSWORD), ("anna@firm.test", "x" * 5000), ("a\x00b@firm.test", PASSWORD),
     ("' or 1=1 --", "quoted")],
)  # fmt: skip
def test_a_wrong_pair_is_one_sentence(browser: Browser, anna: Member, email: str, password: str) -> None:
    with_password("Off", email="off@firm.test", is_active=False)
    answer = sign_in(browser, email, password)
    page = read(answer, whole=True)
    assert answer.status_code == 422
    if "\x00" not in email:
        assert WRONG in page.text
        assert [event[:2] for event in trail()] == [("sign_in", "failed")]
    assert password not in answer.get_data(as_text=True)
    assert not is_signed_in(browser)


def test_a_password_typed_as_the_address_is_not_kept(browser: Browser, anna: Member) -> None:
    sign_in(browser, "my secret pass phrase", "x")
    assert trail() == [("sign_in", "failed", "an invalid email address")]


@pytest.mark.parametrize("missing", ["email", "password"])
def test_an_empty_field_says_so(browser: Browser, anna: Member, missing: str) -> None:
    data = {"email": "anna@firm.test", "password": PASSWORD, missing: ""}
    answer = browser.post("/sign-in", data)
    assert answer.status_code == 422
    assert "Enter your" in read(answer, whole=True).text


@pytest.mark.parametrize(
    "target", ["https://evil.test", "//evil.test", "/%5cevil.test", "/\\evil.test", "/%09/evil.test"]
)
def test_no_way_on_to_another_site(browser: Browser, anna: Member, target: str) -> None:
    answer = browser.client.post(
        "/sign-in",
        query_string={"next": target},
        data={"email": "anna@firm.test", "password": PASSWORD},
        headers={"X-CSRFToken": browser.csrf_token()},
    )
    assert (answer.status_code, answer.location) == (303, "/")
    assert browser.client.get("/sign-in", query_string={"next": target}).location == "/"


def test_after_five_wrong_guesses_from_an_unknown_browser_even_the_right_one_waits(
    browser: Browser, anna: Member
) -> None:
    for _ in range(login_throttle.PER_PAIR):
        assert sign_in(browser, "ANNA@firm.test", "wrong").status_code == 422
    answer = sign_in(browser, "anna@firm.test")
    assert answer.status_code == 429
    assert "Try again in 15 minutes." in read(answer, whole=True).text
    assert trail()[-1] == ("sign_in.locked", "refused", "anna@firm.test")
    later(login_throttle.WINDOW)
    assert sign_in(browser, "anna@firm.test").status_code == 303


def test_waiting_does_not_begin_again_with_each_try(browser: Browser, anna: Member) -> None:
    for _ in range(login_throttle.PER_PAIR):
        sign_in(browser, "anna@firm.test", "wrong")
    later(timedelta(minutes=10))
    assert "Try again in 5 minutes." in read(sign_in(browser, "anna@firm.test"), whole=True).text
    later(timedelta(minutes=5))
    assert sign_in(browser, "anna@firm.test").status_code == 303


def test_an_account_that_is_not_there_is_locked_alike(browser: Browser, anna: Member) -> None:
    answers = [sign_in(browser, "nobody@firm.test", "wrong").status_code for _ in range(6)]
    assert answers == [422] * 5 + [429]


def test_signing_in_clears_the_pair_but_neither_address_nor_account(browser: Browser, anna: Member) -> None:
    for _ in range(3):
        sign_in(browser, "anna@firm.test", "wrong")
    sign_in(browser, "anna@firm.test")
    kinds = sorted(key.partition(":")[0] for key in session().scalars(select(SignInAttempt.key)))
    assert kinds == ["account"] * 3 + ["address"] * 3


def test_one_address_cannot_try_many_accounts(
    browser: Browser, anna: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "verify", lambda stored, password: False)
    for number in range(login_throttle.PER_ADDRESS):
        assert sign_in(browser, f"m{number}@firm.test", "wrong").status_code == 422
    assert sign_in(browser, "one.more@firm.test", "wrong").status_code == 429
    other = browser.client.post(
        "/sign-in",
        data={"email": "one.more@firm.test", "password": "wrong"},
        headers={"X-CSRFToken": browser.csrf_token()},
        environ_base={"REMOTE_ADDR": "192.0.2.7"},
    )
    assert other.status_code == 422


def test_an_ipv6_network_is_one_address() -> None:
    assert login_throttle.address_limit("2001:db8::1") == login_throttle.address_limit("2001:db8::ffff:1")
    assert login_throttle.address_limit("2001:db8::1") != login_throttle.address_limit("2001:db8:0:1::1")
    assert login_throttle.address_limit("") == login_throttle.address_limit("unix:")


def test_signing_in_makes_a_new_session_and_ends_the_one_before(
    app: Flask, browser: Browser, anna: Member
) -> None:
    thief = Browser(app)
    sign_in(browser, "anna@firm.test")
    with browser.client.session_transaction() as cookie:
        first = dict(cookie)
    with thief.client.session_transaction() as cookie:
        cookie.update(first)
    assert is_signed_in(thief)
    assert sign_in(browser, "anna@firm.test").status_code == 303
    with browser.client.session_transaction() as cookie:
        assert cookie["session_token"] != first["session_token"]
    assert is_signed_in(browser)
    assert not is_signed_in(thief)


def test_signing_out_ends_the_session_on_the_server(app: Flask, browser: Browser, anna: Member) -> None:
    sign_in(browser, "anna@firm.test")
    with browser.client.session_transaction() as cookie:
        kept = dict(cookie)
    assert browser.get("/account").headers["Cache-Control"] == "no-store"
    assert browser.get("/sign-out").status_code == 405
    answer = browser.post("/sign-out")
    assert (answer.status_code, answer.location) == (303, "/sign-in")
    assert "You have signed out." in browser.page("/sign-in").text
    with browser.client.session_transaction() as cookie:
        cookie.update(kept)
    assert not is_signed_in(browser)
    assert [event[0] for event in trail()] == ["sign_in", "sign_out"]


def test_a_poll_of_an_ended_session_sets_no_cookie(app: Flask, browser: Browser, anna: Member) -> None:
    """Its response may arrive after the sign-in page, whose form belongs to the cookie that came with it."""
    other_tab = Browser(app)
    sign_in(browser, "anna@firm.test")
    browser.page("/account")
    with browser.client.session_transaction() as cookie:
        kept = dict(cookie)
    with other_tab.client.session_transaction() as cookie:
        cookie.update(kept)
    other_tab.post("/sign-out")
    answer = browser.get("/transfers", htmx=True)
    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers


def test_a_write_without_the_token_or_from_elsewhere_is_refused(browser: Browser, anna: Member) -> None:
    data = {"email": "anna@firm.test", "password": PASSWORD}
    assert browser.client.post("/sign-in", data=data).status_code == 400
    assert browser.post("/sign-in", data, headers={"Origin": "https://evil.test"}).status_code == 400
    assert browser.post("/sign-in", data, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 400
    assert browser.post("/sign-in", data, headers={"Sec-Fetch-Site": "same-site"}).status_code == 400
    # What Chromium sends with a plain form of a page whose referrer policy is no-referrer:
    plain = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}
    assert browser.post("/sign-in", data, headers=plain).status_code == 303


def test_idle_and_old_sessions_end(browser: Browser, anna: Member) -> None:
    for column, age in (("seen_at", sessions.IDLE_TIMEOUT), ("created_at", sessions.LONGEST)):
        sign_in(browser, "anna@firm.test")
        assert is_signed_in(browser)
        with unit_of_work() as writing:
            writing.execute(update(SignInSession).values({column: utcnow() - age - timedelta(minutes=1)}))
        assert not is_signed_in(browser)


def test_a_weaker_hash_is_made_again(browser: Browser, database: None) -> None:
    from argon2 import PasswordHasher

    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    member_id = make_member("Old", email="old@firm.test", password_hash=weak).id
    assert sign_in(browser, "old@firm.test").status_code == 303
    session().rollback()
    stored = session().get_one(Member, member_id).password_hash
    assert stored != weak and passwords.verify(stored, PASSWORD)


def later(by: timedelta) -> None:
    """Time passes: what is on record is that much older."""
    with unit_of_work() as writing:
        for row in writing.scalars(select(SignInAttempt)):
            row.at -= by
