"""Every row of the table on the People tab is tried, in each role, by a member of the firm and by a guest."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable

import pytest

from services.access.roles import ROLES, RULES, Right, table
from services.core.actor import Actor
from services.core.errors import ForbiddenError, NotFoundError
from services.core.unit_of_work import session
from services.matters import (
    closing_index,
    documents,
    exposure,
    matters,
    participants,
    recycle_bin,
    versions,
    viewing,
)
from services.matters.matters import MatterDetails
from services.transfers import requests
from tests.support.matters import add_document, add_server, current_version, open_matter
from tests.support.pages import Browser
from tests.support.people import actor_of, make_member

Try = Callable[[Actor, uuid.UUID, uuid.UUID], object]


def get(actor: Actor, matter_id: uuid.UUID, _document_id: uuid.UUID) -> object:
    source = requests.sources_of(["Active!1.1"])
    return requests.start_get(actor, requests.GetCommand(uuid.uuid4(), matter_id, add_server(), source))


def add_version(actor: Actor, _matter_id: uuid.UUID, document_id: uuid.UUID) -> object:
    return versions.add(actor, document_id, "Lease.docx", io.BytesIO(b"second"), "")


def add_person(actor: Actor, matter_id: uuid.UUID, _document_id: uuid.UUID) -> object:
    return participants.add(actor, matter_id, make_member().id, "viewer")


TRIES: dict[Right, tuple[Try, ...]] = {
    Right.READ: (lambda actor, _matter, document: documents.find(actor, document),),
    Right.CHANGE_DOCUMENTS: (
        lambda actor, matter, _document: add_document(actor, matter, "New.docx"),
        lambda actor, _matter, document: documents.rename(actor, document, "Renamed"),
        add_version,
    ),
    Right.REMOVE_DOCUMENTS: (
        lambda actor, _matter, document: recycle_bin.remove_document(actor, document),
        lambda actor, matter, _document: recycle_bin.documents_of(actor, matter),
    ),
    Right.TRANSFER: (get,),
    Right.CONTROL_EXPOSURE: (
        lambda actor, matter, document: exposure.hold(actor, matter, [current_version(document)]),
    ),
    Right.CHANGE_INDEX: (
        lambda actor, matter, _document: closing_index.add_documents(actor, matter),
        lambda actor, matter, _document: closing_index.choices(actor, matter),
    ),
    Right.VIEW_AS: (lambda actor, matter, _document: viewing.choices(actor, matter),),
    Right.MANAGE_PEOPLE: (add_person,),
    Right.CHANGE_MATTER: (
        lambda actor, matter, _document: matters.rename(actor, matter, MatterDetails("Renamed")),
        lambda actor, matter, _document: matters.archive(actor, matter),
        lambda actor, matter, _document: recycle_bin.remove_matter(actor, matter),
    ),
}
CASES = [
    (right, number, role, is_guest)
    for right, tries in TRIES.items()
    for number in range(len(tries))
    for role in ROLES
    for is_guest in (False, True)
    if not (is_guest and role == "lead")
]


def test_every_right_is_tried() -> None:
    assert TRIES.keys() == RULES.keys()


@pytest.mark.parametrize(("right", "number", "role", "is_guest"), CASES)
def test_a_role_may_do_what_the_table_says(
    database: None, right: Right, number: int, role: str, is_guest: bool
) -> None:
    lead = actor_of(make_member())
    matter_id = open_matter(lead)
    document_id = add_document(lead, matter_id)
    member = make_member(is_guest=is_guest, organisation="Bank" if is_guest else "")
    participants.add(lead, matter_id, member.id, role)
    (row,) = (row for row in table(lead) if row.label == RULES[right].label)
    attempt, actor = TRIES[right][number], actor_of(member)
    if row.roles[ROLES.index(role)] and (row.for_guests or not is_guest):
        attempt(actor, matter_id, document_id)
    else:
        with pytest.raises((ForbiddenError, NotFoundError)):
            attempt(actor, matter_id, document_id)
    session().rollback()


def test_the_people_tab_shows_the_table_and_guests_see_their_part(browser: Browser) -> None:
    lead, guest = make_member(), make_member(is_guest=True, organisation="Bank")
    matter_id = open_matter(actor_of(lead), viewer=guest)
    page = browser.sign_in(lead).page(f"/matters/{matter_id}/people")
    assert all(rule.label in page.text for rule in RULES.values())
    page = Browser(browser.app).sign_in(guest).page(f"/matters/{matter_id}/people")
    assert [rule.label in page.text for rule in RULES.values()] == [
        rule.for_guests for rule in RULES.values()
    ]
    assert "iManage" not in page.html
