"""What is added to a matter: numbers and names are given out once, also concurrently."""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import select

from models import Document, Version
from services.core.errors import ConflictError
from services.core.unit_of_work import session, unit_of_work
from services.matters import adding, versions
from services.matters.adding import Addition
from tests.support.matters import add_document, open_matter
from tests.support.people import actor_of, make_member

SHA = "0" * 64


def test_a_document_is_added_and_its_next_version_becomes_current(database: None) -> None:
    ann = actor_of(make_member("Ann"))
    matter_id = open_matter(ann)
    with unit_of_work() as writing:
        first = adding.add(writing, matter_id, ann.id, "Re: Lease.docx", SHA, 5, note="From the bank")
        assert (first.document_name, first.number) == ("Re_ Lease.docx", 1)
        document_id = first.document_id
    with unit_of_work() as writing:
        second = adding.add(writing, matter_id, ann.id, "L.pdf", SHA, 6, document_id=document_id)
        version_id = second.version_id
        assert second.number == 2
    view = versions.require(ann, version_id)
    assert (view.file_name, view.sha256, view.size) == ("L.pdf", SHA, 6)
    assert view.is_current and view.origin == "imanage"
    assert (view.document_id, view.matter_id, view.download_name) == (document_id, matter_id, "Re_ Lease.pdf")


def test_names_that_are_taken_get_a_number(database: None) -> None:
    ann = actor_of(make_member("Ann"))
    matter_id, other_id = open_matter(ann), open_matter(ann)
    added = []
    for name in (
        "Lease.docx",
        "LEASE.docx",
        "Lease.docx",
        "Lease.pdf",
        "50%_off.docx",
        "50%_OFF.docx",
        "Lea.docx",
    ):
        with unit_of_work() as writing:
            added.append(adding.add(writing, matter_id, ann.id, name, SHA, 1).document_name)
    assert added == [
        "Lease.docx",
        "LEASE (2).docx",
        "Lease (3).docx",
        "Lease.pdf",
        "50%_off.docx",
        "50%_OFF (2).docx",
        "Lea.docx",
    ]
    with unit_of_work() as writing:
        assert adding.add(writing, other_id, ann.id, "Lease.docx", SHA, 1).document_name == "Lease.docx"


def test_many_are_added_at_once_in_several_matters_and_none_where_one_is_gone(database: None) -> None:
    ann = actor_of(make_member("Ann"))
    lease, sale = open_matter(ann), open_matter(ann)

    def add(*wanted: tuple[uuid.UUID, str]) -> list[str]:
        with unit_of_work() as writing:
            additions = [
                Addition(matter_id, ann.id, name, SHA, 1, "From the bank") for matter_id, name in wanted
            ]
            plan = adding.plan(writing.connection(), additions)
            adding.write(writing.connection(), plan)
            return [each.document_name for each in plan.added]

    assert add((lease, "Deed.docx"), (sale, "Deed.docx"), (lease, "DEED.docx"), (sale, "List.xlsx")) == [
        "Deed.docx",
        "Deed.docx",
        "DEED (2).docx",
        "List.xlsx",
    ]
    assert add((sale, "deed.docx"), (lease, "List.xlsx")) == ["deed (2).docx", "List.xlsx"]
    with pytest.raises(ConflictError):
        add((lease, "Never.docx"), (uuid.uuid4(), "Never.docx"))
    there = session().execute(select(Document.matter_id, Document.name)).all()
    assert sorted(name for matter_id, name in there if matter_id == lease) == [
        "DEED (2).docx",
        "Deed.docx",
        "List.xlsx",
    ]
    assert not any(name == "Never.docx" for _, name in there)


def test_a_version_is_added_only_to_a_document_of_its_matter(database: None) -> None:
    ann = actor_of(make_member("Ann"))
    matter_id, other_id = open_matter(ann), open_matter(ann)
    document_id = add_document(ann, matter_id)
    for matter, document in ((other_id, document_id), (matter_id, uuid.uuid4()), (uuid.uuid4(), None)):
        with pytest.raises(ConflictError), unit_of_work() as writing:
            adding.add(writing, matter, ann.id, "x.docx", SHA, 1, document_id=document)
    assert session().scalars(select(Version.number)).all() == [1]


@pytest.mark.parametrize("onto_one_document", [True, False])
def test_eight_at_once_get_eight_numbers(app: Flask, database: None, onto_one_document: bool) -> None:
    ann = actor_of(make_member("Ann"))
    matter_id = open_matter(ann)
    document_id = add_document(ann, matter_id, "Lease.docx") if onto_one_document else None
    session().rollback()
    together = threading.Barrier(8)

    def one(number: int) -> None:
        with app.app_context():
            together.wait(timeout=10)
            with unit_of_work() as writing:
                sha256 = f"{number:064}"
                adding.add(writing, matter_id, ann.id, "Lease.docx", sha256, 1, document_id=document_id)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(8)))
    if onto_one_document:
        assert sorted(session().scalars(select(Version.number))) == list(range(1, 10))
    else:
        names = sorted(session().scalars(select(Document.name)))
        assert names == sorted(["Lease.docx", *(f"Lease ({number}).docx" for number in range(2, 9))])
