"""Troubleshooting: the three headings, what leads to them, and the live check on each."""

from __future__ import annotations

import pytest
from flask import Flask

from models import db
from services.connections.oauth_errors import unfinished
from services.core import background_tasks
from services.diagnostics import application
from services.guidance.sign_in_errors import SIGN_IN_ADVICE
from services.guidance.tables import CHECK_ADVICE
from services.guidance.topics import MISMATCH, SOMETHING_WENT_WRONG, TOPICS, search, topic_for
from simulator import Simulator
from tests.support.pages import Browser, read
from tests.support.people import make_member
from tests.support.practice import begin, practice_server, state_in
from tests.support.servers import make_server

HEADINGS = {
    "content-is-blocked": "Content is blocked",
    "something-went-wrong": "Something went wrong",
    "mismatch-redirect-url": "Mismatch redirect URL",
}


def test_the_headings_are_those_that_people_read() -> None:
    assert {topic.slug: topic.heading for topic in TOPICS} == HEADINGS


@pytest.mark.parametrize("slug", HEADINGS)
def test_a_member_reads_causes_and_who_needs_to_act(app: Flask, database: None, slug: str) -> None:
    server = make_server(is_enabled=True)
    member = Browser(app).sign_in(make_member())
    page = member.page(f"/troubleshooting/{slug}")
    topic = next(each for each in TOPICS if each.slug == slug)
    assert HEADINGS[slug] in page.text
    for cause in topic.causes:
        assert cause.title in page.text
        assert cause.fix in page.text
    assert f"/troubleshooting/this-browser/{server.id}" in page.links
    assert "Check now" not in page.text
    assert "Your System Admin" in page.text or all(cause.owner != "you" for cause in topic.causes)


def test_a_page_that_is_none_of_the_three_is_not_there(app: Flask, database: None) -> None:
    admin = Browser(app).sign_in(make_member(is_admin=True))
    assert admin.get("/troubleshooting/nothing").status_code == 404
    assert admin.post(f"/troubleshooting/nothing/check/{make_server().id}").status_code == 404


def test_an_admin_checks_live_and_sees_the_part_that_matters(admin: Browser, practice: Simulator) -> None:
    server = practice_server(practice)
    make_server("Another")
    url = f"/troubleshooting/{MISMATCH.slug}"
    assert "has not been checked yet" in admin.page(url).text
    first = read(admin.post(f"{url}/check/{server.id}", htmx=True), whole=False)
    assert f"{url}/check/{server.id}/" in first.html or "hx-get" not in first.html
    assert background_tasks.wait(60)
    page = admin.page(f"{url}?server={server.id}")
    assert 'id="check-redirect_url"' in page.html
    assert 'id="check-clock"' not in page.html
    assert "Another" in page.text
    assert (
        'id="check-clock"'
        in admin.page(f"/troubleshooting/{SOMETHING_WENT_WRONG.slug}?server={server.id}").html
    )


def test_an_address_that_names_no_server_shows_the_first(admin: Browser) -> None:
    make_server("Amsterdam")
    for wrong in ("nonsense", "6e6c6d22-4c0e-4a4f-9c39-6f2f3b0d1c55"):
        assert (
            "“Amsterdam” has not been checked yet"
            in admin.page(f"/troubleshooting/{MISMATCH.slug}?server={wrong}").text
        )


def test_every_failure_of_a_check_leads_to_a_page() -> None:
    """But those that people never meet as one of the three."""
    leads = {code: found.slug for code in CHECK_ADVICE if (found := topic_for(code))}
    assert set(CHECK_ADVICE) - leads.keys() == set()
    assert leads["tls.expired"] == "content-is-blocked"
    assert leads["proxy.own_page"] == "content-is-blocked"
    assert leads["redirect.letter_case"] == "mismatch-redirect-url"
    assert leads["client.unknown"] == "something-went-wrong"
    assert leads["sign_in_page.content_blocked"] == "content-is-blocked"
    assert leads["sign_in_page.something_went_wrong"] == "something-went-wrong"


def test_a_failed_sign_in_leads_there(app: Flask, browser: Browser, practice: Simulator) -> None:
    server = practice_server(practice)
    browser.sign_in(make_member())
    state = state_in(begin(browser, server.id))
    answer = browser.get(f"/auth/v0/oauth2/authorized?state={state}&error=server_error")
    page = read(answer, whole=True)
    assert answer.status_code == 400
    assert "/troubleshooting/something-went-wrong" in page.links


def test_what_is_no_fault_of_imanage_leads_nowhere() -> None:
    assert {code for code in SIGN_IN_ADVICE if unfinished(code).topic is None} == {
        "oauth.no_state",
        "oauth.unknown_state",
        "oauth.other_member",
        "oauth.other_session",
        "oauth.signed_out",
        "oauth.used",
        "oauth.expired",
        "oauth.not_available",
        "oauth.server_off",
        "oauth.server_edited",
    }


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("error.somethingWentWrong", "something-went-wrong"),
        ("Something went wrong", "something-went-wrong"),
        ("This content is blocked", "content-is-blocked"),
        ("“This content is blocked. Contact the site owner to fix the issue.”", "content-is-blocked"),
        ("mismatch redirect url", "mismatch-redirect-url"),
        ("redirect_uri_mismatch", "mismatch-redirect-url"),
        ("Error 400: redirect_uri_mismatch, request details", "mismatch-redirect-url"),
        ("slash at the end", "mismatch-redirect-url"),
    ],
)
def test_the_words_on_the_screen_lead_to_their_page(text: str, slug: str) -> None:
    assert [each.topic.slug for each in search(text)] == [slug]


def test_both_causes_of_the_help_text_are_named_with_their_live_checks(
    admin: Browser, practice: Simulator
) -> None:
    url = f"/troubleshooting/{SOMETHING_WENT_WRONG.slug}"
    server = practice_server(practice)
    page = admin.page(url)
    assert "Incorrect URL settings" in page.text
    assert "A firewall or proxy blocks the connection" in page.text
    assert "error.somethingWentWrong" in page.text
    assert "Not checked" in page.text
    admin.post(f"{url}/check/{server.id}", htmx=True)
    assert background_tasks.wait(60)
    db.session.rollback()
    page = admin.page(f"{url}?server={server.id}")
    assert "Checks pass" in page.text
    assert "Connection" in page.text


def test_a_server_that_refuses_connections_is_shown_at_the_cause(admin: Browser) -> None:
    server = make_server(url="https://127.0.0.1:9", is_enabled=True)
    url = f"/troubleshooting/{SOMETHING_WENT_WRONG.slug}"
    admin.post(f"{url}/check/{server.id}", htmx=True)
    assert background_tasks.wait(60)
    db.session.rollback()
    page = admin.page(f"{url}?server={server.id}")
    assert "A check fails" in page.text
    assert "Not checked" in page.text  # what was skipped because of it


def test_troubleshooting_stands_in_the_admin_menu_and_is_searched(admin: Browser) -> None:
    assert "/troubleshooting" in admin.page("/admin/members").links
    page = admin.page("/troubleshooting?q=error.somethingWentWrong")
    assert f"/troubleshooting/{SOMETHING_WENT_WRONG.slug}" in page.links
    assert f"/troubleshooting/{MISMATCH.slug}" not in page.links
    assert "No results for “xyzzy”" in admin.page("/troubleshooting?q=xyzzy").text
    part = admin.page("/troubleshooting?q=firewall", htmx=True)
    assert "A firewall or proxy blocks the connection" in part.text


def test_a_page_that_shows_only_the_bare_code_is_understood() -> None:
    assert application._WRONG.search("error.somethingWentWrong")
