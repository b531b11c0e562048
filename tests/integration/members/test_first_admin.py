"""The first System Admin: only with the code from the terminal, and only once."""

from __future__ import annotations

from functools import partial

import pytest
from flask import Flask
from sqlalchemy import func, select

from models import Installation, Member
from services.auth import login_throttle
from services.core.actor import Nobody
from services.core.errors import ConflictError
from services.core.unit_of_work import session
from services.directory.people import NewMember
from services.members import first_admin
from tests.support.audit import trail
from tests.support.concurrency import at_once
from tests.support.pages import Browser, read
from tests.support.passwords import PASSWORD, is_signed_in, sign_in
from tests.support.people import make_member


@pytest.fixture
def code(database: None) -> str:
    made = first_admin.code_for_terminal()
    assert made is not None
    return made


def form(code: str, **changes: str) -> dict[str, str]:
    return {"code": code, "name": "Ada Admin", "email": "ada@firm.test", "password": PASSWORD} | changes


def people() -> int:
    session().rollback()
    return session().scalar(select(func.count(Member.id))) or 0


@pytest.mark.parametrize("url", ["/", "/account", "/admin/members", "/matters/new"])
def test_without_members_every_page_leads_to_set_up(browser: Browser, code: str, url: str) -> None:
    answer = browser.get(url, follow_redirects=True)
    assert answer.request.path == "/set-up"
    assert "Set up Counterpart" in read(answer, whole=True).text


def test_the_code_creates_and_signs_in_the_first_system_admin(browser: Browser, code: str) -> None:
    answer = browser.post("/set-up", form(code.lower().replace("-", " ")))
    assert (answer.status_code, answer.location) == (303, "/")
    assert is_signed_in(browser)
    assert browser.get("/admin/members").status_code == 200
    assert trail()[0] == ("member.added", "done", "Ada Admin")


def test_set_up_happens_once(app: Flask, browser: Browser, code: str) -> None:
    browser.post("/set-up", form(code))
    second = Browser(app)
    assert second.get("/set-up").location == "/sign-in"
    assert second.post("/set-up", form(code, email="eve@firm.test")).status_code == 409
    assert people() == 1
    assert first_admin.code_for_terminal() is None
    assert sign_in(second, "ada@firm.test").status_code == 303


def test_two_at_once_make_one_admin(app: Flask, code: str) -> None:
    def one(number: int) -> str:
        return first_admin.set_up(
            Nobody("X"), code, NewMember(f"A {number}", f"a{number}@b.test", PASSWORD, is_admin=True)
        )

    answers = at_once(app, *(partial(one, number) for number in range(4)))
    assert sum(isinstance(answer, str) for answer in answers) == 1
    assert sum(isinstance(answer, ConflictError) for answer in answers) == 3
    assert people() == 1


@pytest.mark.parametrize("wrong", ["00000-00000-00000-00000", "x", "' or 1=1", "%", "é", "0" * 99])
def test_a_wrong_code_makes_nobody(browser: Browser, code: str, wrong: str) -> None:
    answer = browser.post("/set-up", form(wrong))
    assert answer.status_code == 422
    assert "This is not the current set-up code." in read(answer, whole=True).text
    assert people() == 0


def test_each_start_makes_a_new_code(browser: Browser, code: str) -> None:
    newer = first_admin.code_for_terminal()
    assert newer is not None and newer != code
    assert browser.post("/set-up", form(code)).status_code == 422
    assert browser.post("/set-up", form(newer)).status_code == 303


def test_the_code_itself_is_nowhere_on_record(code: str) -> None:
    stored = session().get_one(Installation, first_admin.ROW).setup_code_hash
    assert stored and code not in stored and code.replace("-", "") not in stored


def test_without_a_code_on_record_none_is_right(browser: Browser, database: None) -> None:
    assert browser.post("/set-up", form("")).status_code == 422
    assert browser.post("/set-up", form("x")).status_code == 422
    assert people() == 0


@pytest.mark.parametrize(
    "change",
    [{"password": "short"}, {"password": ""}, {"email": "ada"}, {"email": ""}, {"name": ""}, {"name": "n" * 201},
     {"password": "ada@firm.test"}, {"name": "Ada\u202eAdmin"}],
)  # fmt: skip
def test_what_is_entered_is_judged_and_does_not_use_up_tries(
    browser: Browser, code: str, change: dict[str, str]
) -> None:
    assert browser.post("/set-up", form(code, **change)).status_code == 422
    assert people() == 0
    assert browser.post("/set-up", form(code)).status_code == 303


def test_guessing_the_code_has_a_limit(browser: Browser, code: str) -> None:
    for _ in range(login_throttle.PER_ADDRESS):
        assert browser.post("/set-up", form("wrong")).status_code == 422
    answer = browser.post("/set-up", form(code))
    assert answer.status_code == 429
    assert "Try again in" in read(answer, whole=True).text


def test_a_member_from_the_command_line_closes_set_up(browser: Browser, code: str) -> None:
    make_member("Ada", is_admin=True)
    assert browser.get("/set-up").location == "/sign-in"
    assert browser.post("/set-up", form(code)).status_code == 409
