"""The Drift tab: what is not in step, the counts, and what can be done with one document or many."""

from __future__ import annotations

import time
import uuid
from dataclasses import replace

import pytest
from sqlalchemy import insert, select

from models import AuditEvent, Document, Link, Version, new_id, utcnow
from services.core.unit_of_work import session, unit_of_work
from services.drift import board
from services.matters import participants
from services.transfers import update_check
from simulator import Inline
from simulator.values import Document as Twin
from tests.support.matters import counted_queries
from tests.support.people import make_member
from tests.support.transfers import Desk, add_version, carry_all, get

SAME, NEWER, OURS, BOTH = "Same here", "Newer there", "Ours changed", "Both changed"


@pytest.fixture
def twins(desk: Desk) -> dict[str, Twin]:
    """Four documents, one in each of the first four states."""
    world = desk.practice.world
    folder = world.folder("Drafts", "Active")
    made = {}
    for name in (SAME, NEWER, OURS, BOTH):
        for older in [each for each in world.documents_in(folder) if each.latest.name == name]:
            world.remove_document(older)
        made[name] = world.add_document(folder, name, "docx", f"Text of {name}".encode(), "BRAM")
    items = carry_all(get(desk, *(each.id() for each in made.values())))
    here = {item.name.removesuffix(".docx"): item.document_id for item in items}
    for name in (NEWER, BOTH):
        world.add_version(made[name], b"Bram's next", "BRAM")
    for name in (OURS, BOTH):
        document_id = here[name]
        assert document_id is not None
        add_version(desk, document_id, f"Alice's {name}".encode())
    update_check.check(desk.actor, desk.matter_id)
    return made


def document(name: str) -> uuid.UUID:
    id = session().scalar(select(Document.id).where(Document.name == f"{name}.docx"))
    assert id is not None
    return id


def tab(desk: Desk, state: str = "") -> list[str]:
    found = board.board(desk.actor, desk.matter_id, state)
    return [row.name.removesuffix(".docx") for row in found.found.rows]


def test_the_tab_lists_what_is_not_in_step(desk: Desk, twins: dict[str, Twin]) -> None:
    page = desk.browser.page(f"/matters/{desk.matter_id}/drift")
    assert all(f"{name}.docx" in page.text for name in (NEWER, OURS, BOTH)) and SAME not in page.text
    assert tab(desk, "newer") == [NEWER]
    counts = desk.browser.page(f"/matters/{desk.matter_id}/_states?board=1", htmx=True).text
    assert "Newer in iManage 1" in counts and "Changed on both sides 1" in counts and "Same" not in counts
    documents = desk.browser.page(f"/matters/{desk.matter_id}?state=changed_here").text
    assert OURS in documents and SAME not in documents
    counts = desk.browser.page(f"/matters/{desk.matter_id}/_states", htmx=True).text
    assert "Same 1" in counts and "Changed here 1" in counts


def test_newer_versions_of_many_are_got_in_one_transfer(desk: Desk, twins: dict[str, Twin]) -> None:
    url = f"/matters/{desk.matter_id}/drift/{desk.server.id}/get"
    wanted = {"document": [str(document(name)) for name in (SAME, NEWER, BOTH)]}
    query = "&".join(f"document={id}" for id in wanted["document"])
    page = desk.browser.page(f"{url}?{query}", htmx=True)
    assert NEWER in page.text and BOTH in page.text and SAME not in page.text
    form = wanted | {"request_key": page.value_of("request_key")}
    first = desk.browser.post(url, form)
    transfer_id = uuid.UUID(first.headers["Location"].rpartition("/")[2])
    assert desk.browser.post(url, form).headers["Location"] == first.headers["Location"]
    items = carry_all(transfer_id)
    assert [item.document_id for item in items] == [document(BOTH), document(NEWER)]
    assert tab(desk) == [OURS]
    assert desk.browser.post(url, form).headers["Location"] == first.headers["Location"]


def test_who_gains_sight_of_what_is_got_is_asked(desk: Desk, twins: dict[str, Twin]) -> None:
    guest = make_member("Gail", is_guest=True, organisation="Bank")
    participants.add(desk.actor, desk.matter_id, guest.id, "viewer")
    url = f"/matters/{desk.matter_id}/drift/{desk.server.id}/get"
    page = desk.browser.page(f"{url}?document={document(NEWER)}", htmx=True)
    assert "Bank : Gail" in page.text
    form = {name: page.value_of(name) for name in ("request_key", "readers")} | {
        "document": str(document(NEWER))
    }
    assert desk.browser.post(url, form).status_code == 422
    answer = desk.browser.post(url, form | {"exposure": "members"})
    (item,) = carry_all(uuid.UUID(answer.headers["Location"].rpartition("/")[2]))
    assert session().get_one(Version, item.version_id).held_at is not None


def test_ignored_until_the_next_change(desk: Desk, twins: dict[str, Twin]) -> None:
    url = f"/matters/{desk.matter_id}/drift/{desk.server.id}/ignore"
    ids = {"document": [str(document(NEWER)), str(document(OURS)), str(document(SAME))]}
    assert desk.browser.post(url, ids).status_code == 422
    answer = desk.browser.post(url, ids | {"reason": "Their formatting only"})
    assert answer.status_code == 303
    assert tab(desk) == [BOTH] and tab(desk, "ignored") == [NEWER, OURS]
    page = desk.browser.page(f"/matters/{desk.matter_id}/drift?state=ignored")
    assert "Ignored by Associate Alice" in page.text and "Their formatting only" in page.text
    update_check.check(desk.actor, desk.matter_id)
    assert tab(desk) == [BOTH]
    desk.practice.world.add_version(twins[NEWER], b"Bram's third", "BRAM")
    update_check.check(desk.actor, desk.matter_id)
    assert tab(desk) == [BOTH, NEWER]
    add_version(desk, document(OURS), b"Alice again")
    assert tab(desk) == [BOTH, NEWER, OURS]
    events = session().query(AuditEvent).filter_by(action="drift.ignored").all()
    assert {event.detail["reason"] for event in events} == {"Their formatting only"}


def test_what_was_not_seen_is_not_ignored(desk: Desk, twins: dict[str, Twin]) -> None:
    url = f"/matters/{desk.matter_id}/drift/{desk.server.id}/ignore"
    page = desk.browser.page(f"{url}?document={document(NEWER)}", htmx=True)
    form = {name: page.value_of(name) for name in ("document", "seen")} | {"reason": "Later"}
    desk.practice.world.add_version(twins[NEWER], b"Bram's third", "BRAM")
    update_check.check(desk.actor, desk.matter_id)
    assert desk.browser.post(url, form).status_code == 422
    assert NEWER in tab(desk)


def test_a_decision_is_undone(desk: Desk, twins: dict[str, Twin]) -> None:
    base = f"/matters/{desk.matter_id}/drift/{desk.server.id}"
    desk.browser.post(f"{base}/ignore", {"document": str(document(NEWER)), "reason": "Later"})
    assert NEWER not in tab(desk)
    menu = desk.browser.page(f"/documents/{document(NEWER)}/drift/{desk.server.id}/actions", htmx=True)
    assert "Undo" in menu.text and "Ignore" not in menu.text
    assert desk.browser.post(f"{base}/undo?document={document(NEWER)}").status_code == 303
    assert NEWER in tab(desk)
    many = {"document": [str(document(name)) for name in (NEWER, OURS)]}
    desk.browser.post(f"{base}/ignore", many | {"reason": "Later"})
    assert tab(desk) == [BOTH]
    assert desk.browser.post(f"{base}/undo", many).status_code == 303
    assert tab(desk) == [BOTH, NEWER, OURS]


def test_a_version_edited_in_place_is_newer(desk: Desk, twins: dict[str, Twin]) -> None:
    """iManage replaces a version when it is checked in: same number, other bytes."""
    there = twins[SAME]
    edited = replace(there.latest, content=Inline(b"Edited under the same number"))
    desk.practice.world.put_document(replace(there, versions=(edited,)))
    update_check.check(desk.actor, desk.matter_id)
    assert SAME in tab(desk, "newer")
    page = desk.browser.page(f"/matters/{desk.matter_id}/drift").text
    assert "Version 1 was edited in iManage after it was here." in page
    (item,) = carry_all(get(desk, there.id(), document_id=document(SAME)))
    assert item.state == "done"
    update_check.check(desk.actor, desk.matter_id)
    assert SAME not in tab(desk)
    assert session().get_one(Document, document(SAME)).current_version_id == item.version_id


def test_guests_see_nothing_and_a_viewer_only_reads(desk: Desk, twins: dict[str, Twin]) -> None:
    guest = make_member("Gail", is_guest=True, organisation="Bank")
    viewer = make_member("Vic")
    for member in (guest, viewer):
        participants.add(desk.actor, desk.matter_id, member.id, "viewer")
    desk.browser.sign_in(guest)
    for path in ("drift", "_states", "links.csv", "?state=newer"):
        answer = desk.browser.get(f"/matters/{desk.matter_id}/{path}".replace("/?", "?"))
        text = answer.get_data(as_text=True)
        assert answer.status_code == (404 if "?" not in path else 200)
        assert "Newer in iManage" not in text and "Drift" not in text
    desk.browser.sign_in(viewer)
    page = desk.browser.page(f"/matters/{desk.matter_id}/drift")
    assert NEWER in page.text and "Ignore" not in page.text and "Check now" not in page.text
    url = f"/matters/{desk.matter_id}/drift/{desk.server.id}/ignore"
    assert desk.browser.post(url, {"document": str(document(NEWER)), "reason": "x"}).status_code == 403


def test_links_as_csv(desk: Desk, twins: dict[str, Twin]) -> None:
    text = desk.browser.get(f"/matters/{desk.matter_id}/links.csv").get_data(as_text=True)
    lines = text.strip().splitlines()
    assert len(lines) == 5 and f'"{BOTH}.docx"' in lines[1] and '"Changed on both sides"' in lines[1]


def test_two_thousand_documents(desk: Desk) -> None:
    """The counts and a page of the list, in two seconds and a dozen queries."""
    number = 2000
    now = utcnow()
    with unit_of_work() as writing:
        ids = [(new_id(), new_id()) for _ in range(number)]
        common = {"created_by_id": desk.actor.id, "created_at": now}
        writing.execute(
            insert(Document),
            [
                {
                    "id": document_id,
                    "matter_id": desk.matter_id,
                    "name": f"Document {n:04}.docx",
                    "name_key": f"document {n:04}",
                    "changed_at": now,
                    **common,
                }
                for n, (document_id, _) in enumerate(ids)
            ],
        )
        writing.execute(
            insert(Version),
            [
                {
                    "id": version_id,
                    "document_id": document_id,
                    "number": 1,
                    "sha256": f"{n:064}",
                    "size": 5,
                    "file_name": "a.docx",
                    "origin": "imanage",
                    "note": "",
                    **common,
                }
                for n, (document_id, version_id) in enumerate(ids)
            ],
        )
        for document_id, version_id in ids:
            writing.get_one(Document, document_id).current_version_id = version_id
        writing.execute(
            insert(Link),
            [
                {
                    "id": new_id(),
                    "server_id": desk.server.id,
                    "document_id": document_id,
                    "version_id": version_id,
                    "direction": "got",
                    "library": "Active",
                    "library_key": "active",
                    "number": 500_000 + n,
                    "version": 1,
                    "name": "a.docx",
                    "url": "x",
                    "member_id": desk.actor.id,
                    "latest_version": 1 + n % 2,
                }
                for n, (document_id, version_id) in enumerate(ids)
            ],
        )
    began = time.process_time()
    with counted_queries() as made:
        page = desk.browser.page(f"/matters/{desk.matter_id}/_states", htmx=True)
    assert "Same 1000" in page.text and "Newer in iManage 1000" in page.text
    assert len(made) <= 12, made
    with counted_queries() as made:
        page = desk.browser.page(f"/matters/{desk.matter_id}/drift?state=newer&page=2")
    assert page.text.count("Newer in iManage") >= 40 and len(made) <= 12
    assert time.process_time() - began < 4
