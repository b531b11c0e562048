"""Getting from iManage with faults on: whole and proved, or nothing at all."""

import hashlib
import multiprocessing
import time
import tracemalloc
from datetime import timedelta

import pytest

from copying.copy import fetch
from copying.errors import CutShortError, DifferentContentError, StoppedError
from copying.retry import GiveUp, SignIn, Wait, decide
from copying.values import Progress
from imanage.errors import CutStreamError, UnauthorisedError
from simulator import Fault, Generated
from tests.contracts.copying.conftest import LARGE, Desk


def whole(desk: Desk) -> bytes:
    return b"".join(desk.document("Plans").latest.content.blocks())


def get(desk: Desk) -> list[Progress]:
    """One attempt; what it reported."""
    seen: list[Progress] = []
    fetch(desk.source("Plans"), desk.store, "item", on_progress=seen.append)
    return seen


def assert_got(desk: Desk) -> None:
    (blob,) = desk.store.blobs()
    assert blob.size == LARGE
    assert blob.sha256 == hashlib.sha256(whole(desk)).hexdigest()
    desk.store.verify(blob.sha256)
    assert desk.store.sweep(timedelta(0)) == 0


def test_two_requests_make_a_get(desk: Desk) -> None:
    source = desk.source("Plans")
    before = len(desk.sim.requests)
    fetched = fetch(source, desk.store, "item")
    assert len(desk.sim.requests) - before == 2
    assert (fetched.facts.name, fetched.facts.extension, fetched.facts.size) == ("Plans", "pdf", LARGE)
    assert source.document is not None
    assert_got(desk)


@pytest.mark.parametrize("how", ["reset", "close"])
@pytest.mark.parametrize("fraction", [0.01, 0.5, 0.999])
def test_a_cut_stream_is_resumed_by_range(desk: Desk, how: str, fraction: float) -> None:
    desk.sim.faults.add(Fault("cut", path="/download", fraction=fraction, how=how))
    with pytest.raises(CutStreamError) as cut:
        get(desk)
    assert isinstance(decide(cut.value, 1), Wait)
    assert list(desk.store.blobs()) == []
    with desk.store.partial("item") as partial:
        kept = partial.size
    seen = get(desk)
    assert seen[0] == Progress(kept, LARGE)
    assert desk.calls("GET", "/download")[-1].bytes_out == LARGE - kept
    assert_got(desk)


def test_a_cut_stream_starts_again_where_there_is_no_range(desk: Desk) -> None:
    desk.sim.settings.range_supported = False
    desk.sim.faults.add(Fault("cut", path="/download", fraction=0.6))
    with pytest.raises(CutStreamError):
        get(desk)
    seen = get(desk)
    assert seen[0] == Progress(0, LARGE)
    assert desk.calls("GET", "/download")[-1].bytes_out == LARGE
    assert_got(desk)


def test_without_a_checksum_nothing_is_pieced_together(desk: Desk) -> None:
    desk.sim.settings.checksum = "absent"
    desk.sim.faults.add(Fault("cut", path="/download", fraction=0.6))
    with pytest.raises(CutStreamError):
        get(desk)
    assert get(desk)[0] == Progress(0, LARGE)
    assert_got(desk)


def test_a_wrong_checksum_is_never_published_and_soon_given_up(desk: Desk) -> None:
    desk.sim.settings.checksum = "wrong"
    for _ in range(2):
        with pytest.raises(DifferentContentError) as different:
            get(desk)
    assert different.value.got == hashlib.sha256(whole(desk)).hexdigest()
    assert list(desk.store.blobs()) == []
    with desk.store.partial("item") as partial:
        assert partial.size == 0


def test_a_corrupted_byte_is_found_and_fetched_again(desk: Desk) -> None:
    desk.sim.faults.add(Fault("corrupt", path="/download", at=3))
    with pytest.raises(DifferentContentError):
        get(desk)
    get(desk)
    assert_got(desk)


@pytest.mark.parametrize("kind", ["no_length", "gzip", "trickle"])
def test_odd_framing_does_no_harm(desk: Desk, kind: str) -> None:
    desk.sim.faults.add(Fault(kind, path="/download", rate=20_000_000))
    get(desk)
    assert_got(desk)


@pytest.mark.parametrize("kind", ["long_body", "bad_chunk"])
def test_broken_framing_is_never_half_a_document(desk: Desk, kind: str) -> None:
    desk.sim.faults.add(Fault(kind, path="/download"))
    try:
        get(desk)
    except CutStreamError:
        assert list(desk.store.blobs()) == []
        get(desk)
    assert_got(desk)


def test_a_session_that_ended_asks_for_sign_in_and_resumes(desk: Desk) -> None:
    desk.sim.faults.add(Fault("cut", path="/download", fraction=0.5))
    with pytest.raises(CutStreamError):
        get(desk)
    source = desk.source("Plans")
    desk.sim.faults.add(Fault("expire_tokens", path="/download"))
    with pytest.raises(UnauthorisedError) as ended:
        fetch(source, desk.store, "item")
    assert decide(ended.value, 1) == SignIn()
    assert get(desk)[0].done > 0
    assert_got(desk)


def test_a_newer_version_under_the_same_id_is_found_out(desk: Desk) -> None:
    desk.sim.faults.add(Fault("cut", path="/download", fraction=0.5))
    with pytest.raises(CutStreamError):
        get(desk)
    with desk.store.partial("item") as partial:
        size = partial.size
        partial.restart()
        partial.write(bytes(size))
    with pytest.raises(DifferentContentError):
        get(desk)
    get(desk)
    assert_got(desk)


def test_stop_asks_nothing_more(desk: Desk) -> None:
    source = desk.source("Plans")
    reasons = iter([None, None, None, "The server is disabled."])
    with pytest.raises(StoppedError, match="disabled"):
        fetch(source, desk.store, "item", should_stop=lambda: next(reasons))
    calls = len(desk.sim.requests)
    time.sleep(0.2)
    assert len(desk.sim.requests) == calls
    assert list(desk.store.blobs()) == []


def test_memory_does_not_grow_with_the_document(desk: Desk) -> None:
    size = 48 << 20
    desk.sim.world.add_document(desk.folder, "Bundle", "pdf", Generated(size, 11))
    source = desk.source("Bundle")
    tracemalloc.start()
    try:
        assert fetch(source, desk.store, "item").size == size
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 16 << 20  # the practice server's own blocks included


def test_a_killed_worker_is_gone_on_from(desk: Desk) -> None:
    desk.sim.faults.add(Fault("stall", path="/download", fraction=0.7, seconds=60))
    worker = multiprocessing.get_context("fork").Process(target=get, args=(desk,))
    worker.start()
    deadline = time.monotonic() + 20
    while not desk.calls("GET", "/download") and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1.5)
    worker.kill()
    worker.join(10)
    assert get(desk)[0].done > LARGE // 2
    assert_got(desk)


@pytest.mark.parametrize("kind", ["", "no_length", "gzip"])
def test_a_complete_body_of_another_size_is_different_and_not_cut_short(desk: Desk, kind: str) -> None:
    desk.sim.settings.update({"checksum": "absent", "size_off": 100})
    if kind:
        desk.sim.faults.add(Fault(kind, path="/download", times=None))
    with pytest.raises(DifferentContentError) as different:
        get(desk)
    assert (different.value.what, different.value.got) == ("size", f"{LARGE:,}")
    assert isinstance(decide(different.value, 3), GiveUp)
    assert list(desk.store.blobs()) == []
    with desk.store.partial("item") as partial:
        assert partial.size == 0


def test_a_longer_body_than_listed_is_different(desk: Desk) -> None:
    desk.sim.settings.update({"checksum": "absent", "size_off": -100})
    with pytest.raises(DifferentContentError):
        get(desk)


def test_the_right_checksum_outweighs_a_wrong_size(desk: Desk) -> None:
    desk.sim.settings.update({"size_off": 100})
    get(desk)
    assert_got(desk)


def test_a_body_that_ends_with_the_line_may_still_be_cut(desk: Desk) -> None:
    desk.sim.settings.update({"checksum": "absent", "size_off": 100})
    desk.sim.faults.add(Fault("no_length", path="/download", how="close", times=None))
    with pytest.raises(CutShortError):
        get(desk)
