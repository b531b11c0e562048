"""`flask --app app member add`: members from the command line."""

from __future__ import annotations

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import func, select

from models import Member
from services.core.unit_of_work import session
from tests.support.audit import trail
from tests.support.pages import Browser
from tests.support.passwords import PASSWORD, sign_in


def add(app: Flask, *arguments: str, password: str = PASSWORD + "\n") -> Result:
    return app.test_cli_runner().invoke(
        args=["member", "add", *arguments, "--password-stdin"], input=password
    )


def count() -> int:
    session().rollback()
    return session().scalar(select(func.count(Member.id))) or 0


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_an_admin_is_added_and_can_sign_in(app: Flask, browser: Browser, ending: str) -> None:
    result = add(app, "Ada@firm.test", "--name", "Ada Admin", "--admin", password=PASSWORD + ending)
    assert (result.exit_code, result.output) == (0, "Added System Admin Ada Admin <Ada@firm.test>.\n")
    assert sign_in(browser, "ada@firm.test").status_code == 303
    assert browser.get("/admin/members").status_code == 200
    assert trail()[0] == ("member.added", "done", "Ada Admin")


def test_a_guest_is_added(app: Flask, database: None) -> None:
    result = add(app, "g@bank.test", "--name", "Gail", "--guest", "--organisation", "Bank")
    assert result.exit_code == 0
    guest = session().scalars(select(Member)).one()
    assert guest.is_guest and not guest.is_admin and guest.organisation == "Bank"


@pytest.mark.parametrize(
    ("arguments", "password", "sentence"),
    [
        (["ada", "--name", "Ada"], PASSWORD, "email: Enter an email address"),
        (["a@b.test", "--name", " "], PASSWORD, "name: Enter a name."),
        (["a@b.test", "--name", "Ada"], "short", "password: Use 12 characters or more."),
        (["a@b.test", "--name", "Ada"], "", "password: Use 12 characters or more."),
        (
            ["a@b.test", "--name", "Ada", "--guest", "--admin", "--organisation", "B"],
            PASSWORD,
            "is_admin: A guest",
        ),
        (["a@b.test", "--name", "Ada", "--guest"], PASSWORD, "organisation: Enter an organisation."),
    ],
)
def test_what_cannot_be_is_said_and_nobody_added(
    app: Flask, database: None, arguments: list[str], password: str, sentence: str
) -> None:
    result = add(app, *arguments, password=password)
    assert result.exit_code == 1
    assert "Nobody was added." in result.output and sentence in result.output
    assert count() == 0


def test_an_address_is_added_once(app: Flask, database: None) -> None:
    add(app, "ada@firm.test", "--name", "Ada")
    assert add(app, "ADA@firm.test", "--name", "Ada").exit_code == 1
    assert count() == 1


def test_the_password_is_no_argument(app: Flask, database: None) -> None:
    result = app.test_cli_runner().invoke(args=["member", "add", "a@b.test", "--name", "Ada"])
    assert result.exit_code == 2 and "--password-stdin" in result.output
