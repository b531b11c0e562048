"""The practice firm: its people, its matters and the practice iManage as its server, made once through the services."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import select

from commands import demo_files as files
from models import Document, Matter, Member, Participant, Server
from services.core.actor import SYSTEM, Actor
from services.core.unit_of_work import session, unit_of_work
from services.directory import people as directory_people
from services.directory.people import NewMember
from services.matters import documents, matters, participants
from services.servers import registry

PASSWORD = "lantern-otter-granary"  # shown in the terminal: nothing here is secret
PRACTICE_CLIENT = "counterpart-practice"


class Person(NamedTuple):
    """A member or guest, and what they are in words."""

    member: NewMember
    what: str


def _person(name: str, email: str, what: str, organisation: str = "", *, is_admin: bool = False) -> Person:
    return Person(NewMember(name, email, PASSWORD, organisation, is_admin, bool(organisation)), what)


ADMIN = _person("Ada Kerr", "ada@harbourvale.example", "System Admin", is_admin=True)
ALICE = _person("Alice Archer", "alice@practice.example", "associate; in iManage: alice")
BRAM = _person("Bram de Vries", "bram@harbourvale.example", "partner; in iManage: bram")
CAROL = _person("Carol Mensah", "carol@practice.example", "trainee; in iManage: carol")
GITA = _person("Gita Rao", "gita@northwind.example", "guest", "Northwind Bank")
TOM = _person("Tom Lindqvist", "tom@lindqvist.example", "guest", "Lindqvist Oy")
PEOPLE = (ADMIN, ALICE, BRAM, CAROL, GITA, TOM)

File = tuple[str, Callable[[], bytes]]

HERON: tuple[File, ...] = (
    (
        "Facility agreement.docx",
        lambda: files.letter(
            "Facility agreement",
            (
                "The Lender makes available to the Borrower a term loan facility in an amount of £40,000,000.",
                "The Borrower shall apply all amounts borrowed towards the purchase of the Shares.",
                "Interest accrues daily and is payable on the last day of each Interest Period.",
            ),
        ),
    ),
    (
        "Conditions precedent.xlsx",
        lambda: files.schedule(
            "Conditions precedent",
            ("No.", "Document", "Responsible", "Status"),
            [
                (number, f"Condition {number}", "Harbour & Vale", "Agreed form" if number % 3 else "Draft")
                for number in range(1, 61)
            ],
        ),
    ),
    (
        "Steps paper.pdf",
        lambda: files.report(
            "Steps paper", [f"Step {number}: as described in the structure chart." for number in range(1, 24)]
        ),
    ),
    ("Title deeds (scanned).pdf", lambda: files.scans("Title deeds", 4)),
)
WHARF: tuple[File, ...] = (
    (
        "Lease – Granary Wharf.docx",
        lambda: files.letter(
            "Lease of part, Granary Wharf",
            (
                "The Landlord lets the Premises to the Tenant for the Term.",
                "The Tenant shall pay the Rent by equal quarterly payments in advance.",
            ),
        ),
    ),
    (
        "Rent schedule.xlsx",
        lambda: files.schedule(
            "Rent",
            ("Year", "Rent (£)"),
            [(year, 120000 + 2500 * (year - 2027)) for year in range(2027, 2042)],
        ),
    ),
)
KESTREL: tuple[File, ...] = (
    (
        "Term sheet – Series B.docx",
        lambda: files.letter("Term sheet", ("Investors subscribe for Series B Preferred Shares.",)),
    ),
    (
        "Cap table.xlsx",
        lambda: files.schedule(
            "Cap table",
            ("Holder", "Shares"),
            [("Founders", 600000), ("Seed investors", 250000), ("Pool", 150000)],
        ),
    ),
    ("Board minutes.pdf", lambda: files.report("Board minutes", ["Present: as in the attendance list."])),
)
# name, client number, matter number, files, everybody besides Alice (its lead) and the role of each
MATTERS = (
    (
        "Project Heron",
        "10042",
        "0007",
        HERON,
        ((BRAM, "lead"), (CAROL, "editor"), (GITA, "viewer"), (TOM, "viewer")),
    ),
    ("Lease of Granary Wharf", "10077", "0002", WHARF, ((BRAM, "lead"), (TOM, "editor"))),
    ("Kestrel Robotics – Series B", "10113", "0001", KESTREL, ((CAROL, "editor"),)),
)


def is_complete() -> bool:
    """Whether its last document is there: for a firm that was created before there was a marker file."""
    _, client, matter, contents, _ = MATTERS[-1]
    there = _matter(client, matter)
    return there is not None and len(_documents(there)) >= len(contents)


def make(practice_url: str, client_secret: str) -> None:
    """Create everything through the services that the pages use. Continues what an earlier start began."""
    people = {person: _found(person) or _add(person) for person in PEOPLE}
    server_id = session().scalar(select(Server.id).where(Server.url == practice_url))
    if server_id is None:
        server_id = registry.add(
            people[ADMIN],
            registry.NewServer(
                kind="on_premise",
                name="Practice iManage",
                url=practice_url,
                client_id=PRACTICE_CLIENT,
                client_secret=client_secret,
            ),
        ).id
    if not session().get_one(Server, server_id).is_enabled:
        registry.set_enabled(people[ADMIN], server_id, True)
    alice = people[ALICE]
    for name, client, matter, contents, others in MATTERS:
        matter_id = _matter(client, matter) or matters.create(
            alice, matters.MatterDetails(name, client, matter)
        )
        there = _participants(matter_id)
        for person, role in others:
            if people[person].id not in there:
                participants.add(alice, matter_id, people[person].id, role)
        documents_there = _documents(matter_id)
        for file_name, content in contents:
            if file_name not in documents_there:
                documents.add(alice, matter_id, file_name, io.BytesIO(content()))


def _matter(client: str, matter: str) -> uuid.UUID | None:
    return session().scalar(
        select(Matter.id).where(Matter.client_number == client, Matter.matter_number == matter)
    )


def _participants(matter_id: uuid.UUID) -> set[uuid.UUID]:
    return set(session().scalars(select(Participant.member_id).where(Participant.matter_id == matter_id)))


def _documents(matter_id: uuid.UUID) -> set[str]:
    return set(session().scalars(select(Document.name).where(Document.matter_id == matter_id)))


def _found(person: Person) -> Actor | None:
    row = session().scalar(select(Member).where(Member.email == person.member.email))
    return _actor(row) if row else None


def _actor(row: Member) -> Actor:
    return Actor(row.id, row.name, row.email, row.is_admin, row.is_guest, row.organisation_id)


def _add(person: Person) -> Actor:
    with unit_of_work():
        return _actor(directory_people.create(SYSTEM, person.member))
