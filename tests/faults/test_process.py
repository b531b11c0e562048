"""Processes that stop, hang or compete (28 to 30), and members who cancel or press twice (38, 39)."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable

import pytest
from flask import current_app

from models import db
from services.execution import steps
from services.transfers import bulk_save, control, requests
from services.transfers.bulk_save import SaveManyCommand
from services.transfers.requests import GetCommand, sources_of
from services.transfers.states import ItemState
from tests.faults.matrix import cells
from tests.faults.meanwhile import watched
from tests.faults.scenario import NEW_DOCUMENT, Cell
from tests.faults.scene import Scene
from tests.support.transfers import begin, carry_out


@pytest.mark.parametrize(
    "cell", [each for each in cells("process") if each.scenario.fault == 38], ids=lambda c: c.id
)
def test_cancelled_as_it_ends(cell: Cell, scene: Scene) -> None:
    scene.prepare()
    scene.begin()
    watched(scene, lambda: control.cancel(scene.desk.actor, scene.transfer))
    scene.carry_on()
    assert set(scene.states()) <= {ItemState.DONE, ItemState.STOPPED}
    scene.words_are_plain()
    scene.sides_agree()
    scene.asked_politely()


@pytest.mark.parametrize(
    "cell", [each for each in cells("process") if each.scenario.fault == 28], ids=lambda c: c.id
)
def test_told_to_stop(cell: Cell, scene: Scene) -> None:
    """It releases its items at the next chunk, and the next process resumes them."""
    scene.prepare()
    scene.begin()
    try:
        watched(scene, steps.stop_this_process)
        scene.words_are_plain_or_waiting()
    finally:
        steps._stopping.clear()
    scene.practice.faults.clear()
    scene.carry_on()
    assert set(scene.states()) == {ItemState.DONE}
    scene.sides_agree()
    scene.asked_politely()


@pytest.mark.parametrize(
    "cell", [each for each in cells("process") if each.scenario.fault in (29, 30)], ids=lambda c: c.id
)
def test_two_at_one_item(cell: Cell, scene: Scene) -> None:
    """A second worker takes over an item of the first: the first one writes and sends nothing more."""
    scene.prepare()
    scene.begin()
    other = carry_out if cell.scenario.fault == 29 else begin
    watched(scene, lambda: other(scene.items[0]))
    scene.practice.faults.clear()
    scene.carry_on()
    assert set(scene.states()) == {ItemState.DONE}
    scene.words_are_plain()
    scene.sides_agree()


@pytest.mark.parametrize(
    "cell", [each for each in cells("process") if each.scenario.fault == 39], ids=lambda c: c.id
)
def test_sent_twice(cell: Cell, scene: Scene) -> None:
    scene.prepare()
    key = uuid.uuid4()
    desk, server_id = scene.desk, scene.server_id

    def start() -> uuid.UUID:
        if scene.is_get:
            return requests.start_get(
                desk.actor, GetCommand(key, desk.matter_id, server_id, sources_of(scene.twins))
            )
        command = SaveManyCommand(
            key,
            desk.matter_id,
            server_id,
            tuple(scene.documents),
            onto_twins=scene.kind != NEW_DOCUMENT,
            folder_id=scene.folder.id,
        )
        return bulk_save.start(desk.actor, command)

    scene.begin_by(lambda: together(start))
    scene.carry_on()
    assert set(scene.states()) == {ItemState.DONE}
    assert len(scene.items) == scene.count
    scene.sides_agree()


def together(start: Callable[[], uuid.UUID]) -> uuid.UUID:
    """Two concurrent requests lead to the same transfer, or the later one is refused."""
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
