"""The contract of the picker's port: what it finds and selects is what a get and a save take."""

from __future__ import annotations

import uuid
from dataclasses import replace

from services.picker.browse import Location, Step
from services.picker.port import PICKER
from services.transfers import requests
from services.transfers.requests import GetCommand
from simulator import Simulator
from tests.support.pages import Browser
from tests.support.transfers import carry_all, make_desk, save


def test_what_is_chosen_can_be_got_and_saved(browser: Browser, practice: Simulator) -> None:
    desk = make_desk(browser, practice)
    actor, matter_id, server_id = desk.actor, desk.matter_id, desk.server.id
    way: tuple[Step, ...] = ()
    for location, name in ((Location(shelf="favourites"), "Project Heron"), (Location(), "Drafts")):
        rows = PICKER.list_location(actor, matter_id, server_id, replace(location, steps=way)).containers
        way += (next(row.step for row in rows if row.step.name == name),)
    listing = PICKER.list_location(actor, matter_id, server_id, Location(way))
    selection = PICKER.collect(actor, matter_id, server_id, Location(way))
    assert {row.id for row in listing.documents} == {id for id, _, _ in selection.documents}
    practice.forget_requests()

    (id, name, called), *_ = selection.documents
    command = GetCommand(uuid.uuid4(), matter_id, server_id, (id,), called=(called,))
    (item,) = carry_all(requests.start_get(actor, command))
    assert (item.state, item.name) == ("done", name)
    assert [call.path.rpartition("/")[2] for call in practice.requests] == ["download"], (
        "The row is its profile."
    )
    document_id = desk.add_document("Deed.docx", uuid.uuid4().bytes)
    (item,) = carry_all(save(desk, document_id, "new_document", way[-1].id))
    assert item.state == "done"
