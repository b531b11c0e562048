"""What is left of a transfer when it is over: its page with filters, its table as CSV, and the notice of its end."""

from __future__ import annotations

import csv
import io
import uuid

from flask import Flask

from models import Member, Server, Transfer, TransferItem
from services.core.unit_of_work import session, unit_of_work
from services.transfers import views as transfer_views
from tests.support.pages import Browser
from tests.support.people import actor_of, make_member
from tests.support.transfer_rows import make_transfer
from tests.support.transfers import make_matter

RECEIPT = {"id": "Active!7.3", "library": "Active", "number": 7, "version": 3, "url": "https://dms.test/7"}


def rows_of(browser: Browser, transfer_id: uuid.UUID) -> list[dict[str, str]]:
    response = browser.get(f"/transfers/{transfer_id}/results.csv")
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in response.headers["Content-Disposition"]
    return list(csv.DictReader(io.StringIO(response.get_data().decode("utf-8-sig"), newline="")))


def test_a_row_for_each_document(
    browser: Browser, alice: Member, matter_id: uuid.UUID, server_id: uuid.UUID
) -> None:
    transfer_id = make_transfer(alice.id, matter_id, server_id, ["done", "failed"], receipt=RECEIPT)
    with unit_of_work() as writing:
        failed = writing.query(TransferItem).filter_by(state="failed").one()
        failed.error_code, failed.error_sentence = "imanage.forbidden", "You do not have permission here."
        failed.next_step = "Ask for access."
        failed.sha256 = "ab" * 32
    first, second = rows_of(browser, transfer_id)
    assert (first["name"], first["state"], first["size"]) == ("Document 1.docx", "Done", "1000")
    assert [first[part] for part in ("library", "number", "version", "url")] == [
        "Active",
        "7",
        "3",
        "https://dms.test/7",
    ]
    assert second["state"] == "Failed" and second["url"] == ""
    assert second["error code"] == "imanage.forbidden"
    assert second["sentence"] == "You do not have permission here."
    assert second["next step"] == "Ask for access."
    assert second["sha256"] == "ab" * 32
    assert second["last change"] >= second["started"] > "2026"


def test_nobody_is_told_to_try_again_what_waits_for_its_next_try(
    browser: Browser, alice: Member, matter_id: uuid.UUID, server_id: uuid.UUID
) -> None:
    transfer_id = make_transfer(alice.id, matter_id, server_id, ["waiting", "failed"])
    with unit_of_work() as writing:
        for item in writing.query(TransferItem):
            item.error_code, item.error_sentence = (
                "imanage.server_fault",
                "iManage has an internal error.",
            )
            item.next_step = "Try again in a few minutes."
    steps = {row["state"]: row["next step"] for row in rows_of(browser, transfer_id)}
    assert steps == {
        "Waiting": "Counterpart will try again automatically.",
        "Failed": "Try again in a few minutes.",
    }


def test_a_spreadsheet_runs_nothing(
    browser: Browser, alice: Member, matter_id: uuid.UUID, server_id: uuid.UUID
) -> None:
    transfer_id = make_transfer(alice.id, matter_id, server_id, ["done"], name="=cmd|'/c calc'!A1")
    assert rows_of(browser, transfer_id)[0]["name"] == "'=cmd|'/c calc'!A1"


def test_twins_on_a_server_that_is_off_are_not_told(
    browser: Browser, alice: Member, matter_id: uuid.UUID, server_id: uuid.UUID
) -> None:
    transfer_id = make_transfer(alice.id, matter_id, server_id, ["done"], receipt=RECEIPT)
    assert "https://dms.test/7" in browser.page(f"/transfers/{transfer_id}").html
    with unit_of_work() as writing:
        writing.get_one(Server, server_id).is_enabled = False
    assert rows_of(browser, transfer_id)[0]["url"] == ""
    assert "https://dms.test/7" not in browser.page(f"/transfers/{transfer_id}").html


def test_few_rows_have_no_filters_and_those_in_need_come_first(
    browser: Browser, alice: Member, matter_id: uuid.UUID, server_id: uuid.UUID
) -> None:
    states = ["done", "running", "failed", "stopped", "needs_decision", "needs_sign_in"]
    transfer_id = make_transfer(alice.id, matter_id, server_id, states)
    view = transfer_views.transfer(actor_of(alice), transfer_id)
    assert view.filters == {}
    assert [item.state for item in view.items] == [
        "needs_decision",
        "needs_sign_in",
        "failed",
        "stopped",
        "done",
        "running",
    ]


def test_more_than_twenty_rows_can_be_filtered(
    browser: Browser, alice: Member, matter_id: uuid.UUID, server_id: uuid.UUID
) -> None:
    transfer_id = make_transfer(alice.id, matter_id, server_id, ["done"] * 20 + ["failed"] * 2 + ["waiting"])
    page = browser.page(f"/transfers/{transfer_id}")
    for tab in ("All 23", "Done 20", "Failed 2", "Waiting 1"):
        assert tab in page.text
    assert "Stopped" not in page.text
    failed = browser.page(f"/transfers/{transfer_id}?show=failed")
    assert failed.html.count('id="item-') == 2
    assert "show=failed" in failed.html.split('hx-trigger="every 1s"')[0]
    empty = browser.page(f"/transfers/{transfer_id}?show=stopped")
    assert "No document in this transfer has this state" in empty.text
    assert browser.page(f"/transfers/{transfer_id}?show=nonsense").html.count('id="item-') == 23


def test_an_end_is_told_on_every_page_until_it_was_looked_at(
    browser: Browser, alice: Member, matter_id: uuid.UUID, server_id: uuid.UUID
) -> None:
    make_transfer(alice.id, matter_id, server_id, ["done"])
    transfer_id = make_transfer(alice.id, matter_id, server_id, ["done"] * 198 + ["failed"] * 2)
    told = "200 documents from iManage: 198 arrived, 2 failed."
    for url in ("/", f"/matters/{matter_id}", "/account"):
        page = browser.page(url)
        assert told in page.text and "See 1 more" in page.text
        assert f"/transfers/{transfer_id}" in page.links
    assert browser.page(f"/transfers/{transfer_id}").text.count(told) == 1
    page = browser.page("/account")
    assert "Document 1.docx arrived from iManage." in page.text and "See 1 more" not in page.text
    browser.page("/transfers")
    assert "arrived" not in browser.page("/account").text


def test_a_notice_can_be_dismissed(
    browser: Browser, alice: Member, matter_id: uuid.UUID, server_id: uuid.UUID
) -> None:
    make_transfer(alice.id, matter_id, server_id, ["stopped", "done"], kind="save")
    assert "2 documents to iManage: 1 saved, 1 stopped." in browser.page("/").text
    answer = browser.post("/transfers/seen", htmx=True).get_data(as_text=True)
    assert 'id="transfers-news"' in answer and "saved" not in answer
    assert "1 stopped" not in browser.page("/").text


def test_the_page_head_asks_only_while_something_runs(
    browser: Browser, alice: Member, matter_id: uuid.UUID, server_id: uuid.UUID
) -> None:
    assert "every 15s" not in browser.page("/").html
    transfer_id = make_transfer(alice.id, matter_id, server_id, ["running"])
    assert "1 running" in browser.page("/").text
    assert "every 15s" in browser.page("/transfers/_news", htmx=True).html
    with unit_of_work() as writing:
        transfer = writing.get_one(Transfer, transfer_id)
        transfer.items[0].state, transfer.finished_at = "done", transfer.created_at
    page = browser.page("/transfers/_news", htmx=True)
    assert "every 15s" not in page.html and "Document 1.docx arrived from iManage." in page.text


def test_the_page_head_tells_the_paused_from_the_running(
    browser: Browser, alice: Member, matter_id: uuid.UUID, server_id: uuid.UUID
) -> None:
    transfer_id = make_transfer(alice.id, matter_id, server_id, ["waiting"])
    browser.post(f"/transfers/{transfer_id}/pause")
    page = browser.page("/")
    assert "1 paused" in page.text and "running" not in page.text and "every 15s" in page.html
    make_transfer(alice.id, matter_id, server_id, ["running"])
    assert "1 running, 1 paused" in browser.page("/").text


def test_what_others_start_is_no_news(
    app: Flask, browser: Browser, alice: Member, matter_id: uuid.UUID, server_id: uuid.UUID
) -> None:
    bram = make_member("Bram")
    theirs = make_transfer(bram.id, make_matter(bram.id, editor=alice.id), server_id, ["done"])
    assert "arrived" not in browser.page("/").text
    browser.page(f"/transfers/{theirs}")
    session().rollback()
    assert session().get_one(Transfer, theirs).seen_at is None
    assert "arrived from iManage" in Browser(app).sign_in(bram).page("/").text
