"""Links by hand: made, replaced, ended, refused; and where else the same document of iManage is."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import select

from models import AuditEvent, Link, Member
from services.core.unit_of_work import session
from services.drift import board
from services.matters import participants
from services.transfers import links as twin_links
from services.transfers import update_check
from services.transfers.twin_states import TwinState
from simulator.values import Document as Twin
from tests.support.people import make_member
from tests.support.practice import sign_in_to_imanage
from tests.support.transfers import Desk, carry_all, get, got_document, make_matter

TEXT = b"Text of the deed"


@pytest.fixture
def there(desk: Desk) -> Twin:
    world = desk.practice.world
    folder = world.folder("Drafts", "Active")
    for older in [each for each in world.documents_in(folder) if each.latest.name == "Deed of trust"]:
        world.remove_document(older)
    return world.add_document(folder, "Deed of trust", "docx", TEXT, "BRAM")


def link(desk: Desk, document_id: uuid.UUID, reference: str) -> str:
    """The answer's page, or the address that it leads to."""
    answer = desk.browser.post(f"/documents/{document_id}/link/{desk.server.id}", {"reference": reference})
    return answer.headers.get("Location") or answer.get_data(as_text=True)


def state(desk: Desk, document_id: uuid.UUID) -> TwinState:
    (status,) = twin_links.for_documents(desk.actor, [document_id])[document_id]
    return status.state


@pytest.mark.parametrize(
    "form",
    [
        "{id}",
        "{document}",
        "{number}",
        "{url}/work/link/d/{id}",
        "{url}/work/link/d/{document}?p=1",
        " {url}/work/link/d/Active%21{number}.1 ",
    ],
)
def test_a_link_or_a_number_is_linked(desk: Desk, there: Twin, form: str) -> None:
    document_id = desk.add_document("Deed.docx", TEXT)
    reference = form.format(
        id=there.id(), document=there.id().rpartition(".")[0], number=there.number, url=desk.practice.url
    )
    assert f"/matters/{desk.matter_id}/drift" in link(desk, document_id, reference)
    assert state(desk, document_id) is TwinState.SAME
    page = desk.browser.page(f"/documents/{document_id}")
    assert f"Linked to iManage by {desk.actor.name}" in page.text
    assert session().query(AuditEvent).filter_by(action="link.made").one().detail["twin"] == there.id()


def test_another_content_counts_as_changed_on_both_sides(desk: Desk, there: Twin) -> None:
    document_id = desk.add_document("Deed.docx", b"Our own text")
    link(desk, document_id, there.id())
    assert state(desk, document_id) is TwinState.BOTH
    (item,) = carry_all(get(desk, there.id(), document_id=document_id))
    assert item.state == "done" and state(desk, document_id) is TwinState.SAME


@pytest.mark.parametrize(
    "reference",
    [
        "",
        "https://elsewhere.test/work/link/d/Active!1.1",
        "Deed of trust",
        "Active!",
        "Active!0",
        "Active!1/2",
        "9" * 40,
    ],
)
def test_what_is_no_reference_is_said_at_the_field(desk: Desk, there: Twin, reference: str) -> None:
    document_id = desk.add_document("Deed.docx", TEXT)
    assert "There is a problem" in link(desk, document_id, reference)
    assert session().scalars(select(Link)).all() == []


def test_what_is_not_there_is_not_linked(desk: Desk, there: Twin) -> None:
    document_id = desk.add_document("Deed.docx", TEXT)
    answer = desk.browser.post(
        f"/documents/{document_id}/link/{desk.server.id}", {"reference": "Active!999999"}
    )
    assert answer.status_code == 502
    assert session().scalars(select(Link)).all() == []


def test_one_document_there_has_one_copy_in_a_matter(desk: Desk, there: Twin) -> None:
    first, second = (desk.add_document(name, TEXT) for name in ("Deed.docx", "Deed 2.docx"))
    link(desk, first, there.id())
    assert "Deed.docx in this matter is linked to it already." in link(desk, second, there.id())


def test_a_new_link_takes_the_place_of_the_old_one(desk: Desk, there: Twin) -> None:
    document_id, _twin_id = got_document(desk)
    popup = desk.browser.page(f"/documents/{document_id}/link/{desk.server.id}", htmx=True)
    assert "This replaces the link to Active" in popup.text
    link(desk, document_id, there.id())
    live = session().scalars(select(Link).where(Link.ended_at.is_(None))).all()
    assert [each.number for each in live] == [there.number]
    assert len(session().scalars(select(Link)).all()) == 2


def test_the_search_shows_the_same_content_first(desk: Desk, there: Twin) -> None:
    desk.practice.world.add_document(
        desk.practice.world.folder("Drafts", "Active"), "Deed of trust, old", "docx", b"Another", "BRAM"
    )
    document_id = desk.add_document("Deed.docx", TEXT)
    desk.practice.forget_requests()
    answer = desk.browser.get(
        f"/documents/{document_id}/link/{desk.server.id}/_found", htmx=True, headers={"X-Search": "Deed"}
    )
    text = answer.get_data(as_text=True)
    assert text.index("Same content") < text.index("Deed of trust, old")
    assert len(desk.practice.requests) == 1


def test_unlinking_deletes_nothing(desk: Desk) -> None:
    document_id, _ = got_document(desk)
    url = f"/matters/{desk.matter_id}/drift/{desk.server.id}/unlink"
    assert "Nothing is deleted" in desk.browser.page(f"{url}?document={document_id}", htmx=True).text
    assert desk.browser.post(url, {"document": str(document_id)}).status_code == 303
    assert twin_links.for_documents(desk.actor, [document_id]) == {}
    (row,) = session().scalars(select(Link)).all()
    assert row.ended_at is not None
    assert session().query(AuditEvent).filter_by(action="link.ended").count() == 1
    assert board.board(desk.actor, desk.matter_id).twins == 0


def test_other_matters_that_the_viewer_may_see(desk: Desk, there: Twin) -> None:
    carry_all(get(desk, there.id()))
    first = session().scalars(select(Link)).one().document_id
    other_matter = make_matter(desk.actor.id, "Project Granary")
    other = Desk(desk.browser, desk.actor, other_matter, desk.server, desk.practice)
    carry_all(get(other, there.id()))
    assert "also in Project Granary" in desk.browser.page(f"/documents/{first}").text
    colleague = make_member("Colin")
    participants.add(desk.actor, desk.matter_id, colleague.id, "editor")
    desk.browser.sign_in(colleague)
    assert "Project Granary" not in desk.browser.page(f"/documents/{first}").text


def test_a_member_without_rights_there_is_refused(desk: Desk, there: Twin, ada: Member) -> None:
    document_id = desk.add_document("Deed.docx", TEXT)
    desk.browser.sign_in(ada)
    assert desk.browser.get(f"/documents/{document_id}/link/{desk.server.id}", htmx=True).status_code == 404
    participants.add(desk.actor, desk.matter_id, ada.id, "editor")
    answer = desk.browser.get(f"/documents/{document_id}/link/{desk.server.id}", htmx=True)
    assert answer.status_code == 409 and "Sign in" in answer.get_data(as_text=True)
    sign_in_to_imanage(desk.browser, desk.server.id, "CAROL")
    assert desk.browser.get(f"/documents/{document_id}/link/{desk.server.id}", htmx=True).status_code == 200


def test_a_document_that_moved_to_another_library_is_found_by_its_content(desk: Desk, there: Twin) -> None:
    carry_all(get(desk, there.id()))
    document_id = session().scalars(select(Link.document_id)).one()
    world = desk.practice.world
    world.remove_document(there)
    moved = world.add_document(
        next(each for each in world.containers("Knowledge") if each.folder_type == "regular"),
        "Deed of trust",
        "docx",
        TEXT,
        "BRAM",
    )
    update_check.check(desk.actor, desk.matter_id)
    assert state(desk, document_id) is TwinState.LOST
    popup = desk.browser.page(f"/documents/{document_id}/link/{desk.server.id}", htmx=True)
    assert popup.value_of("q") == "Deed of trust"
    found = desk.browser.get(
        f"/documents/{document_id}/link/{desk.server.id}/_found",
        htmx=True,
        headers={"X-Search": "Deed of trust"},
    ).get_data(as_text=True)
    assert moved.id() in found and "Same content" in found
    answer = desk.browser.post(f"/documents/{document_id}/link/{desk.server.id}", {"chosen": moved.id()})
    assert answer.status_code == 303 and state(desk, document_id) is TwinState.SAME
