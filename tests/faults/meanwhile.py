"""Changes during a transfer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from flask import current_app

from models import db
from simulator import Fault
from tests.faults.scene import Scene


def dawdling(scene: Scene) -> Fault:
    """Make the transfer last for a moment."""
    if scene.is_get:
        return scene.dial("stall", at=50_000, seconds=0.3, times=1)
    return scene.dial("slow", seconds=0.3, times=1)


def lingering(scene: Scene) -> Fault:
    """Make a download last longer than a second, after which the rows are checked between two chunks."""
    if scene.is_get:
        return scene.dial("trickle", at=50_000, rate=100_000, times=1)
    return dawdling(scene)


def watched(scene: Scene, change: Callable[[], object], slow: Callable[[Scene], Fault] = dawdling) -> None:
    """Run the first item, and change something while iManage is slow."""
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
