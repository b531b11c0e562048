"""The object store's faults (49): a real S3 server, behind a proxy that refuses, delays, cuts, changes or answers."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from services.core import runtime
from services.transfers import control
from services.transfers.states import ItemState
from storage import opening
from tests.faults.cases import of_kind
from tests.faults.matrix import cells
from tests.faults.scenario import GET, Cell
from tests.faults.scene import Scene
from tests.support import stores
from tests.support.fault_proxy import Answer, FaultProxy, Harm, fault_proxy
from tests.support.transfers import sha256

PUT, HEAD, READ = rb"PUT |POST ", rb"HEAD ", rb"GET "
SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
FAULT = b"<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>"
NO_BUCKET = b"<Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist.</Message></Error>"
ABSENT = {GET: ItemState.WAITING, "save": ItemState.FAILED}
"""A get resumes; a save without its content has nothing to send."""


@dataclass
class Bucket:
    """An S3 server, the proxy to it, and the requests."""

    port: int
    line: FaultProxy
    spool: Path
    prefix: str

    def bind(self, **more: str) -> None:
        store = stores.bucket(self.line.port, self.spool, prefix=self.prefix, **more)
        runtime.bind(replace(runtime.runtime(), blobs=store))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("s3")
    with stores.seaweed(folder / "weed") as port:
        stores.bucket(port, folder / "spool")
        yield port


@pytest.fixture
def bucket(server: int, scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """Documents are in a separate prefix behind the proxy, with short timeouts."""
    monkeypatch.setattr(opening, "REQUEST_TIMEOUT", timedelta(seconds=0.5))
    monkeypatch.setattr(opening, "MAX_RETRIES", 2)
    usual = runtime.runtime()
    with fault_proxy(("127.0.0.1", server)) as line:
        found = Bucket(server, line, tmp_path / "spool", uuid.uuid4().hex)
        found.bind()
        yield found
        runtime.bind(usual)


def answers(status: str, body: bytes = b"", **more: object) -> Callable[[Bucket], None]:
    def breaks(bucket: Bucket) -> None:
        bucket.line.cut_all()
        bucket.line.answer = Answer(status, body, **more)

    return breaks


def harms(**more: object) -> Callable[[Bucket], None]:
    def breaks(bucket: Bucket) -> None:
        bucket.line.harm = Harm(**more)

    return breaks


def slow(bucket: Bucket) -> None:
    """Slower than the other tests' timeout, so this one has a longer one."""
    opening.REQUEST_TIMEOUT = timedelta(seconds=10)
    bucket.bind()
    bucket.line.delay = 0.2


def silent(bucket: Bucket) -> None:
    bucket.line.cut_all()
    bucket.line.is_silent = True


@dataclass(frozen=True)
class Case:
    """The fault, the state of the first item, and the final state once the store works again."""

    breaks: Callable[[Bucket], None]
    first: str | dict[str, str]
    end: str | dict[str, str] = ItemState.DONE
    size: int = 200_000


CASES = {
    "store-slow": Case(slow, ItemState.DONE),
    "store-silent": Case(silent, ItemState.WAITING),
    "store-refuses": Case(lambda bucket: bucket.line.refuse(), ItemState.WAITING),
    "store-500": Case(answers("500 Internal Server Error", FAULT), ItemState.WAITING),
    "store-503": Case(answers("503 Slow Down", SLOW_DOWN), ItemState.WAITING),
    "store-503-once": Case(answers("503 Slow Down", SLOW_DOWN, times=1), ItemState.DONE),
    "store-put-reset": Case(harms(what=PUT), ItemState.WAITING),
    "store-put-reset-large": Case(harms(what=PUT), ItemState.WAITING, size=20 << 20),
    "store-put-changed": Case(harms(what=PUT, how="change", times=1), ItemState.WAITING),
    "store-put-forgotten": Case(answers("200 OK", what=PUT), ItemState.WAITING),
    "store-read-reset": Case(harms(what=READ, is_down=True), ItemState.WAITING),
    "store-read-changed": Case(
        harms(what=READ, is_down=True, how="change"), ItemState.FAILED, ItemState.FAILED
    ),
    "store-denied": Case(lambda bucket: bucket.bind(secret="changed since"), ItemState.WAITING),
    "bucket-gone": Case(answers("404 Not Found", NO_BUCKET), ABSENT, ABSENT),
}


@pytest.mark.parametrize("cell", cells("store"), ids=lambda cell: cell.id)
def test_object_store(cell: Cell, scene: Scene, bucket: Bucket) -> None:
    """The transfer waits with a reason, and resumes when the store works; no damaged content is published or sent."""
    case = CASES[cell.scenario.name]
    scene.prepare(case.size)
    scene.begin()
    case.breaks(bucket)
    first = scene.carry_once()[0]
    assert first.state in of_kind(case.first, scene.kind), (
        first.state,
        first.error_code,
        first.error_sentence,
    )
    scene.words_are_plain()
    bucket.line.mend()
    bucket.bind()
    scene.carry_on()
    ends = of_kind(case.end, scene.kind) - {ItemState.WAITING} or {ItemState.DONE}
    assert set(scene.states()) <= ends, [(row.state, row.error_sentence) for row in scene.rows()]
    scene.words_are_plain()
    scene.sides_agree()
    scene.asked_politely()
    if ItemState.FAILED in ends:
        assert not any(scene.there(sha256(content)) for content in scene.contents)
        before = scene.before
        scene.begin_by(lambda: control.retry_failed(scene.desk.actor, scene.transfer, uuid.uuid4()))
        scene.before = before
        scene.carry_on()
        assert set(scene.states()) == {ItemState.DONE}
        scene.sides_agree()
