"""A refused form says all that is wrong at once, and an address in the wrong form is one press from the right one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from models import Server, db
from services.core.runtime import runtime
from services.members import first_admin
from tests.support.pages import Browser, Page, read
from tests.support.passwords import PASSWORD
from tests.support.people import make_member
from tests.support.server_forms import cloud, count_servers, on_premise, use_names
from tests.support.servers import Names, make_server

NEW = "/admin/integrations/imanage/new"


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch, database: None) -> Iterator[Names]:
    return use_names(monkeypatch, runtime().settings)


def refused(admin: Browser, url: str, data: dict[str, str]) -> Page:
    answer = admin.post(url, data, htmx=True)
    assert answer.status_code == 422
    return read(answer, whole="<html" in answer.get_data(as_text=True))


# -- a Cloud address in the on-premise form


@pytest.mark.parametrize(
    "typed",
    ["https://firm.cloudimanage.com", "firm.CloudiManage.com", "https://firm.cloudimanage.com:443/work/web"],
)
@pytest.mark.parametrize("field", ["url", "api_url"])
def test_a_cloud_address_is_refused_on_premise_and_turned_by_one_press(
    admin: Browser, names: Names, field: str, typed: str
) -> None:
    typed_in = on_premise(**{field: typed})
    page = refused(admin, NEW, typed_in)
    assert "This is a Cloud iManage address" in page.text
    assert "Change to Cloud iManage" in page.text
    assert count_servers() == 0
    turned = read(admin.post(NEW, typed_in | {"to_cloud": "1"}, htmx=True), whole=False)
    assert turned.value_of("subdomain") == "firm"
    assert turned.value_of("name") == typed_in["name"]
    assert turned.value_of("client_id") == typed_in["client_id"]
    chosen = [each["value"] for each in turned.controls if each.get("name") == "kind" and "checked" in each]
    assert chosen == ["cloud"]
    assert typed_in["client_secret"] not in turned.html
    assert count_servers() == 0


def test_a_host_that_only_ends_like_cloud_imanage_is_no_cloud_address(admin: Browser, names: Names) -> None:
    assert admin.post(NEW, on_premise(url="https://notcloudimanage.com")).status_code == 303


# -- a whole address in Subdomain


@pytest.mark.parametrize(
    "typed",
    ["https://firm.cloudimanage.com/work/web/r/libraries", "Firm.cloudimanage.com", "firm.cloudimanage.com/"],
)
def test_a_whole_address_in_subdomain_is_trimmed_and_said_so(
    admin: Browser, names: Names, typed: str
) -> None:
    said = "We used the subdomain “firm” from the address that you entered."
    page = refused(admin, NEW, cloud(subdomain=typed, client_id=""))
    assert said in page.text
    assert page.value_of("subdomain") == "firm"
    answer = admin.post(NEW, cloud(subdomain=typed))
    assert answer.status_code == 303
    row = db.session.scalars(select(Server)).one()
    assert (row.url, row.subdomain) == ("https://firm.cloudimanage.com", "firm")
    assert said in admin.page(answer.headers["Location"]).text


# -- duplicates and all errors at once


def test_a_duplicate_names_the_other_server_whatever_else_is_wrong(admin: Browser, names: Names) -> None:
    make_server("Leeds", url="https://imanage.firm.test")
    page = refused(admin, NEW, on_premise(name="LEEDS", url="imanage.firm.test", client_id=""))
    assert "There is already a server with this name: “Leeds”." in page.text
    assert "This server has already been added as “Leeds”." in page.text
    assert "Enter the Client ID" in page.text


def test_a_taken_name_is_told_beside_a_bad_address(admin: Browser, names: Names) -> None:
    make_server("Leeds")
    page = refused(admin, NEW, on_premise(name="leeds", url="ftp://x"))
    assert "already a server with this name: “Leeds”" in page.text
    assert "must start with https://" in page.text


def test_a_changed_server_says_name_and_limit_at_once(admin: Browser) -> None:
    server = make_server()
    make_server("Paris")
    page = refused(admin, f"/admin/integrations/imanage/{server.id}/edit", {"name": "paris", "at_once": "99"})
    assert "already a server with this name: “Paris”" in page.text
    assert "Enter a number from 1 to 64." in page.text


def test_the_set_up_page_says_all_of_it_at_once(app: Flask, database: None) -> None:
    first_admin.code_for_terminal()
    data = {"code": "AAAAA-AAAAA-AAAAA-AAAAA", "name": "", "email": "nobody", "password": "short"}
    page = refused(Browser(app), "/set-up", data)
    for sentence in (
        "This is not the current set-up code.",
        "Enter your name.",
        "Use 12 characters or more.",
    ):
        assert sentence in page.text
    assert 'href="#email"' in page.html


def test_the_set_up_page_judges_the_rest_while_the_code_is_wrong(app: Flask, database: None) -> None:
    first_admin.code_for_terminal()
    data = {"code": "AAAAA", "name": "Nora", "email": "nora@firm.test", "password": "short"}
    page = refused(Browser(app), "/set-up", data)
    assert "This is not the current set-up code." in page.text
    assert "Use 12 characters or more." in page.text


def test_a_member_to_add_is_judged_whole(admin: Browser) -> None:
    make_member("Ada Byron", email="ada@firm.test")
    data = {"kind": "member", "name": "", "email": "ADA@firm.test", "password": "short"}
    page = refused(admin, "/admin/members/new", data)
    for sentence in (
        "Enter a name.",
        "A member with this email address already exists",
        "Use 12 characters",
    ):
        assert sentence in page.text


def test_a_changed_member_is_judged_whole(admin: Browser) -> None:
    ada = make_member("Ada Byron", email="ada@firm.test")
    page = refused(admin, f"/admin/members/{ada.id}/edit", {"name": "", "email": "margaret@admin.test"})
    assert "Enter a name." in page.text
    assert "A member with this email address already exists" in page.text


def test_an_invitation_is_judged_whole(admin: Browser) -> None:
    make_member("Ada Byron", email="ada@firm.test")
    data = {"kind": "guest", "name": "x" * 300, "email": "ada@firm.test", "organisation": ""}
    page = refused(admin, "/admin/members/invitations/new", data)
    for sentence in (
        "Use 200 characters or fewer.",
        "Enter an organisation.",
        "already has an account with this address",
    ):
        assert sentence in page.text


def test_a_new_password_is_judged_beside_the_present_one(browser: Browser) -> None:
    browser.sign_in(make_member("Ada Byron"))
    page = refused(browser, "/account/password", {"current": "not this one", "new": "short"})
    assert "This is not your current password." in page.text
    assert "Use 12 characters or more." in page.text
    page = refused(browser, "/account/password", {"current": "", "new": "short"})
    assert "Enter your current password." in page.text
    assert "Use 12 characters or more." in page.text
    assert PASSWORD not in page.html


@pytest.mark.parametrize(
    "url", ["/admin/integrations/imanage/new", "/admin/members/new", "/set-up", "/join/x"]
)
def test_a_form_without_any_field_is_refused_and_no_error_of_ours(admin: Browser, url: str) -> None:
    assert admin.post(url, {}, htmx=True).status_code in {302, 303, 404, 409, 422}
    server = make_server()
    edited = admin.post(f"/admin/integrations/imanage/{server.id}/edit", {}, htmx=True)
    assert edited.status_code == 422
    assert admin.post("/account/password", {}).status_code == 422
    assert admin.post("/admin/members/invitations/new", {}, htmx=True).status_code == 422
