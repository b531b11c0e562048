"""What is said of transfers, on their list, in the page head and on their own page, is what happened."""

from __future__ import annotations

import csv
import io
import uuid

import pytest
from flask import Flask

from models import AuditEvent, Member, Participant, Transfer, TransferItem
from services.core.errors import ConflictError
from services.core.unit_of_work import session, unit_of_work
from services.matters import adding
from services.transfers import control
from tests.support.matters import add_document, counted_queries
from tests.support.pages import Browser
from tests.support.people import actor_of, make_member
from tests.support.transfer_rows import make_transfer
from tests.support.transfers import (
    Desk,
    add_version,
    carry_all,
    get,
    got_document,
    items_of,
    save,
)


def test_what_was_here_already_did_not_arrive(desk: Desk) -> None:
    _document_id, twin = got_document(desk)
    other = desk.practice.world.named("Archive.tar").id()
    both = get(desk, twin, other)
    carry_all(both)
    assert [item.outcome for item in items_of(both)] == ["here_already", "added"]
    page = desk.browser.page(f"/transfers/{both}")
    assert "2 documents from iManage: 1 arrived, 1 already here." in page.text
    assert "Already here" in page.text
    again = get(desk, twin)
    carry_all(again)
    page = desk.browser.page(f"/transfers/{again}")
    assert "SPA – Project Heron.docx is already here, so nothing was added." in page.text
    assert "Archive" not in page.text.split("Finished")[1] and "arrived" not in page.text.split("Finished")[1]
    actions = session().query(AuditEvent.action).all()
    assert actions.count(("transfer.got",)) == 2 and actions.count(("transfer.here_already",)) == 2


def test_the_table_says_what_became_of_each_and_what_the_twin_is_now(desk: Desk) -> None:
    document_id, twin = got_document(desk)
    again = get(desk, twin)
    carry_all(again)
    add_version(desk, document_id, b"Alice's changes")
    told = desk.browser.get(f"/transfers/{again}/results.csv").get_data().decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(told, newline=""))
    assert (row["state"], row["version here"], row["twin state"]) == ("Already here", "1", "")
    assert row["name here"] == "SPA – Project Heron.docx"
    assert "Changed here" not in desk.browser.page(f"/transfers/{again}").text
    assert "Changed here" in desk.browser.page(f"/documents/{document_id}").text


def test_a_version_that_is_not_current_bears_no_badge_of_another(desk: Desk) -> None:
    document_id, twin = got_document(desk)
    again = get(desk, twin)
    carry_all(again)
    assert "Version 1 here Same Active" in desk.browser.page(f"/transfers/{again}").text
    add_version(desk, document_id, b"Alice's changes")
    assert "Version 1 here Active" in desk.browser.page(f"/transfers/{again}").text


def test_a_save_that_replaced_a_version_says_which(desk: Desk) -> None:
    document_id, twin = got_document(desk)
    latest = desk.practice.world.named("SPA – Project Heron").latest.number
    add_version(desk, document_id, b"in its place")
    replacing = save(desk, document_id, "replace", twin)
    carry_all(replacing)
    assert [item.outcome for item in items_of(replacing)] == ["replaced"]
    said = f"SPA – Project Heron.docx replaced version {latest} in iManage."
    for address in ("/transfers", f"/transfers/{replacing}"):
        page = desk.browser.page(address)
        assert said in page.text and "was saved to iManage" not in page.text
    assert "Back to Project Heron" in page.text
    event = session().query(AuditEvent).filter_by(action="transfer.saved").one()
    assert event.detail["replaced"] == latest
    add_version(desk, document_id, b"beside it")
    beside = save(desk, document_id, "new_version", twin)
    carry_all(beside)
    assert "SPA – Project Heron.docx was saved to iManage." in desk.browser.page(f"/transfers/{beside}").text


def test_the_list_says_direction_documents_matter_and_outcome(
    browser: Browser, alice: Member, matter_id: uuid.UUID, server_id: uuid.UUID
) -> None:
    empty = browser.page("/transfers")
    assert "No transfers yet" in empty.text
    make_transfer(alice.id, matter_id, server_id, ["done"])
    make_transfer(alice.id, matter_id, server_id, ["done", "failed", "failed"], kind="save")
    page = browser.page("/transfers")
    assert "From iManage" in page.text and "To iManage" in page.text and "Project Heron" in page.text
    assert "Document 1.docx arrived from iManage." in page.text and "Finished" in page.text
    assert "Document 2.docx and 2 others" in page.text
    assert "3 documents to iManage: 1 saved, 2 failed." in page.text and "Partly failed" in page.text


def test_the_document_in_a_transfers_title_is_that_of_its_first_row(
    browser: Browser, alice: Member, matter_id: uuid.UUID, server_id: uuid.UUID
) -> None:
    for kind in ("get", "save"):
        for states, name in (
            (["done", "done"], "Document 1.docx"),
            (["done", "stopped", "failed", "waiting"], "Document 3.docx"),
            (["failed", "stopped", "needs_decision"], "Document 3.docx"),
        ):
            transfer_id = make_transfer(alice.id, matter_id, server_id, states, kind=kind)
            page = browser.page(f"/transfers/{transfer_id}")
            assert f"{name} and {len(states) - 1} other" in page.text
            assert page.text.index(name, page.text.index("Document State")) == page.text.index(
                "Document ", page.text.index("Document State") + len("Document State")
            )


def test_the_list_is_paged(
    browser: Browser, alice: Member, matter_id: uuid.UUID, server_id: uuid.UUID
) -> None:
    for _ in range(25):
        make_transfer(alice.id, matter_id, server_id, ["done"])
    first, second = browser.page("/transfers"), browser.page("/transfers?page=2")
    assert first.html.count('id="transfer-') == 20 and second.html.count('id="transfer-') == 5
    assert "/transfers?page=2" in first.links and "/transfers?page=1" in second.links
    assert "Nothing on this page" in browser.page("/transfers?page=3").text


def test_what_waits_for_a_decision_does_not_run(
    browser: Browser, alice: Member, matter_id: uuid.UUID, server_id: uuid.UUID
) -> None:
    for _ in range(4):
        make_transfer(alice.id, matter_id, server_id, ["needs_decision"], kind="save")
    page = browser.page("/")
    assert "4 need you" in page.text and "running" not in page.text
    make_transfer(alice.id, matter_id, server_id, ["running"])
    make_transfer(alice.id, matter_id, server_id, ["waiting"])
    make_transfer(alice.id, matter_id, server_id, ["needs_sign_in"])
    assert "1 running, 1 waiting 5 need you" in browser.page("/").text
    assert browser.page("/transfers").text.count("Waiting for you") == 5


def test_a_cancelled_transfer_is_cancelled(
    browser: Browser, alice: Member, matter_id: uuid.UUID, server_id: uuid.UUID
) -> None:
    transfer_id = make_transfer(alice.id, matter_id, server_id, ["waiting"])
    browser.post(f"/transfers/{transfer_id}/cancel")
    page = browser.page(f"/transfers/{transfer_id}")
    assert "Cancelled" in page.text and "Finished" not in page.text and "Stopped" not in page.text
    assert "The transfer of Document 1.docx from iManage was cancelled." in page.text
    event = session().query(AuditEvent).filter_by(action="transfer.cancelled").one()
    assert event.subject == "Document 1.docx"


def test_trying_again_is_offered_once_and_only_where_it_can_help(
    browser: Browser, alice: Member, matter_id: uuid.UUID, server_id: uuid.UUID
) -> None:
    transfer_id = make_transfer(alice.id, matter_id, server_id, ["done", "failed", "failed"])
    with unit_of_work() as writing:
        _done, hopeless, other = writing.query(TransferItem).order_by(TransferItem.position)
        hopeless.error_code, other.error_code = "imanage.too_large", "imanage.unreachable"
    assert "Retry failed only" in browser.page(f"/transfers/{transfer_id}").text
    actor = actor_of(alice)
    again = control.retry_failed(actor, transfer_id, uuid.uuid4())
    assert [item.name for item in items_of(again)] == ["Document 3.docx"]
    page = browser.page(f"/transfers/{transfer_id}")
    assert "Retry failed only" not in page.text and f"/transfers/{again}" in page.links
    assert control.retry_failed(actor, transfer_id, uuid.uuid4()) == again
    assert session().query(Transfer).count() == 2
    hopeless_alone = make_transfer(alice.id, matter_id, server_id, ["failed"], error_code="imanage.rejected")
    assert "Retry failed only" not in browser.page(f"/transfers/{hopeless_alone}").text
    with pytest.raises(ConflictError, match="can be retried"):
        control.retry_failed(actor, hopeless_alone, uuid.uuid4())


def test_the_documents_page_tells_of_the_version_it_shows(desk: Desk) -> None:
    document_id, _twin = got_document(desk)
    bram = make_member("Bram")
    with unit_of_work() as writing:
        adding.add(
            writing, desk.matter_id, bram.id, "x.docx", "1" * 64, 3, document_id=document_id, origin="upload"
        )
    lead = desk.browser.page(f"/documents/{document_id}").text.split("Versions")[0]
    assert "Version 2 is current" in lead and "added by Bram" in lead and "added by Associate" not in lead


def test_a_guest_reads_no_other_name_than_the_documents(app: Flask, desk: Desk) -> None:
    document_id, _twin = got_document(desk)
    guest = make_member("Gina", is_guest=True, organisation="Harbour")

    with unit_of_work() as writing:
        writing.add(Participant(matter_id=desk.matter_id, member_id=guest.id, role="viewer"))
        adding.add(
            writing,
            desk.matter_id,
            desk.actor.id,
            "our secret draft.pdf",
            "1" * 64,
            3,
            document_id=document_id,
            origin="upload",
        )
    theirs = Browser(app).sign_in(guest).page(f"/documents/{document_id}")
    assert "secret" not in theirs.html and "SPA – Project Heron.pdf" in theirs.text
    assert "our secret draft.pdf" in desk.browser.page(f"/documents/{document_id}").text


def test_guests_see_no_transfers_at_all(app: Flask, alice: Member, matter_id: uuid.UUID) -> None:
    guest = make_member("Gina", is_guest=True, organisation="Harbour")
    outside = Browser(app).sign_in(guest)
    page = outside.page("/")
    assert "Transfers" not in page.html and "transfers" not in page.html
    assert outside.get("/transfers").status_code == 404


def test_the_news_is_one_line_whatever_happened_and_costs_few_queries(
    browser: Browser, alice: Member, matter_id: uuid.UUID, server_id: uuid.UUID
) -> None:
    for states in (["done"], ["failed"], ["done", "failed"], ["running"], ["needs_decision"], ["done"] * 40):
        make_transfer(alice.id, matter_id, server_id, states)
    document_id = add_document(actor_of(alice), matter_id)
    for url in (f"/matters/{matter_id}", f"/documents/{document_id}", "/account", "/"):
        with counted_queries() as statements:
            page = browser.page(url)
        asked = [each for each in statements if not each.startswith(("BEGIN", "PRAGMA"))]
        assert len(asked) <= 12, f"{url} asked {len(asked)} times:\n" + "\n".join(asked)
    assert page.html.count('class="cp-ended') == 1
    assert "All 40 documents arrived from iManage." in page.text and "See 3 more" in page.text
    live = browser.page(f"/matters/{matter_id}/_transfers", htmx=True)
    assert live.html.count('class="cp-ended') == 1 and 'id="matter-transfers" hidden' in live.html


@pytest.mark.parametrize(
    ("there", "here"),
    [
        ("What? Now.docx", "What_ Now.docx"),
        ("Fee <draft>.docx", "Fee _draft_.docx"),
        ("Lease\u202excod.exe", "Lease_xcod.exe"),
    ],
)
def test_a_name_that_was_altered_is_told_with_both(
    browser: Browser, alice: Member, matter_id: uuid.UUID, server_id: uuid.UUID, there: str, here: str
) -> None:
    with unit_of_work() as writing:
        added = adding.add(writing, matter_id, alice.id, there, "1" * 64, 3)
    assert added.document_name == here
    receipt = {"library": "Active", "number": 7, "version": 1, "url": "", "full_name": there}
    transfer_id = make_transfer(
        alice.id, matter_id, server_id, ["done"], name=there, receipt=receipt, document_id=added.document_id
    )
    page = browser.page(f"/transfers/{transfer_id}")
    shown = there.replace("\u202e", "[U+202E]")
    assert here in page.text and f"Name in iManage: {shown}" in page.text
    assert "\u202e" not in page.html and f"{here} arrived from iManage." in page.text


def test_news_gives_way_to_the_answer_to_what_was_pressed(
    browser: Browser, alice: Member, matter_id: uuid.UUID, server_id: uuid.UUID
) -> None:
    make_transfer(alice.id, matter_id, server_id, ["done"])
    browser.post(f"/matters/{matter_id}/check")
    page = browser.page(f"/matters/{matter_id}")
    assert "No document here has a twin" in page.text and "arrived" not in page.text
    assert "arrived" in browser.page(f"/matters/{matter_id}").text
