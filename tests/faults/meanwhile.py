"""Something happens while a document moves."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from flask import current_app

from models import db
from simulator import Fault
from tests.faults.scene import Scene


def dawdling(scene: Scene) -> Fault:
    """The document is on its way for a moment."""
    if scene.is_get:
        return scene.dial("stall", at=50_000, seconds=0.3, times=1)
    return scene.dial("slow", seconds=0.3, times=1)


def lingering(scene: Scene) -> Fault:
    """A download takes so long that the rows are asked between two of its chunks, which they are after a second."""
    if scene.is_get:
        return scene.dial("trickle", at=50_000, rate=100_000, times=1)
    return dawdling(scene)


def watched(scene: Scene, change: Callable[[], object], slow: Callable[[Scene], Fault] = dawdling) -> None:
    """Carry the first document, and change something while iManage dawdles over it."""
    fault = slow(scene)
    app = current_app._get_current_object()
    failed: list[BaseException] = []

    def watch() -> None:
        with app.app_context():
            try:
                deadline = time.monotonic() + 5
                while time.monotonic() < deadline and not scene.practice.faults.times_applied(fault):
                    time.sleep(0.005)
                change()
            except BaseException as error:
                failed.append(error)
            finally:
                db.session.remove()

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        scene.run(scene.items[0])
    finally:
        thread.join(20)
    assert not failed, failed
