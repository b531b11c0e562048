"""A transfer loses its permission, its server or its rows while it runs (37)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Delete, delete, select

from models import Document, Matter, Participant, Transfer, TransferItem
from services.connections import disconnecting
from services.core.actor import Actor
from services.core.unit_of_work import session, unit_of_work
from services.execution import queue
from services.matters import participants
from services.members import offboarding
from services.servers import registry, removal, restriction
from services.servers.restriction import RestrictionChange
from services.transfers.states import ItemState
from tests.faults.matrix import cells
from tests.faults.meanwhile import lingering, watched
from tests.faults.scenario import Cell
from tests.faults.scene import Scene
from tests.support.people import actor_of, make_member
from tests.support.practice import sign_in_to_imanage
from tests.support.transfers import links, sha256, versions


def of(*names: str) -> list[Cell]:
    return [each for each in cells("gone") if each.scenario.name in names]


def an_admin() -> Actor:
    return actor_of(make_member("Admin Ada", is_admin=True))


def another_lead(scene: Scene) -> Actor:
    lead = make_member("Partner Pim")
    with unit_of_work() as writing:
        writing.add(Participant(matter_id=scene.desk.matter_id, member_id=lead.id, role="lead"))
    return actor_of(lead)


def server_off(scene: Scene) -> Callable[[], object]:
    admin = an_admin()
    return lambda: registry.set_enabled(admin, scene.server_id, False)


def server_removed(scene: Scene) -> Callable[[], object]:
    admin, name = an_admin(), scene.desk.server.name
    return lambda: removal.remove(admin, scene.server_id, name)


def member_unlisted(scene: Scene) -> Callable[[], object]:
    """The server is now restricted to members that do not include this one."""
    admin = an_admin()
    now = restriction.restriction(admin, scene.server_id).version
    return lambda: restriction.save(admin, scene.server_id, RestrictionChange(True, (), now))


def member_deactivated(scene: Scene) -> Callable[[], object]:
    admin = an_admin()
    return lambda: offboarding.deactivate(admin, scene.desk.actor.id)


def role_lowered(scene: Scene) -> Callable[[], object]:
    lead = another_lead(scene)
    return lambda: participants.change_role(lead, scene.desk.matter_id, scene.desk.actor.id, "viewer")


def matter_left(scene: Scene) -> Callable[[], object]:
    lead = another_lead(scene)
    return lambda: participants.remove(lead, scene.desk.matter_id, scene.desk.actor.id)


CHANGES: dict[str, Callable[[Scene], Callable[[], object]]] = {
    "server-off": server_off,
    "server-removed": server_removed,
    "member-removed": member_unlisted,
    "member-deactivated": member_deactivated,
    "role-lowered": role_lowered,
    "matter-left": matter_left,
}


@pytest.mark.parametrize("cell", of(*CHANGES), ids=lambda cell: cell.id)
def test_no_longer_allowed(cell: Cell, scene: Scene) -> None:
    """A download ends at its next chunk, what iManage has stored is recorded, and nothing more starts."""
    scene.prepare()
    scene.begin()
    watched(scene, CHANGES[cell.scenario.name](scene), lingering)
    scene.practice.faults.clear()
    asked = len(scene.practice.requests)
    scene.carry_on()
    server_is_gone = cell.scenario.name == "server-removed"
    stored = ItemState.FAILED if server_is_gone else ItemState.DONE
    assert scene.states() == [ItemState.STOPPED if scene.is_get else stored] + [ItemState.STOPPED] * (
        scene.count - 1
    )
    assert len(scene.practice.requests) == asked, "iManage was asked again"
    scene.words_are_plain()
    scene.sides_agree()
    if not scene.is_get:
        assert scene.there(sha256(scene.contents[0])) == 1


@pytest.mark.parametrize("cell", of("signed-out"), ids=lambda cell: cell.id)
def test_signed_out(cell: Cell, scene: Scene) -> None:
    """The member disconnects iManage: the current item completes, the rest waits until they sign in again."""
    scene.prepare()
    scene.begin()
    watched(scene, lambda: disconnecting.disconnect(scene.desk.actor, scene.server_id))
    scene.practice.faults.clear()
    scene.carry_on()
    assert set(scene.states()) <= {ItemState.DONE, ItemState.NEEDS_SIGN_IN}
    assert scene.states()[1:] == [ItemState.NEEDS_SIGN_IN] * (scene.count - 1)
    scene.words_are_plain()
    sign_in_to_imanage(scene.desk.browser, scene.server_id)
    scene.carry_on()
    assert set(scene.states()) == {ItemState.DONE}
    scene.sides_agree()
    scene.asked_politely()


@pytest.mark.parametrize("cell", of("document-gone"), ids=lambda cell: cell.id)
def test_document_gone(cell: Cell, scene: Scene) -> None:
    """A document's rows are deleted in the database: a get creates it again, a save has nothing to link to."""
    scene.prepare()
    scene.begin()
    if scene.is_get:
        scene.carry_on()
        scene.begin()
    watched(scene, lambda: _clear_out(delete(Document).where(Document.matter_id == scene.desk.matter_id)))
    scene.practice.faults.clear()
    scene.carry_on()
    scene.words_are_plain()
    if scene.is_get:
        assert set(scene.states()) == {ItemState.DONE}
    else:
        assert scene.states() == [ItemState.DONE] + [ItemState.STOPPED] * (scene.count - 1)
        assert not versions() and not links()
        assert {item.error_code for item in scene.rows()[1:]} <= {"document.gone"}
    scene.sides_agree(is_linked=scene.is_get)
    scene.asked_politely()


def _clear_out(statement: Delete) -> None:
    with unit_of_work() as writing:
        writing.execute(statement)


@pytest.mark.parametrize("cell", of("matter-gone"), ids=lambda cell: cell.id)
def test_matter_gone(cell: Cell, scene: Scene) -> None:
    """The same with a whole matter: its transfers are deleted with it, and iManage gets no more calls."""
    scene.prepare()
    scene.begin()
    watched(scene, lambda: _clear_out(delete(Matter).where(Matter.id == scene.desk.matter_id)), lingering)
    scene.practice.faults.clear()
    asked = len(scene.practice.requests)
    for item in scene.items:
        scene.run(item)
    assert len(scene.practice.requests) == asked, "iManage was asked again"
    assert not queue.due(500)
    session().rollback()
    for table in (Transfer, TransferItem, Document):
        assert not session().scalars(select(table)).all()
    assert scene.desk.browser.get(f"/transfers/{scene.transfer}").status_code == 404
    scene.store_is_clean()
    for n, content in enumerate(scene.contents):
        there = scene.there(sha256(content))
        assert there == (0 if scene.is_get or n else 1), f"document {n} is in iManage {there} times"
