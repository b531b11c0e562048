"""A firm moves its iManage: the same documents under the same numbers, on another server, in other libraries."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import select

from models import Link, Member, Repoint, Server
from services.core.actor import Actor
from services.core.errors import RemoteRefusedError
from services.core.unit_of_work import session
from services.server_admin import repoint_preview
from services.server_admin.repoint_preview import PreviewCommand
from services.transfers import update_check
from simulator import Fault, Inline, Security, Simulator
from tests.support.pages import Browser
from tests.support.people import actor_of
from tests.support.practice import moved_world, practice_server, reached, sign_in_to_imanage
from tests.support.transfers import Desk, add_version, carry_all, got_document, save

PAGE = "/admin/integrations/imanage"
RENAMED = {"Active": "Legal", "Knowledge": "Know-how"}
LIBRARIES = {"active": "Legal"}
NAME = "SPA – Project Heron"


@pytest.fixture
def cloud(practice: Simulator) -> Iterator[Simulator]:
    """The server that the firm moves to."""
    with Simulator(moved_world(RENAMED)) as running, reached(running):
        yield running


class Move:
    def __init__(self, desk: Desk, cloud: Simulator, admin: Browser, actor: Actor) -> None:
        self.desk, self.cloud, self.browser, self.actor = desk, cloud, admin, actor
        self.old_id = desk.server.id
        self.new_id = practice_server(cloud, "Cloud").id

    def preview(self) -> uuid.UUID:
        return repoint_preview.start(self.actor, self.old_id, PreviewCommand(self.new_id, LIBRARIES))

    def outcomes(self) -> dict[str, str]:
        row = session().get_one(Repoint, self.preview())
        return {each["id"]: each["outcome"] for each in row.samples}


@pytest.fixture
def move(desk: Desk, cloud: Simulator, ada_browser: Browser, ada: Member) -> Move:
    got_document(desk, NAME)
    moving = Move(desk, cloud, ada_browser, actor_of(ada))
    sign_in_to_imanage(ada_browser, moving.new_id, "BRAM")
    cloud.forget_requests()
    return moving


def test_the_whole_way(move: Move) -> None:
    """The page names both libraries, the samples agree, and afterwards members work on the new server."""
    page = move.browser.page(f"{PAGE}/{move.old_id}/re-point?to={move.new_id}")
    assert "Legal" in page.html and "Know-how" in page.html
    form = {"target": str(move.new_id), "old": "active", "new": "Legal"}
    answer = move.browser.post(f"{PAGE}/{move.old_id}/re-point", form)
    assert answer.status_code == 303
    page = move.browser.page(answer.headers["Location"])
    assert "Re-point 1 link" in page.text and "Agrees 1 of 1 (100%)" in page.text
    assert {call.method for call in move.cloud.requests} == {"GET"}
    assert move.browser.post(answer.headers["Location"], {}).status_code == 303

    desk, alice = move.desk, move.desk.browser
    sign_in_to_imanage(alice, move.new_id, "ALICE")
    assert "Not checked" in alice.page(f"/matters/{desk.matter_id}").text
    assert "Same" in update_check.check(desk.actor, desk.matter_id).sentence
    (link,) = session().scalars(select(Link))
    twin = move.cloud.world.named(NAME, "Legal")
    assert f"{link.library}!{link.number}.{link.version}" == twin.id()
    assert link.url.startswith(move.cloud.url)

    add_version(desk, link.document_id, b"The next version")
    moved = replace(desk, server=session().get_one(Server, move.new_id))
    (item,) = carry_all(save(moved, link.document_id, "new_version", twin.id()))
    assert item.state == "done"
    assert len(move.cloud.world.named(NAME, "Legal").versions) == len(twin.versions) + 1
    assert len(move.desk.practice.world.named(NAME, "Active").versions) == len(twin.versions)


def test_samples_tell_what_is_there(move: Move) -> None:
    world = move.cloud.world
    twin = world.named(NAME, "Legal")
    assert move.outcomes() == {twin.id(): "agrees"}
    changed = replace(twin.latest, content=Inline(b"another document"))
    world.put_document(replace(twin, versions=(*twin.versions[:-1], changed)))
    assert move.outcomes() == {twin.id(): "differs"}
    world.put_document(replace(twin, security=Security("private")))
    assert move.outcomes()[twin.id()] in {"forbidden", "missing"}  # as the server answers for a private one
    world.remove_document(twin)
    assert move.outcomes() == {twin.id(): "missing"}


@pytest.mark.parametrize("checksum", ["absent", "md5"])
def test_a_server_without_our_checksum_is_not_compared(move: Move, checksum: str) -> None:
    move.cloud.settings.update({"checksum": checksum})
    assert set(move.outcomes().values()) == {"unknown"}


def test_the_new_server_fails(move: Move) -> None:
    move.cloud.faults.add(Fault("status", status=503, path="/documents/", times=None))
    with pytest.raises(RemoteRefusedError):
        move.preview()
    form = {"target": str(move.new_id), "old": "active", "new": "Legal"}
    answer = move.browser.post(f"{PAGE}/{move.old_id}/re-point", form)
    assert answer.status_code == 502
    assert session().scalars(select(Repoint)).all() == []


def test_without_a_sign_in_the_page_offers_it(desk: Desk, cloud: Simulator, ada_browser: Browser) -> None:
    got_document(desk, NAME)
    new_id = practice_server(cloud, "Cloud").id
    page = ada_browser.page(f"{PAGE}/{desk.server.id}/re-point?to={new_id}")
    assert "Sign in to iManage" in page.text and f"/connect/{new_id}" in page.html
