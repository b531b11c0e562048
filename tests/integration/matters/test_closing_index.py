"""The closing index: rows, numbers, order, what leaves the matter, CSV and PDF, and who may see it."""

from __future__ import annotations

import csv
import io
import threading
import uuid

import pypdfium2
import pytest
from flask import Flask

from models import AuditEvent
from services.core.actor import Actor
from services.core.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError, RefusedError
from services.core.unit_of_work import session
from services.matters import closing_index, matters, recycle_bin
from services.matters.closing_index import EntryCommand
from tests.support.matters import add_document, open_matter
from tests.support.pages import Browser
from tests.support.people import actor_of, make_member


@pytest.fixture
def ann(database: None) -> Actor:
    return actor_of(make_member("Ann"))


def shown(actor: Actor, matter_id: uuid.UUID) -> list[str]:
    return [f"{each.number} {each.title}" for each in closing_index.read(actor, matter_id).entries]


def add(actor: Actor, matter_id: uuid.UUID, title: str, *, heading: bool = False) -> uuid.UUID:
    closing_index.add(actor, matter_id, EntryCommand(title, heading, None))
    return closing_index.read(actor, matter_id).entries[-1].id


def test_rows_are_numbered_and_moved(ann: Actor) -> None:
    matter_id = open_matter(ann)
    add_document(ann, matter_id, "Lease.docx")
    add_document(ann, matter_id, "Deed.pdf")
    assert closing_index.add_documents(ann, matter_id) == 2
    assert closing_index.add_documents(ann, matter_id) == 0
    heading = add(ann, matter_id, "Security", heading=True)
    add(ann, matter_id, "Opinion")
    assert shown(ann, matter_id) == ["1 Deed", "2 Lease", "A Security", "3 Opinion"]
    index = closing_index.read(ann, matter_id)
    closing_index.move(ann, matter_id, heading, index.entries[0].id, index.key)
    assert shown(ann, matter_id) == ["A Security", "1 Deed", "2 Lease", "3 Opinion"]
    index = closing_index.read(ann, matter_id)
    assert [index.before_up(0), index.before_up(1)] == [None, heading]
    assert [index.before_down(0), index.before_down(2), index.before_down(3)] == [
        index.entries[2].id,
        "",
        None,
    ]
    closing_index.move(ann, matter_id, index.entries[1].id, None, index.key)
    assert shown(ann, matter_id) == ["A Security", "1 Lease", "2 Opinion", "3 Deed"]
    with pytest.raises(ConflictError, match="Someone else"):
        closing_index.move(ann, matter_id, heading, None, index.key)
    assert shown(ann, matter_id) == ["A Security", "1 Lease", "2 Opinion", "3 Deed"]
    details = [each.detail for each in session().query(AuditEvent).filter_by(action="closing_index.changed")]
    assert {"added": "2 documents"} in details and {"moved": "Deed", "to": 4} in details


def test_of_two_who_reorder_at_once_one_is_told(ann: Actor, app: Flask) -> None:
    matter_id = open_matter(ann)
    rows = [add(ann, matter_id, title) for title in "abc"]
    key, told = closing_index.read(ann, matter_id).key, list[str]()

    def move(row: uuid.UUID, before: uuid.UUID | None) -> None:
        with app.app_context():
            try:
                closing_index.move(ann, matter_id, row, before, key)
            except ConflictError as refusal:
                told.append(refusal.code)

    threads = [
        threading.Thread(target=move, args=(rows[0], None)),
        threading.Thread(target=move, args=(rows[2], rows[0])),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == ["closing_index.changed"]
    session().rollback()
    assert shown(ann, matter_id) in (["1 b", "2 c", "3 a"], ["1 c", "2 a", "3 b"])


def test_a_row_is_changed_removed_and_follows_its_document(
    ann: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    matter_id = open_matter(ann)
    document_id = add_document(ann, matter_id, "Lease.docx")
    row_id = add(ann, matter_id, "To come")
    closing_index.change(ann, row_id, EntryCommand("", False, document_id))
    (entry,) = closing_index.read(ann, matter_id).entries
    assert (entry.title, entry.name, entry.version) == ("Lease", "Lease.docx", 1)
    assert closing_index.choices(ann, matter_id) == []
    assert closing_index.choices(ann, matter_id, document_id) == [(document_id, "Lease.docx")]
    for wanted in (EntryCommand("Again", False, document_id), EntryCommand("Other", False, uuid.uuid4())):
        with pytest.raises(InvalidError):
            closing_index.add(ann, matter_id, wanted)
    with pytest.raises(InvalidError):
        closing_index.add(ann, matter_id, EntryCommand("", False, None))
    recycle_bin.remove_document(ann, document_id)
    (entry,) = closing_index.read(ann, matter_id).entries
    assert (entry.name, entry.document_id) == ("", None)
    recycle_bin.restore_document(ann, document_id)
    assert closing_index.read(ann, matter_id).entries[0].name == "Lease.docx"
    monkeypatch.setattr(closing_index, "MOST", 1)
    with pytest.raises(RefusedError, match="at most 1"):
        add(ann, matter_id, "One more")
    assert closing_index.remove(ann, row_id) == "Lease"
    assert closing_index.read(ann, matter_id).missing == 1
    with pytest.raises(NotFoundError):
        closing_index.change(ann, row_id, EntryCommand("Gone", False, None))


def test_who_sees_and_changes_it(ann: Actor) -> None:
    viewer, guest = make_member("Vic"), make_member("Gina", is_guest=True, organisation="Bank")
    matter_id = open_matter(ann, viewer=viewer, editor=guest)
    row_id = add(ann, matter_id, "Deed")
    assert shown(actor_of(viewer), matter_id) == ["1 Deed"]
    with pytest.raises(ForbiddenError):
        closing_index.remove(actor_of(viewer), row_id)
    for attempt in (
        closing_index.read,
        closing_index.as_csv,
        closing_index.as_pdf,
        closing_index.add_documents,
    ):
        with pytest.raises(NotFoundError):
            attempt(actor_of(guest), matter_id)
    with pytest.raises(NotFoundError):
        closing_index.remove(actor_of(guest), row_id)
    matters.archive(ann, matter_id)
    with pytest.raises(ConflictError):
        closing_index.remove(ann, row_id)


def test_markup_and_formulas_are_text_on_the_page_in_csv_and_in_pdf(browser: Browser) -> None:
    lead = make_member("Lea")
    ann = actor_of(lead)
    matter_id = open_matter(ann, "Heron & <Co>")
    for title in ("<script>alert(1)</script>", "=HYPERLINK(1)", "<b>&amp;</i>", "\u05d0\u202e x", "w" * 300):
        add(ann, matter_id, title)
    add(ann, matter_id, "<h1>", heading=True)
    url = f"/matters/{matter_id}/index"
    page = browser.sign_in(lead).get(url).get_data(as_text=True)
    assert "&lt;script&gt;" in page and "<script>alert" not in page
    table = list(
        csv.reader(io.StringIO(browser.get(f"{url}.csv").get_data(as_text=True).removeprefix("\ufeff")))
    )
    assert table[0] == ["number", "title", "document", "version", "added at"]
    assert table[2][1:3] == ["'=HYPERLINK(1)", "To follow"] and table[-1][:3] == ["A", "<h1>", ""]
    pdf = pypdfium2.PdfDocument(browser.get(f"{url}.pdf").data)
    words = pdf[0].get_textpage().get_text_bounded()
    assert "Heron & <Co>" in words and "<script>alert(1)</script>" in words and "\\u202e" in words


def test_the_page_moves_rows_and_says_when_the_order_had_changed(browser: Browser) -> None:
    lead = make_member("Lea")
    ann = actor_of(lead)
    matter_id = open_matter(ann)
    first, second = add(ann, matter_id, "First"), add(ann, matter_id, "Second")
    url, key = f"/matters/{matter_id}/index", closing_index.read(ann, matter_id).key
    form = {"move": f"{second}:{first}", "seen": key}
    browser.sign_in(lead)
    moved = browser.post(f"{url}/move", form, htmx=True).get_data(as_text=True)
    assert moved.index("Second") < moved.index("First")
    again = browser.post(f"{url}/move", form, htmx=True)
    assert again.status_code == 200 and "Someone else has just changed" in again.get_data(as_text=True)
    for odd in ("", "nonsense", f"{uuid.uuid4()}:"):
        assert browser.post(f"{url}/move", {"move": odd, "seen": key}).status_code == 303
    document_id = add_document(ann, matter_id, "Lease.docx")
    add_document(ann, matter_id, "Other.docx")
    for data, added in (({}, 0), ({"document": str(document_id)}, 1)):
        browser.post(f"{url}/documents", data)
        assert closing_index.read(ann, matter_id).missing == 2 - added
    closing_index.remove(ann, closing_index.read(ann, matter_id).entries[-1].id)
    assert browser.post(f"{url}/new?heading=1", {"title": "Part one"}).status_code == 303
    assert shown(ann, matter_id) == ["1 Second", "2 First", "A Part one"]
    assert browser.post(f"/index-rows/{first}/edit", {"title": "Renamed", "document": ""}).status_code == 303
    assert browser.post(f"/index-rows/{second}/remove").status_code == 303
    assert shown(ann, matter_id) == ["1 Renamed", "A Part one"]
