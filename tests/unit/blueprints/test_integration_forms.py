"""The forms of the iManage pages, without a database: what they take from a request."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from flask import Flask

from blueprints.integrations.forms import CredentialsForm, RestrictionForm
from services.servers.validation import name_problem

ADA, TOM = uuid.uuid4(), uuid.uuid4()


@pytest.fixture
def bare() -> Iterator[Flask]:
    app = Flask("bare")
    app.config.update(SECRET_KEY="for this test alone", WTF_CSRF_ENABLED=False)
    return app


@pytest.mark.parametrize(
    ("data", "chosen"),
    [
        ({}, ()),
        ({"member": [str(ADA), str(TOM)]}, (ADA, TOM)),
        ({"member": [str(ADA), str(ADA)], "add": str(TOM)}, (ADA, TOM)),
        ({"member": [str(ADA), str(TOM)], "add": str(ADA)}, (ADA, TOM)),
        ({"member": [str(ADA), str(TOM)], "remove": str(ADA)}, (TOM,)),
        ({"member": ["", "no id", "\x00", str(TOM).upper()]}, (TOM,)),
    ],
)
def test_the_list_is_what_stands_in_it_each_member_once(
    bare: Flask, data: dict[str, object], chosen: tuple[uuid.UUID, ...]
) -> None:
    with bare.test_request_context(method="POST", data=data):
        assert RestrictionForm().chosen == chosen


def test_a_missing_switch_is_off_and_a_sent_one_on(bare: Flask) -> None:
    with bare.test_request_context(method="POST", data={"version": "v"}):
        assert RestrictionForm().command().is_restricted is False
    with bare.test_request_context(method="POST", data={"restricted": "y"}):
        assert RestrictionForm().command().is_restricted is True


def test_blanks_around_a_pasted_secret_go_and_those_inside_stay(bare: Flask) -> None:
    data = {"client_id": " id ", "client_secret": " a b\n"}
    with bare.test_request_context(method="POST", data=data):
        form = CredentialsForm()
        assert form.validate()
        command = form.command()
        assert (command.client_id, command.client_secret) == ("id", "a b")
        assert "a b" not in repr(command)
        assert "a b" not in form.client_secret()


@pytest.mark.parametrize("name", ["London DMS", "Лондон", "ロンドン", "O'Neill & Söhne (1)", "7"])
def test_names_in_any_script_are_taken(name: str) -> None:
    assert name_problem(name) is None


@pytest.mark.parametrize("name", ["<i>x</i>", "a > b", "…", "\u0301"])
def test_names_that_are_none_are_not(name: str) -> None:
    assert name_problem(name)
