"""The list of members as a file: exported as the page shows it, and imported after a preview."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from models import AuditEvent, Member, MemberImport, utcnow
from services.core.actor import Actor
from services.core.errors import ConflictError, NotFoundError
from services.core.unit_of_work import session, unit_of_work
from services.directory import people as directory_people
from services.members import import_export, invitations
from tests.support.audit import trail
from tests.support.pages import Browser, read
from tests.support.passwords import sign_in
from tests.support.people import actor_of, make_member
from tests.support.repository import LISTS

URL = "/admin/members"
HOSTILE: list[str] = json.loads((LISTS / "csv_cells.json").read_text())


@pytest.fixture
def actor(ada: Member) -> Actor:
    return actor_of(ada)


def exported(ada_browser: Browser, query: str = "") -> list[dict[str, str]]:
    answer = ada_browser.get(f"{URL}/export.csv{query}")
    assert answer.mimetype == "text/csv" and "Members.csv" in answer.headers["Content-Disposition"]
    data = answer.get_data()
    assert data.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def actions(actor: Actor, table: str) -> list[tuple[str, str]]:
    seen = import_export.preview(actor, import_export.read(actor, "people.csv", table.encode()))
    return [(row.details.email, row.action) for row in seen.rows]


def send(ada_browser: Browser, table: bytes, *, htmx: bool = False) -> TestResponse:
    """The form as a browser sends it. The test client's own way leaves a file open where the table is large."""
    head = b'--end\r\nContent-Disposition: form-data; name="file"; filename="people.csv"\r\n\r\n'
    content_type = "multipart/form-data; boundary=end"
    return ada_browser.post(
        f"{URL}/import", head + table + b"\r\n--end--\r\n", htmx=htmx, content_type=content_type
    )


def upload(ada_browser: Browser, table: bytes) -> str:
    answer = send(ada_browser, table)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return str(answer.location)


def test_the_file_holds_what_the_page_shows(ada_browser: Browser) -> None:
    make_member("Gail Guest", email="g@bank.test", is_guest=True, organisation="Bank, Trust & Co")
    make_member("Gone", email="gone@firm.test", is_active=False)
    rows = exported(ada_browser)
    assert [row["Name"] for row in rows] == ["Ada Admin", "Gail Guest", "Gone"]
    today = utcnow().date().isoformat()
    assert rows[1] == {
        "Name": "Gail Guest", "Email": "g@bank.test", "Kind": "Guest", "Organisation": "Bank, Trust & Co",
        "System Admin": "No", "Active": "Yes", "Matters": "0", "Since": today,
    }  # fmt: skip
    assert [row["Name"] for row in exported(ada_browser, "?state=guests")] == ["Gail Guest"]
    assert [row["Name"] for row in exported(ada_browser, "?q=firm.test&state=deactivated")] == ["Gone"]
    assert trail()[-1][0] == "members.exported"


def test_the_file_holds_everybody_however_many(ada_browser: Browser) -> None:
    for number in range(import_export.BATCH + 20):
        make_member(f"Twin {number:04}", email=f"t{number}@firm.test")
    assert [row["Name"] for row in exported(ada_browser, "?q=twin")] == [
        f"Twin {number:04}" for number in range(import_export.BATCH + 20)
    ]


@pytest.mark.parametrize("cell", HOSTILE)
def test_hostile_cells_neither_run_nor_are_lost(ada_browser: Browser, actor: Actor, cell: str) -> None:
    make_member(cell.strip(), email="h@firm.test", is_guest=True, organisation=cell.strip())
    (row,) = exported(ada_browser, "?state=guests")
    assert row["Name"].startswith("'") and row["Organisation"].startswith("'")
    again = ada_browser.get(f"{URL}/export.csv").get_data()
    assert [action for _, action in actions(actor, again.decode("utf-8-sig"))] == ["unchanged"] * 2
    page = ada_browser.page(upload(ada_browser, again))
    assert "2 unchanged" in page.text


def test_nothing_is_written_before_import(app: Flask, ada_browser: Browser) -> None:
    make_member("Bert Old", email="bert@firm.test", organisation="Firm")
    make_member("Carl", email="carl@firm.test")
    rows = (
        "Anna Müller;anna@firm.test;;",
        "Bert New;BERT@firm.test;Member;Firm",
        "Carl;carl@firm.test;;",
        ";x;Emperor;",
    )
    table = "\n".join(("Name;Email;Kind;Organisation", *rows))
    place = upload(ada_browser, table.encode("cp1252"))
    page = ada_browser.page(place)
    assert "1 will be added and 1 changed." in page.text and "1 cannot be imported" in page.text
    assert "Kind: Enter Member or Guest." in " ".join(page.text.split()) and "Enter a name." in page.text
    assert "name: Bert Old → Bert New" in ada_browser.page(f"{place}?show=change").text
    session().rollback()
    assert session().scalar(select(func.count(Member.id))) == 3
    assert ada_browser.post(place).status_code == 303
    session().rollback()
    people = {row.email: row for row in session().scalars(select(Member))}
    assert people["anna@firm.test"].name == "Anna Müller" and people["bert@firm.test"].name == "Bert New"
    found = directory_people.search_people(actor_of(people["ada@firm.test"]), "mull", staff_only=True)
    assert [each.name for each in found] == ["Anna Müller"]
    assert sign_in(Browser(app), "anna@firm.test", "").status_code == 422
    events = [(action, subject) for action, _, subject in trail()]
    assert ("member.added", "Anna Müller") in events and ("member.changed", "Bert New") in events
    assert ("members.imported", "people.csv") in events
    assert ada_browser.post(place).status_code == 404


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("Ann,nonsense,,,", ("Email", "Enter an email")),
        (",a@x.test,,,", ("Name", "Enter a name.")),
        ("An\u202en,a@x.test,,,", ("Name", "an invisible character")),
        ("Ann,a@x.test,Guest,,", ("Organisation", "Enter an organisation.")),
        ("Ann,a@x.test,King,,", ("Kind", "Member or Guest")),
        ("Ann,a@x.test,,,Yes", ("System Admin", "cannot change who is")),
        ("Ann,a@x.test,,,perhaps", ("System Admin", "Yes or No")),
        ("Ada Admin,ada@firm.test,,,No", ("System Admin", "cannot change who is")),
        ("Gail,gail@bank.test,Member,Bank,", ("Kind", "cannot become a guest")),
        ("Gone Now,gone@firm.test,,,", ("Email", "deactivated")),
        (f"{'n' * 201},a@x.test,,,", ("Name", "200 characters")),
        ("Only", ("Email", "Enter an email")),
    ],
)
def test_a_row_that_cannot_be_says_where_and_why(actor: Actor, row: str, said: tuple[str, str]) -> None:
    make_member("Gail", email="gail@bank.test", is_guest=True, organisation="Bank")
    make_member("Gone", email="gone@firm.test", is_active=False)
    table = f"Name,E-Mail,Kind,Organization,System Admin\n{row}\n"
    seen = import_export.preview(actor, import_export.read(actor, "p.csv", table.encode()))
    (judged,) = seen.rows
    assert (judged.action, judged.entry.row) == ("refused", 2)
    assert any(column == said[0] and said[1] in reason for column, reason in judged.reasons)
    with pytest.raises(ConflictError, match="nothing to import"):
        import_export.run(actor, seen.id, invite=True)


def test_the_same_address_twice_counts_once(actor: Actor) -> None:
    table = "Email,Name\nann@x.test,Ann\nANN@x.test,Anna\n"
    assert actions(actor, table) == [("ann@x.test", "add"), ("ANN@x.test", "refused")]


def test_those_added_can_be_invited(app: Flask, ada_browser: Browser, actor: Actor) -> None:
    place = upload(
        ada_browser, b"Name,Email,Kind,Organisation\nAnn,ann@x.test,,\nGil,gil@b.test,Guest,Bank\n"
    )
    assert ada_browser.post(place, {"invite": "y"}).location == f"{URL}/invitations"
    waiting = {row.email: row for row in invitations.open_invitations(actor)}
    assert waiting.keys() == {"ann@x.test", "gil@b.test"} and waiting["gil@b.test"].is_guest
    link = invitations.renew(actor, waiting["ann@x.test"].id).link.partition("8000")[2]
    entry = {"name": "Ann Archer", "password": "correct horse battery"}
    assert Browser(app).post(link, entry).status_code == 303
    session().rollback()
    assert session().scalar(select(func.count(Member.id)).where(Member.email_key == "ann@x.test")) == 1


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "The file is empty."),
        (b"First,Second\n1,2\n", "at least Name and Email."),
        (b"Name,Email\n", "column names but no rows"),
        (b"\x00\x01\x02\x03", "This file is not CSV"),
    ],
)
def test_a_file_that_is_no_table_of_members_is_refused(ada_browser: Browser, data: bytes, said: str) -> None:
    answer = send(ada_browser, data, htmx=True)
    assert answer.status_code == 422 and said in read(answer, whole=False).text


def test_a_file_of_five_megabytes_is_taken_and_a_larger_one_is_not(ada_browser: Browser) -> None:
    heading = b"Name,Email,Note\nAnn,ann@x.test,\n"
    blank = b" " * 99_999 + b"\n"
    full = (heading + blank * 53)[: 5 * 1024 * 1024]
    assert "1 will be added" in ada_browser.page(upload(ada_browser, full)).text
    refused = send(ada_browser, full + b" ")
    assert refused.status_code == 422 and "5 MB" in refused.get_data(as_text=True)


def test_a_kept_file_is_its_readers_own_and_goes_after_an_hour(actor: Actor) -> None:
    other = actor_of(make_member("Other", is_admin=True))
    import_id = import_export.read(actor, "p.csv", b"Name,Email\nAnn,a@x.test\n")
    with pytest.raises(NotFoundError):
        import_export.preview(other, import_id)
    with unit_of_work() as writing:
        writing.get_one(MemberImport, import_id).created_at = utcnow() - timedelta(minutes=61)
    with pytest.raises(NotFoundError, match="more than an hour ago"):
        import_export.run(actor, import_id, invite=False)
    import_export.read(other, "q.csv", b"Name,Email\nAnn,a@x.test\n")
    assert session().get(MemberImport, import_id) is None


def test_what_changed_since_the_look_is_judged_anew(actor: Actor) -> None:
    import_id = import_export.read(actor, "p.csv", b"Name,Email\nAnn,a@x.test\nBea,b@x.test\n")
    make_member("Ann", email="a@x.test")
    done = import_export.run(actor, import_id, invite=False)
    assert (done.added, done.changed) == (1, 0)


def test_ten_thousand_are_looked_at_and_imported(ada_browser: Browser, actor: Actor) -> None:
    table = "Name,Email\n" + "".join(f"Person {n:05},p{n}@x.test\n" for n in range(10_000))
    place = upload(ada_browser, table.encode())
    page = ada_browser.page(place)
    assert "10000 will be added" in page.text and len(page.html.encode()) <= 60_000
    (onwards,) = [link for link in page.links if "from=100" in link]
    assert "Person 00100" in ada_browser.page(onwards).text
    assert ada_browser.post(place, {"invite": "y"}).status_code == 303
    session().rollback()
    assert session().scalar(select(func.count(Member.id))) == 10_001
    added = select(func.count(AuditEvent.id)).where(AuditEvent.action == "member.added")
    assert session().scalar(added) == 10_000
