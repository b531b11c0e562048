"""The audit page: every event in plain words, found by what it holds, with refusals."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models import AuditEvent, Member, utcnow
from services.core import audit
from services.core.actor import SYSTEM
from services.core.unit_of_work import unit_of_work
from services.operations import audit_log
from tests.support.pages import Browser
from tests.support.people import make_member

PAGE = "/admin/audit"


@pytest.fixture
def admin(browser: Browser) -> Member:
    member = make_member("Ada Admin", email="ada@firm.test", is_admin=True)
    browser.sign_in(member)
    return member


def test_an_empty_trail_says_so(browser: Browser, admin: Member) -> None:
    assert "No events yet" in browser.page(PAGE).text


def test_events_are_in_plain_words_newest_first(browser: Browser, admin: Member) -> None:
    browser.post(f"/admin/members/{admin.id}/reactivate")
    anna = make_member("Anna")
    browser.post(f"/admin/members/{anna.id}/deactivate")
    browser.post(f"/admin/members/{anna.id}/reactivate")
    text = browser.page(PAGE).text
    assert text.index("Reactivated a member") < text.index("Deactivated a member")
    assert "Ada Admin ada@firm.test" in text and "127.0.0.1" in text


def test_a_refusal_is_on_record(browser: Browser, admin: Member) -> None:
    other = Browser(browser.app).sign_in(make_member("Otto"))
    assert other.get("/admin/members").status_code == 403
    text = browser.page(f"{PAGE}?outcome=refused").text
    assert "Was refused: GET members.index" in text and "Otto" in text
    assert "Only System Admins can use the Admin System." in text
    assert "Otto" not in browser.page(f"{PAGE}?outcome=done").text


def test_pages_and_filters(browser: Browser, admin: Member) -> None:
    note(audit_log.PAGE + 5, "Folder")
    first, second = browser.page(PAGE).text, browser.page(f"{PAGE}?page=2").text
    assert "Folder 0054" in first and "Folder 0004" not in first
    assert "Folder 0004" in second and "Folder 0054" not in second
    assert "Folder 0007" in browser.page(f"{PAGE}?q=FOLDER+0007", htmx=True).text
    assert "No events found" in browser.page(f"{PAGE}?q=%25").text


@pytest.mark.parametrize(
    "query",
    ["page=0", "page=x", "page=99999999999999999999", "q=%00", "q=%27", "outcome=x", "q=" + "a" * 3000],
)
def test_no_address_breaks_the_page(browser: Browser, admin: Member, query: str) -> None:
    note(1, "Thing")
    browser.page(f"{PAGE}?{query}")


@pytest.mark.parametrize(
    "subject", ["<script>alert(1)</script>", "=cmd()", "line\nbreak", "\u202eevil", "x" * 5000]
)
def test_what_people_typed_is_shown_as_text(browser: Browser, admin: Member, subject: str) -> None:
    with unit_of_work():
        audit.record(SYSTEM, "member.added", subject, email=subject, list_of=["<i>", 1], nothing=None)
    html = browser.get(PAGE).get_data(as_text=True)
    assert browser.page(PAGE)
    assert "<script>alert" not in html and "<i>" not in html


def note(count: int, name: str) -> None:
    start = utcnow() - timedelta(hours=1)
    with unit_of_work() as writing:
        for number in range(count):
            writing.add(
                AuditEvent(
                    at=start + timedelta(seconds=number),
                    action="document.added",
                    actor_name="Somebody",
                    subject=f"{name} {number:04}",
                    search_key=audit.key_of("Somebody", f"{name} {number:04}"),
                )
            )


def test_a_name_from_outside_cannot_disguise_itself(browser: Browser, admin: Member) -> None:
    hostile = "Lease\u202excod.exe"
    with unit_of_work():
        audit.record(SYSTEM, "transfer.got", hostile, source=hostile, documents=[hostile])
    page = browser.page(PAGE)
    assert "\u202e" not in page.html and page.text.count("Lease[U+202E]xcod.exe") == 3
