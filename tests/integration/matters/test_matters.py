"""Matters: opened, listed, searched, renamed; and not there for those who take no part."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import select

from models import AuditEvent, Matter, Participant
from services.core.unit_of_work import session
from services.matters import matters
from tests.support.matters import add_document, open_matter
from tests.support.pages import Browser, read
from tests.support.people import actor_of, make_member


def test_a_member_opens_a_matter_and_leads_it(browser: Browser) -> None:
    ann = make_member("Ann Clarke")
    browser.sign_in(ann)
    assert "You have no matters yet" in browser.page("/").text
    pop_up = browser.page("/matters/new", htmx=True)
    assert "New matter" in pop_up.text and pop_up.value_of("name") == ""

    details = {"name": "  Project   Heron ", "client_number": "10482", "matter_number": "0007"}
    answer = browser.post("/matters/new", details, htmx=True)

    matter = session().scalars(select(Matter)).one()
    assert answer.headers["HX-Redirect"] == f"/matters/{matter.id}"
    assert (matter.name, matter.client_number, matter.matter_number) == ("Project Heron", "10482", "0007")
    assert session().get_one(Participant, (matter.id, ann.id)).role == "lead"
    event = session().scalars(select(AuditEvent).where(AuditEvent.action == "matter.created")).one()
    assert (event.actor_id, event.matter_id) == (ann.id, matter.id)
    page = browser.page(f"/matters/{matter.id}")
    assert "Client 10482 · Matter 0007" in page.text and "No documents yet" in page.text
    listed = browser.page("/").text
    assert "Project Heron" in listed and "10482" in listed and "0007" in listed


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "Enter a name."),
        (" \t\n", "Enter a name."),
        ("x" * 201, "Use 200 characters or fewer. You entered 201."),
        ("Heron\u202egnp.exe", "This contains an invisible character"),
        ("Kest\u200brel", "This contains an invisible character"),
        ("Heron\x00", "This contains an invisible character"),
    ],
)
@pytest.mark.parametrize("htmx", [True, False])
def test_a_bad_name_is_said_at_its_field(browser: Browser, name: str, sentence: str, htmx: bool) -> None:
    browser.sign_in(make_member())
    answer = browser.post("/matters/new", {"name": name, "client_number": "10482"}, htmx=htmx)
    assert answer.status_code == 422
    page = read(answer, whole=not htmx)
    assert sentence in page.text
    assert page.value_of("client_number") == "10482"
    assert ('<a href="/" class="btn">' in page.html) is not htmx
    assert session().scalars(select(Matter)).all() == []


def test_markup_in_a_name_is_text(browser: Browser) -> None:
    ann = make_member()
    matter_id = open_matter(actor_of(ann), "<script>alert(1)</script> & “{{7*7}}”")
    html = browser.sign_in(ann).get(f"/matters/{matter_id}").get_data(as_text=True)
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; “{{7*7}}”" in html


def test_the_list_shows_mine_with_counts_newest_change_first(browser: Browser) -> None:
    ann, ben = make_member("Ann"), make_member("Ben")
    lead = actor_of(ann)
    heron = open_matter(lead, "Heron", viewer=ben)
    open_matter(lead, "Kestrel")
    open_matter(actor_of(ben), "Of Ben alone")
    add_document(lead, heron, "One.docx")
    add_document(lead, heron, "Two.docx")

    rows = matters.mine(lead).rows
    assert [(row.name, row.documents, row.people) for row in rows] == [("Heron", 2, 2), ("Kestrel", 0, 1)]
    page = browser.sign_in(ann).page("/matters")
    assert "Of Ben alone" not in page.text


@pytest.mark.parametrize("text", ["ÉCLAIR", "eclair", "10482 proj", "0007", "project éclair"])
def test_search_looks_in_name_and_numbers_without_case_or_accents(browser: Browser, text: str) -> None:
    ann = make_member()
    open_matter(actor_of(ann), "Project Éclair")
    matters.create(actor_of(ann), matters.MatterDetails("Other", "1", "2"))
    browser.sign_in(ann)
    found = read(browser.get("/", htmx=True, query_string={"q": text}), whole=False)
    assert "Project Éclair" in found.text and "Other" not in found.text


@pytest.mark.parametrize("text", ["%", "_", "\\", "\x00", "nobody", "<b>x</b>", "x" * 5000, "\ud800"])
def test_a_search_that_finds_nothing_says_so(browser: Browser, text: str) -> None:
    ann = make_member()
    open_matter(actor_of(ann), "Project Heron")
    browser.sign_in(ann)
    raw = text.encode("utf-8", "surrogatepass")
    query = "".join(f"%{byte:02x}" for byte in raw)
    answer = browser.get(f"/?q={query}", htmx=True)
    assert answer.status_code == 200
    assert text == "\x00" or "No matters found" in answer.get_data(as_text=True)


@pytest.mark.parametrize("page", ["0", "-3", "two", "999999999999999999999999", "2"])
def test_a_page_that_is_not_there_is_no_error(browser: Browser, page: str) -> None:
    ann = make_member()
    open_matter(actor_of(ann), "Project Heron")
    assert browser.sign_in(ann).get(f"/?page={page}").status_code == 200


def test_a_lead_changes_the_details_and_others_may_not(browser: Browser) -> None:
    ann, ben = make_member("Ann"), make_member("Ben")
    matter_id = open_matter(actor_of(ann), "Heron", editor=ben)
    browser.sign_in(ann)
    assert browser.page(f"/matters/{matter_id}/rename", htmx=True).value_of("name") == "Heron"
    browser.post(f"/matters/{matter_id}/rename", {"name": "Grey Heron", "client_number": "9"}, htmx=True)
    assert matters.find(actor_of(ann), matter_id).name == "Grey Heron"
    assert [row.name for row in matters.mine(actor_of(ann), "grey").rows] == ["Grey Heron"]

    refused = Browser(browser.app).sign_in(ben).post(f"/matters/{matter_id}/rename", {"name": "Mine"})
    assert refused.status_code == 403
    assert matters.find(actor_of(ann), matter_id).name == "Grey Heron"


def test_others_matters_are_not_there(browser: Browser) -> None:
    ann, eve = make_member("Ann"), make_member("Eve", is_admin=True)
    matter_id = open_matter(actor_of(ann), "Heron")
    document_id = add_document(actor_of(ann), matter_id)
    browser.sign_in(eve)
    for url in (
        f"/matters/{matter_id}",
        f"/matters/{matter_id}/people",
        f"/matters/{matter_id}/documents/new",
        f"/matters/{matter_id}/rename",
        f"/documents/{document_id}",
        f"/documents/{document_id}/actions",
        f"/documents/{document_id}/rename",
        f"/documents/{document_id}/versions/new",
    ):
        there, nowhere = browser.get(url), browser.get(f"/matters/{uuid.uuid4()}")
        assert there.status_code == nowhere.status_code == 404, url
        assert "Heron" not in there.get_data(as_text=True)


def test_guests_open_no_matters(browser: Browser) -> None:
    guest = make_member("Gina", organisation="Harbour Bank", is_guest=True)
    browser.sign_in(guest)
    page = browser.page("/")
    assert "New matter" not in page.text and "No matters have been shared with you yet" in page.text
    assert browser.get("/matters/new").status_code == 404
    assert browser.post("/matters/new", {"name": "Mine"}).status_code == 404
    assert session().scalars(select(Matter)).all() == []
