"""Changing a member: what is on record, and who is a System Admin."""

from __future__ import annotations

import uuid
from functools import partial

import pytest
from flask import Flask

from models import Member
from services.core.actor import Actor
from services.core.errors import InvalidError
from services.core.unit_of_work import session
from services.directory.details import Details
from services.members import editing
from tests.support.audit import trail
from tests.support.concurrency import at_once
from tests.support.pages import Browser, read
from tests.support.passwords import sign_in, with_password
from tests.support.people import actor_of, make_member

LIST = "/admin/members"


def fresh(member_id: uuid.UUID) -> Member:
    session().rollback()
    return session().get_one(Member, member_id)


def entry(**changes: str) -> dict[str, str]:
    return {"name": "Anna", "email": "anna@firm.test", "organisation": ""} | changes


def test_a_new_name_and_address_count_at_once(app: Flask, ada_browser: Browser) -> None:
    anna = with_password("Anna", email="anna@firm.test")
    page = ada_browser.page(f"{LIST}/{anna.id}/edit", htmx=True)
    assert (page.value_of("name"), page.value_of("email")) == ("Anna", "anna@firm.test")
    answer = ada_browser.post(f"{LIST}/{anna.id}/edit", entry(name="Anna Weiß", email="weiss@firm.test"))
    assert (answer.status_code, answer.location) == (303, f"{LIST}/{anna.id}")
    assert "Anna Weiß" in ada_browser.page(f"{LIST}?q=WEISS").text
    assert sign_in(Browser(app), "anna@firm.test").status_code == 422
    assert sign_in(Browser(app), "weiss@firm.test").status_code == 303
    assert trail()[0] == ("member.changed", "done", "Anna Weiß")


def test_saving_what_is_there_changes_nothing(ada_browser: Browser) -> None:
    anna = make_member("Anna", email="anna@firm.test")
    assert ada_browser.post(f"{LIST}/{anna.id}/edit", entry()).status_code == 303
    assert trail() == []


@pytest.mark.parametrize(
    "change",
    [{"email": "ADA@firm.test"}, {"email": "anna"}, {"name": ""}, {"name": "n" * 201}, {"name": "A\u202eb"}],
)
def test_what_cannot_be_is_said_at_its_field(ada_browser: Browser, change: dict[str, str]) -> None:
    anna = make_member("Anna", email="anna@firm.test")
    answer = ada_browser.post(f"{LIST}/{anna.id}/edit", entry(**change))
    assert answer.status_code == 422
    assert f"{next(iter(change))}-error" in read(answer, whole=True).ids
    assert fresh(anna.id).email == "anna@firm.test" and fresh(anna.id).name == "Anna"


def test_a_guest_stays_one_and_never_becomes_an_admin(ada_browser: Browser) -> None:
    guest = make_member("Gail", email="g@bank.test", is_guest=True, organisation="Bank")
    wanted = {"name": "Gail", "email": "g@bank.test", "organisation": "Bank"}
    assert "is_admin" not in ada_browser.get(f"{LIST}/{guest.id}/edit").get_data(as_text=True)
    assert ada_browser.post(f"{LIST}/{guest.id}/edit", wanted | {"is_admin": "y"}).status_code == 422
    assert ada_browser.post(f"{LIST}/{guest.id}/edit", wanted | {"organisation": ""}).status_code == 422
    assert (
        ada_browser.post(f"{LIST}/{guest.id}/edit", wanted | {"is_guest": "", "kind": "member"}).status_code
        == 303
    )
    assert fresh(guest.id).is_guest and not fresh(guest.id).is_admin


def test_the_admins_right_is_given_and_taken_at_once(app: Flask, ada_browser: Browser) -> None:
    anna = make_member("Anna", email="anna@firm.test")
    annas = Browser(app).sign_in(anna)
    assert annas.get(LIST).status_code == 403
    ada_browser.post(f"{LIST}/{anna.id}/edit", entry(is_admin="y"))
    assert annas.get(LIST).status_code == 200
    ada_browser.post(f"{LIST}/{anna.id}/edit", entry())
    assert annas.get(LIST).status_code == 403
    done = [action for action, _, _ in trail() if action.startswith("member.")]
    assert done == ["member.made_admin", "member.unmade_admin"]


def test_nobody_removes_their_own_right(ada_browser: Browser, ada: Member) -> None:
    make_member("Second", is_admin=True)
    answer = ada_browser.post(f"{LIST}/{ada.id}/edit", {"name": "Ada Admin", "email": "ada@firm.test"})
    assert answer.status_code == 422
    assert "You cannot remove this right from yourself." in read(answer, whole=True).text
    assert fresh(ada.id).is_admin


def test_the_last_two_admins_cannot_undo_each_other(app: Flask, ada: Member) -> None:
    second = make_member("Second", email="second@firm.test", is_admin=True)
    one, two = actor_of(ada), actor_of(second)

    def act(actor: Actor, target: Actor) -> str:
        editing.change(actor, target.id, Details(target.name, target.email))
        return "done"

    answers = at_once(app, partial(act, one, two), partial(act, two, one))
    assert sum(answer == "done" for answer in answers) == 1
    assert sum(isinstance(answer, InvalidError) for answer in answers) == 1
