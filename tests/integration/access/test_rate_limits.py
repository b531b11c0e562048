"""Limits on what a member does: counted over all processes, said with the time to wait, and each member's own."""

from __future__ import annotations

import io
import uuid
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select

from models import Member, RateCount, utcnow
from services.access import rate_limits
from services.access.rate_limits import Limit, RateLimitedError
from services.core.unit_of_work import session, unit_of_work
from services.transfers import control
from tests.support import matters
from tests.support.concurrency import at_once
from tests.support.pages import Browser
from tests.support.people import actor_of, make_member
from tests.support.transfers import Desk, drafts_id, get, save

FEW = Limit("few", 5, 3600, "tried")


@pytest.fixture
def ada(database: None) -> Member:
    rate_limits._counts.clear()
    return make_member("Ada", is_admin=True)


def another_process() -> None:
    """It knows nothing of what this one has counted."""
    rate_limits._counts.clear()


def passed(member: Member, limit: Limit, times: int) -> int:
    for number in range(times):
        try:
            rate_limits.require(member.id, limit)
        except RateLimitedError:
            return number
    return times


def test_the_limit_holds_over_all_processes(ada: Member) -> None:
    assert passed(ada, FEW, 3) == 3
    another_process()
    assert passed(ada, FEW, 10) == 2
    another_process()
    assert passed(ada, FEW, 10) == 0
    assert passed(make_member(), FEW, 10) == 5


def test_at_one_moment_no_more_pass(app: Flask, ada: Member) -> None:
    answers = at_once(app, *[lambda: rate_limits.require(ada.id, FEW)] * 8)
    assert sum(answer is None for answer in answers) <= FEW.most


def test_searches_are_stored_ten_at_a_time(ada: Member) -> None:
    limit = replace(FEW, kind="many", most=100, step=10)
    assert passed(ada, limit, 25) == 25
    assert session().scalar(select(RateCount.count)) == 21
    another_process()
    assert 70 <= passed(ada, limit, 200) <= 79 + 10


def test_a_new_window_begins_anew_and_old_rows_go(ada: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    now = utcnow()
    assert passed(ada, FEW, 9) == 5
    monkeypatch.setattr(
        rate_limits, "utcnow", lambda: now + (now.max.replace(tzinfo=now.tzinfo) - now) / 10_000
    )
    assert passed(ada, FEW, 9) == 5
    assert len(session().scalars(select(RateCount.key)).all()) == 1


@pytest.mark.parametrize("address", ["/matters", "/admin/members", "/admin/audit"])
def test_a_page_says_how_long_to_wait(
    app: Flask, ada: Member, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setattr(rate_limits, "SEARCHES", Limit("search", 3, 60, "searched"))
    browser = Browser(app).sign_in(ada)
    assert [browser.get(f"{address}?q=x").status_code for _ in range(3)] == [200] * 3
    answer = browser.get(f"{address}?q=x", htmx=True)
    assert answer.status_code == 429
    assert "You have searched 3 times within a minute. Try again in" in answer.get_data(as_text=True)
    assert browser.page(f"{address}?q=x", status=429)
    assert browser.get(address).status_code == 200, "Only searching has to wait."


def test_uploads_have_a_limit(app: Flask, ada: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    matter_id = matters.open_matter(actor_of(ada))
    monkeypatch.setattr(rate_limits, "UPLOADS", Limit("upload", 2, 600, "added files"))
    browser = Browser(app).sign_in(ada)

    def send(name: str) -> int:
        form = {"file": (io.BytesIO(name.encode()), f"{name}.docx")}
        return browser.post(f"/matters/{matter_id}/documents/new", form).status_code

    assert [send(name) for name in ("a", "b", "c")] == [303, 303, 429]


def test_transfers_have_a_limit_whichever_way_they_are_started(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limits, "TRANSFERS", Limit("transfer", 2, 600, "started transfers"))
    for _ in range(2):
        get(desk, desk.practice.world.named("SPA – Project Heron").id())
    document_id = desk.add_document("Lease.docx", b"lease")
    folder = drafts_id(desk)
    with pytest.raises(RateLimitedError, match="You have started transfers 2 times within 10 minutes"):
        save(desk, document_id, "new_document", folder)
    with pytest.raises(RateLimitedError):
        control.retry_failed(desk.actor, uuid.uuid4(), uuid.uuid4())
    with unit_of_work() as writing:
        for row in writing.scalars(select(RateCount)):
            writing.delete(row)
    another_process()
    assert save(desk, document_id, "new_document", folder)
