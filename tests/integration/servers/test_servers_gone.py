"""Servers that are not there or not on: what their old address, a stale page, and a member's account page say."""

from __future__ import annotations

import uuid

import pytest
from flask import Flask

from services.core.unit_of_work import unit_of_work
from services.servers import removal
from tests.support.pages import Browser, read
from tests.support.people import actor_of, make_member
from tests.support.server_forms import on_premise
from tests.support.servers import connect, make_server

SERVERS = "/admin/integrations/imanage"


def removed_server() -> uuid.UUID:
    server = make_server("Old Leeds")
    make_server("New Leeds")
    removal.remove(actor_of(make_member("Nora Vale", is_admin=True)), server.id, "")
    return server.id


@pytest.mark.parametrize("path", ["", "/edit", "/credentials", "/route", "/remove", "/request-sheet", "/why"])
def test_the_address_of_a_removed_server_answers_with_the_list_of_servers(admin: Browser, path: str) -> None:
    page = admin.page(f"{SERVERS}/{removed_server()}{path}", status=404)
    assert "“Old Leeds” was removed by Nora Vale" in page.text
    assert "New Leeds" in page.text
    assert "Add server" in page.text
    assert "Go to your matters" not in page.text


def test_an_address_that_was_never_a_server_answers_with_the_list_too(admin: Browser) -> None:
    make_server("New Leeds")
    page = admin.page(f"{SERVERS}/{uuid.uuid4()}", status=404)
    assert "We could not find this server." in page.text
    assert "New Leeds" in page.text


def test_a_switch_on_a_page_older_than_the_removal_says_what_has_become_of_the_server(admin: Browser) -> None:
    answer = admin.post(f"{SERVERS}/{removed_server()}/enabled", {"enabled": "1"}, htmx=True)
    text = read(answer, whole=False).text
    assert answer.status_code == 404
    assert "“Old Leeds” was removed by Nora Vale" in text
    assert "Page not found" not in text


def test_with_one_server_on_and_one_off_the_account_page_names_neither(app: Flask, database: None) -> None:
    """The admin's name is only shown where the member can use more than one server."""
    london, paris = make_server("London DMS", is_enabled=True), make_server("Paris DMS")
    ada = make_member("Ada Byron")
    connect(london, ada)
    connect(paris, ada)
    member = Browser(app).sign_in(ada)
    page = member.page("/account")
    assert "Not available" in page.text
    assert "London DMS" not in page.text
    assert "Paris DMS" not in page.text
    with unit_of_work() as writing:
        writing.merge(paris).is_enabled = True
    page = member.page("/account")
    assert "London DMS" in page.text
    assert "Paris DMS" in page.text


@pytest.mark.parametrize(("secret", "says"), [("", False), ("a secret", True)])
def test_only_a_secret_that_was_typed_must_be_typed_again(admin: Browser, secret: str, says: bool) -> None:
    sentence = "Enter it again. For security it is never sent back to this page."
    new = admin.post(f"{SERVERS}/new", on_premise(name="", client_secret=secret), htmx=True)
    assert (sentence in read(new, whole=False).text) is says
    server = make_server()
    data = {"client_id": "", "client_secret": secret}
    changed = admin.post(f"{SERVERS}/{server.id}/credentials", data, htmx=True)
    assert (sentence in read(changed, whole=False).text) is says
