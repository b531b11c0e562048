"""Processes that stop, hang or meet each other (28 to 30), and people who change their minds meanwhile (37 to 39)."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable

import pytest
from flask import current_app

from models import Participant, Server, ServerMember, db
from services import (
    saving_many,
    transfer_control,
    transfer_work,
    transfers,
)
from services.saving_many import SaveManyCommand
from services.transfer_states import DONE, FAILED, STOPPED
from services.transfers import GetCommand
from services.unit import unit
from tests.faults.matrix import cells
from tests.faults.scenario import NEW_DOCUMENT, Cell
from tests.faults.scene import Scene


def watched(scene: Scene, change: Callable[[], object]) -> None:
    """Carry while iManage dawdles over the document, and change something meanwhile."""
    # What asks the rows between two chunks does so after a second.
    fault = (
        scene.dial("stall", at=50_000, seconds=0.3, times=1)
        if scene.is_get
        else scene.dial("slow", seconds=0.3, times=1)
    )
    app = current_app._get_current_object()
    failed: list[BaseException] = []

    def watch() -> None:
        with app.app_context():
            try:
                deadline = time.monotonic() + 5
                while time.monotonic() < deadline and not scene.practice.faults.struck(fault):
                    time.sleep(0.005)
                change()
            except BaseException as error:
                failed.append(error)
            finally:
                db.session.remove()

    thread = threading.Thread(target=watch)
    thread.start()
    scene.carry(scene.items[0])
    thread.join(10)
    assert not failed, failed


def server_off(scene: Scene) -> None:
    with unit() as writing:
        writing.get_one(Server, scene.desk.server.id).is_enabled = False


def member_removed(scene: Scene) -> None:
    """The server is for those on its list now, and she is not on it."""
    with unit() as writing:
        writing.get_one(Server, scene.desk.server.id).is_restricted = True
        place = writing.get(ServerMember, (scene.desk.server.id, scene.desk.actor.id))
        if place is not None:
            writing.delete(place)


def matter_left(scene: Scene) -> None:
    with unit() as writing:
        writing.get_one(Participant, (scene.desk.matter_id, scene.desk.actor.id)).role = "viewer"


CHANGES = {"server-off": server_off, "member-removed": member_removed, "matter-left": matter_left}


@pytest.mark.parametrize(
    "cell", [each for each in cells("process") if each.scenario.fault == 37], ids=lambda c: c.id
)
def test_no_longer_allowed(cell: Cell, scene: Scene) -> None:
    """What was on its way is complete or is not kept; nothing more begins."""
    scene.prepare()
    scene.begin()
    watched(scene, lambda: CHANGES[cell.scenario.name](scene))
    scene.practice.faults.clear()
    asked = len(scene.practice.requests)
    scene.carry_on()
    assert set(scene.states()) <= {DONE, STOPPED, FAILED}
    assert set(scene.states()[1:]) <= {STOPPED}
    assert len(scene.practice.requests) - asked <= 0, "iManage was asked again"
    scene.words_are_plain()
    scene.sides_agree()


@pytest.mark.parametrize(
    "cell", [each for each in cells("process") if each.scenario.fault == 38], ids=lambda c: c.id
)
def test_cancelled_as_it_ends(cell: Cell, scene: Scene) -> None:
    scene.prepare()
    scene.begin()
    watched(scene, lambda: transfer_control.cancel(scene.desk.actor, scene.transfer))
    scene.carry_on()
    assert set(scene.states()) <= {DONE, STOPPED}
    scene.words_are_plain()
    scene.sides_agree()
    scene.asked_politely()


@pytest.mark.parametrize(
    "cell", [each for each in cells("process") if each.scenario.fault == 28], ids=lambda c: c.id
)
def test_told_to_stop(cell: Cell, scene: Scene) -> None:
    """It hands back at the next chunk, and the next process goes on."""
    scene.prepare()
    scene.begin()
    try:
        watched(scene, transfer_work.stop_this_process)
        scene.words_are_plain_or_waiting()
    finally:
        transfer_work._stopping.clear()
    scene.practice.faults.clear()
    scene.carry_on()
    assert set(scene.states()) == {DONE}
    scene.sides_agree()
    scene.asked_politely()


@pytest.mark.parametrize(
    "cell", [each for each in cells("process") if each.scenario.fault in (29, 30)], ids=lambda c: c.id
)
def test_two_at_one_item(cell: Cell, scene: Scene) -> None:
    """A second worker takes the item over while the first has it: the first one writes and sends nothing more."""
    scene.prepare()
    scene.begin()
    other = transfer_work.carry if cell.scenario.fault == 29 else transfer_work.claim
    watched(scene, lambda: other(scene.items[0]))
    scene.practice.faults.clear()
    scene.carry_on()
    assert set(scene.states()) == {DONE}
    scene.words_are_plain()
    scene.sides_agree()


@pytest.mark.parametrize(
    "cell", [each for each in cells("process") if each.scenario.fault == 39], ids=lambda c: c.id
)
def test_sent_twice(cell: Cell, scene: Scene) -> None:
    scene.prepare()
    key = uuid.uuid4()
    desk = scene.desk

    def start() -> uuid.UUID:
        if scene.is_get:
            return transfers.start_get(
                desk.actor, GetCommand(key, desk.matter_id, desk.server.id, tuple(scene.twins))
            )
        command = SaveManyCommand(
            key,
            desk.matter_id,
            desk.server.id,
            tuple(scene.documents),
            onto_twins=scene.kind != NEW_DOCUMENT,
            folder_id=scene.folder.id,
        )
        return saving_many.start(desk.actor, command)

    scene.begin_by(lambda: together(start))
    scene.carry_on()
    assert set(scene.states()) == {DONE}
    assert len(scene.items) == scene.count
    scene.sides_agree()


def together(start: Callable[[], uuid.UUID]) -> uuid.UUID:
    """Two requests at one moment; both lead to the same transfer, or the later one is told so."""
    app = current_app._get_current_object()
    barrier, found, refused = threading.Barrier(2), [], []

    def press() -> None:
        with app.app_context():
            barrier.wait()
            try:
                found.append(start())
            except Exception as error:
                refused.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=press) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(10)
    assert not refused, refused
    assert len(set(found)) == 1
    return found[0]
