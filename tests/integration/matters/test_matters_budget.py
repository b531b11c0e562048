"""What pages may cost: twelve queries and 60 kB, with ten rows and with a thousand."""

from __future__ import annotations

import uuid

import pytest

from models import Document, Link, Matter, Participant, Version, new_id
from services.core.unit_of_work import unit_of_work
from tests.support.matters import add_server, counted_queries, open_matter
from tests.support.pages import Browser
from tests.support.people import actor_of, make_member

MOST_QUERIES = 12
MOST_BYTES = 60_000


def fill(matter_id: uuid.UUID, member_id: uuid.UUID, server_id: uuid.UUID, count: int) -> uuid.UUID:
    """Documents with a twin each, matters of the same member, versions of the last document: in the tables."""
    with unit_of_work() as writing:
        for number in range(count):
            document_id, version_id = new_id(), new_id()
            name = f"Facility agreement between the parties, draft {number:04}.docx"
            writing.add(
                Document(
                    id=document_id,
                    matter_id=matter_id,
                    name=name,
                    name_key=name.lower(),
                    created_by_id=member_id,
                )
            )
            writing.flush()
            writing.add(version_row(document_id, version_id, member_id, 1, name))
            writing.flush()
            writing.get_one(Document, document_id).current_version_id = version_id
            writing.add(
                Link(
                    server_id=server_id,
                    document_id=document_id,
                    version_id=version_id,
                    direction="got",
                    library="Active",
                    library_key="active",
                    number=104000 + number,
                    version=3,
                    name=name,
                    url=f"https://london-dms.cloudimanage.com/work/link/d/Active!{104000 + number}.3",
                    member_id=member_id,
                    latest_version=3 + number % 2,
                )
            )
            other = Matter(id=new_id(), name=f"Matter {number}", created_by_id=member_id)
            writing.add(other)
            writing.flush()
            writing.add(Participant(matter_id=other.id, member_id=member_id, role="lead"))
        for number in range(2, count + 2):
            writing.add(version_row(document_id, new_id(), member_id, number, f"Draft {number}.docx"))
    return document_id


def version_row(
    document_id: uuid.UUID, version_id: uuid.UUID, member_id: uuid.UUID, number: int, name: str
) -> Version:
    return Version(
        id=version_id,
        document_id=document_id,
        number=number,
        sha256=f"{number:064}",
        size=52_311,
        file_name=name,
        origin="imanage",
        note="",
        created_by_id=member_id,
    )


@pytest.mark.parametrize("count", [10, 1000])
def test_a_page_costs_the_same_for_ten_rows_and_a_thousand(browser: Browser, count: int) -> None:
    ann = make_member("Ann Clarke")
    matter_id = open_matter(actor_of(ann), "Refinancing of the wharf")
    server_id = add_server()
    document_id = fill(matter_id, ann.id, server_id, count)
    browser.sign_in(ann)
    pages = (
        "/",
        "/?q=matter",
        f"/matters/{matter_id}",
        f"/matters/{matter_id}?q=facility&page=2",
        f"/matters/{matter_id}/people",
        f"/documents/{document_id}",
    )
    for url in pages:
        with counted_queries() as statements:
            response = browser.get(url)
        asked = [statement for statement in statements if not statement.startswith(("BEGIN", "PRAGMA"))]
        assert response.status_code == 200
        assert len(asked) <= MOST_QUERIES, f"{url} asked {len(asked)} times:\n" + "\n".join(asked)
        assert len(response.data) <= MOST_BYTES, f"{url} is {len(response.data)} bytes"


def test_the_lists_are_paged(browser: Browser) -> None:
    ann = make_member("Ann Clarke")
    matter_id = open_matter(actor_of(ann))
    document_id = fill(matter_id, ann.id, add_server(), 60)
    browser.sign_in(ann)
    first = browser.page(f"/matters/{matter_id}")
    second = browser.page(f"/matters/{matter_id}?page=2")
    on_first = {link for link in first.links if link.startswith("/documents/")}
    on_second = {link for link in second.links if link.startswith("/documents/")}
    assert (len(on_first), len(on_second), on_first & on_second) == (40, 20, set())
    assert f"/matters/{matter_id}?page=2" in first.links and f"/matters/{matter_id}?page=1" in second.links
    assert "/?page=2" in browser.page("/").links
    assert f"/documents/{document_id}?page=3" in browser.page(f"/documents/{document_id}?page=2").links
