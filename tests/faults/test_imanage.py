"""iManage's responses and changes (65 to 82): refusals, waits, and concurrent changes by others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from copying import imanage_endpoint
from services.transfers.states import ItemState
from simulator.values import Lock
from tests.faults.cases import Case, play
from tests.faults.matrix import cells
from tests.faults.scenario import GET, NEW_VERSION, Cell
from tests.faults.scene import Scene
from tests.support.transfers import sha256

LOOKED = {GET: ItemState.WAITING, "save": ItemState.RESOLVING}


def dial(kind: str, **more: object) -> Callable[[Scene], object]:
    return lambda scene: scene.dial(kind, **more)


def refused(status: int, **more: object) -> Case:
    """A permanent refusal."""
    return Case(dial("status", status=status, **more), ItemState.FAILED, ItemState.FAILED)


def turned(**dials: object) -> Callable[[Scene], object]:
    return lambda scene: scene.practice.settings.update(dials)


def checked_out(scene: Scene) -> None:
    for twin in scene.twins:
        document = scene.document(twin)
        scene.practice.world.set_lock(document, Lock("CAROL", document.versions[0].created))


def grow(scene: Scene) -> None:
    for n, twin in enumerate(scene.twins):
        scene.practice.world.add_version(scene.document(twin), b"theirs %d" % n, "CAROL")
        scene.theirs.add(sha256(b"theirs %d" % n))


def meanwhile(path: str, change: Callable[[Scene], object]) -> Callable[[Scene], None]:
    """iManage is slow with a call, and someone else makes a change meanwhile."""

    def breaks(scene: Scene) -> None:
        fault = scene.dial("slow", where=path, times=1, seconds=0.3)

        def watch() -> None:
            deadline = time.monotonic() + 5
            while time.monotonic() < deadline and not scene.practice.faults.times_applied(fault):
                time.sleep(0.005)
            change(scene)

        threading.Thread(target=watch, daemon=True).start()

    return breaks


def by_another(scene: Scene) -> None:
    """Someone else saves the same content, and our response is lost."""
    scene.dial("lost_after")
    world = scene.practice.world
    for n, content in enumerate(scene.contents):
        if scene.twins:
            continue
        world.add_document(scene.folder, f"Deed {n}", "docx", content, "CAROL")


def same_names(scene: Scene) -> None:
    for n in range(scene.count):
        scene.practice.world.add_document(scene.folder, f"Deed {n}", "docx", b"another", "CAROL")


def remove_folder(scene: Scene) -> None:
    scene.practice.world.remove_folder(scene.folder)


def remove_twins(scene: Scene) -> None:
    for twin in scene.twins:
        scene.practice.world.remove_document(scene.document(twin))


def keeps_growing(scene: Scene) -> None:
    """More than a page of documents, with others added while they are read after a lost response."""
    add = scene.practice.world.add_document
    for n in range(510):
        add(scene.folder, f"Before {n}", "txt", b"before", "CAROL")
    scene.dial("lost_after")
    scene.most_requests = 48  # six pages, up to three reads when they change, before and after the upload
    scene.theirs.add(sha256(b"meanwhile"))

    def grow_on() -> None:
        for n in range(30):
            add(scene.folder, f"Meanwhile {n}", "txt", b"meanwhile", "CAROL")
            time.sleep(0.01)

    meanwhile("/documents$", lambda _scene: grow_on())(scene)


MOVED = {GET: ItemState.DONE, NEW_VERSION: ItemState.NEEDS_DECISION}
CASES: dict[str, Case] = {
    "401-live": Case(dial("status", status=401, times=1), ItemState.DONE),
    "wall": refused(403, where="asking"),
    "wall-on-content": refused(403),
    "no-record": refused(404, where="asking", code="NRC_NO_RECORD"),
    "checked-out": Case(checked_out, MOVED, MOVED),
    "conflict-on-content": refused(409),
    "too-large": Case(turned(max_upload_bytes=1000), ItemState.FAILED, ItemState.FAILED),
    "415": refused(415),
    "required-field": refused(422, field="custom1", message="A value is required"),
    "invalid-param": refused(400, code="NRC_INVALID_PARAM"),
    "throttled-reset": Case(dial("throttle", where="asking", reset=40), ItemState.WAITING),
    "throttled-retry-after": Case(dial("throttle", where="asking", retry_after=40), ItemState.WAITING),
    "throttled-both": Case(dial("throttle", where="asking", reset=40, retry_after=50), ItemState.WAITING),
    "throttled-silent": Case(dial("throttle", where="asking", times=1), (ItemState.WAITING, ItemState.DONE)),
    "throttled-content": Case(dial("throttle", reset=40), ItemState.WAITING),
    "500": Case(dial("status", status=500), LOOKED),
    "502": Case(dial("status", status=502, html=True), LOOKED),
    "503": Case(dial("status", status=503, html=True), LOOKED),
    "504": Case(dial("status", where="asking", status=504, html=True), ItemState.WAITING),
    "other-customer": Case(turned(customer_id=777), ItemState.FAILED, ItemState.FAILED),
    "library-hidden": refused(404, where="/libraries/Active/"),
    "grew-before": Case(grow, MOVED, MOVED),
    "grew-between": Case(meanwhile("/versions", grow), MOVED, MOVED),
    "same-bytes-by-another": Case(
        by_another, (ItemState.DONE, ItemState.NEEDS_DECISION), (ItemState.DONE, ItemState.NEEDS_DECISION)
    ),
    "empty": Case(
        lambda scene: None,
        ItemState.FAILED,
        ItemState.FAILED,
        size=0,
        refused="None of these can be saved this way.",
    ),
    "no-checksum": Case(turned(checksum="absent"), ItemState.DONE),
    "no-checksum-answer-lost": Case(
        lambda scene: (turned(checksum="absent")(scene), scene.dial("lost_after")), ItemState.DONE
    ),
    "wrong-checksum": Case(
        turned(checksum="wrong"),
        {GET: ItemState.WAITING, "save": ItemState.NEEDS_DECISION},
        {GET: ItemState.FAILED, "save": ItemState.NEEDS_DECISION},
    ),
    "same-name": Case(same_names, ItemState.DONE),
    "folder-deleted": Case(remove_folder, ItemState.FAILED, ItemState.FAILED),
    "document-deleted": Case(remove_twins, ItemState.FAILED, ItemState.FAILED),
    "name-changed": Case(turned(name_rule="replace", name_max=3), ItemState.DONE),
    "paging": Case(keeps_growing, (ItemState.DONE, ItemState.RESOLVING)),
}


@pytest.mark.parametrize("cell", cells("imanage"), ids=lambda cell: cell.id)
def test_imanage(cell: Cell, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imanage_endpoint, "FOLDER_PAGE", 100)
    play(scene, CASES[cell.scenario.name])
