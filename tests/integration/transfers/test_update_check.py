"""Checking twins in iManage: the summary and the rows say what was found there, of the version that is current here."""

from __future__ import annotations

from dataclasses import replace

import pytest

from models import AuditEvent
from services.connections import disconnecting
from services.core.unit_of_work import session
from services.matters import versions
from services.transfers import update_check
from simulator.values import Document, Security
from tests.support.matters import current_version
from tests.support.transfers import Desk, add_version, carry_all, get, got_document

NAME = "Lease of the wharf"


@pytest.fixture
def there(desk: Desk) -> Document:
    """A document with one version, of this test alone."""
    return made(desk, NAME)


def made(desk: Desk, name: str) -> Document:
    world = desk.practice.world
    for older in [
        each for each in world.documents_in(world.folder("Drafts", "Active")) if each.latest.name == name
    ]:
        world.remove_document(older)
    return world.add_document(
        world.folder("Drafts", "Active"), name, "docx", f"Text of {name}".encode(), "BRAM"
    )


def checked(desk: Desk) -> str:
    return update_check.check(desk.actor, desk.matter_id).sentence


def row(desk: Desk) -> str:
    return desk.browser.page(f"/matters/{desk.matter_id}").text


def test_one_twin_is_named_with_its_state(desk: Desk, there: Document) -> None:
    got_document(desk, NAME)
    assert (
        checked(desk)
        == f"{NAME}.docx: Same. Version 1 here is version 1 in iManage, the latest version there."
    )
    desk.practice.world.add_version(there, b"Bram's", "BRAM")
    assert "Same" in row(desk)
    assert checked(desk).startswith(f"{NAME}.docx: Newer in iManage. iManage has version 2.")
    assert "Newer in iManage" in row(desk)


def test_a_document_deleted_there_is_lost_and_the_check_says_so(desk: Desk, there: Document) -> None:
    got_document(desk, NAME)
    desk.practice.world.remove_document(there)
    assert checked(desk).startswith(f"{NAME}.docx: Lost. This document was not found in iManage")
    assert "Lost" in row(desk)
    event = session().query(AuditEvent).filter_by(action="links.checked").one()
    assert event.detail["found"] == ["1 Lost"]


def test_a_document_that_is_closed_to_us_has_no_access(desk: Desk, there: Document) -> None:
    got_document(desk, NAME)
    desk.practice.world.put_document(replace(there, security=Security("private", (("ALICE", "no_access"),))))
    assert checked(desk).startswith(
        f"{NAME}.docx: No access. The last person to check could not see this document"
    )
    assert "No access" in row(desk)


def test_many_are_counted_by_what_was_found(desk: Desk, there: Document) -> None:
    world = desk.practice.world
    others = [made(desk, f"Schedule {number}") for number in (1, 2, 3)]
    carry_all(get(desk, *(each.id() for each in (there, *others))))
    world.remove_document(there)
    world.add_version(others[0], b"moved on", "BRAM")
    assert checked(desk) == "4 twins checked: 2 Same, 1 Newer in iManage, 1 Lost."
    assert update_check.Checked({}).sentence == "No document here has a twin in iManage yet."


def test_what_the_time_did_not_reach_is_said(
    desk: Desk, there: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry_all(get(desk, there.id(), made(desk, "Schedule 1").id()))
    monkeypatch.setattr(update_check, "SECONDS", -1.0)
    assert checked(desk).endswith(" 1 was not checked in time. Check again to continue.")


def test_an_older_version_made_current_is_what_the_check_speaks_of(desk: Desk, there: Document) -> None:
    document_id, _twin = got_document(desk, NAME)
    older = current_version(document_id)
    moved_on = desk.practice.world.add_version(there, b"Bram's", "BRAM")
    carry_all(get(desk, moved_on.id(), document_id=document_id))
    assert "v2 Same" in row(desk)
    versions.make_current(desk.actor, older)
    assert "v1 Newer in iManage" in row(desk)
    assert "iManage has version 2 (version 2 here)" in checked(desk)


def test_changed_here_stays_so_after_the_check(desk: Desk, there: Document) -> None:
    document_id, _twin = got_document(desk, NAME)
    add_version(desk, document_id, b"Alice's changes")
    assert checked(desk) == (
        f"{NAME}.docx: Changed here. Version 2 here is not in iManage. The latest there is version 1."
    )
    desk.practice.world.add_version(there, b"Bram's", "BRAM")
    assert "Changed on both sides" in checked(desk)


def test_without_a_sign_in_the_answer_leads_to_where_one_signs_in(desk: Desk, there: Document) -> None:
    got_document(desk, NAME)
    disconnecting.disconnect(desk.actor, desk.server.id)
    answer = desk.browser.post(f"/matters/{desk.matter_id}/check")
    assert answer.status_code == 409
    html = answer.get_data(as_text=True)
    assert 'href="/account"' in html and "Sign in on your Account page" in html
