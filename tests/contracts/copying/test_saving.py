"""Saving to iManage with faults on: never lost, never doubled, never over somebody's work."""

import secrets
import time
from datetime import UTC, datetime, timedelta

import pytest

from copying.errors import (
    CheckedOutError,
    MovedOnError,
    StoppedError,
    StoredDifferentError,
    UncertainOutcomeError,
)
from copying.outcome import QUIET
from copying.retry import Resolve, decide
from copying.values import Absent, Found, Known, NewDocument, Progress, TargetKind, Undecided
from imanage.errors import ConflictError, SourceFailedError, UnauthorisedError
from imanage.ids import VersionId
from simulator import Fault
from simulator.values import Lock
from tests.contracts.copying.conftest import Desk, Save
from tests.support import stores

KINDS: tuple[TargetKind, ...] = ("new_document", "new_version", "replace")
WRITES = {
    "new_document": ("POST", "/documents"),
    "new_version": ("POST", "/versions"),
    "replace": ("PUT", "/file"),
}
every_kind = pytest.mark.parametrize("kind", KINDS)
every_version_kind = pytest.mark.parametrize("kind", KINDS[1:])


@pytest.fixture
def data() -> bytes:
    return secrets.token_bytes(2 * (1 << 20) + 99)


def on_write(kind: TargetKind, fault: str, **how: object) -> Fault:
    method, path = WRITES[kind]
    return Fault(fault, method=method, path=path, **how)


def written(save: Save) -> int:
    return len(save.desk.calls(*WRITES[save.intent.target.kind]))


def arrived_within(seconds: float, save: Save) -> None:
    """The practice server notices a broken-off call in a thread of its own."""
    deadline = time.monotonic() + seconds
    while not written(save):
        assert time.monotonic() < deadline
        time.sleep(0.01)


@every_kind
def test_saved_once_in_three_requests_at_most(desk: Desk, kind: TargetKind, data: bytes) -> None:
    save = Save.of(desk, kind, data)
    before = len(desk.sim.requests)
    seen: list[Progress] = []
    receipt = save.go(on_progress=seen.append)
    assert len(desk.sim.requests) - before <= 3
    assert receipt.present.sha256 == save.intent.sha256
    assert receipt.present.id.version == (2 if kind == "new_version" else 1)
    assert (receipt.present.operator or "").upper() == "ALICE"
    assert seen[-1] == Progress(len(data), len(data))
    assert save.times_stored() == 1
    assert isinstance(save.resolve(), Found)


@every_kind
@pytest.mark.parametrize("how", ["close", "reset"])
def test_the_answer_is_lost_after_it_was_stored(desk: Desk, kind: TargetKind, data: bytes, how: str) -> None:
    save = Save.of(desk, kind, data)
    desk.sim.faults.add(on_write(kind, "lost_after", how=how))
    with pytest.raises(UncertainOutcomeError) as uncertain:
        save.go()
    assert decide(uncertain.value, 1) == Resolve()
    outcome = save.resolve()
    assert isinstance(outcome, Found)
    assert outcome.present.sha256 == save.intent.sha256
    assert (save.times_stored(), written(save)) == (1, 1)


@every_kind
@pytest.mark.parametrize("fault", ["lost_before", "status", "cut_headers"])
def test_the_answer_is_lost(desk: Desk, kind: TargetKind, data: bytes, fault: str) -> None:
    save = Save.of(desk, kind, data)
    desk.sim.faults.add(on_write(kind, fault, status=502, html=True))
    with pytest.raises(UncertainOutcomeError):
        save.go()
    stored = save.times_stored()
    soon = save.resolve(later=timedelta(0))
    late = save.resolve(later=QUIET)
    if stored:
        assert isinstance(soon, Found)
        assert isinstance(late, Found)
    else:
        assert isinstance(soon, Undecided)
        assert soon.again_after is not None
        assert isinstance(late, Absent)
        save.go()
    assert save.times_stored() == 1


@every_kind
def test_an_upload_cut_in_the_middle_is_absent(desk: Desk, kind: TargetKind, data: bytes) -> None:
    save = Save.of(desk, kind, data)
    desk.sim.faults.add(on_write(kind, "reject_early", status=503, at=1 << 20))
    with pytest.raises(UncertainOutcomeError):
        save.go()
    assert isinstance(save.resolve(), Absent)
    assert save.times_stored() == 0


@every_kind
def test_without_checksums_the_bytes_are_read_back(desk: Desk, kind: TargetKind, data: bytes) -> None:
    desk.sim.settings.checksum = "absent"
    save = Save.of(desk, kind, data)
    desk.sim.faults.add(on_write(kind, "lost_after"))
    with pytest.raises(UncertainOutcomeError):
        save.go()
    assert isinstance(save.resolve(), Found)
    assert len(desk.calls("GET", "/download")) == 1


def test_a_mark_that_no_list_shows_is_read_from_the_profile(desk: Desk, data: bytes) -> None:
    desk.sim.settings.comments = "not_listed"
    save = Save.of(desk, "new_document", data, mark="cp-7", needs_mark=True)
    desk.sim.faults.add(on_write("new_document", "lost_after"))
    with pytest.raises(UncertainOutcomeError):
        save.go()
    profiles = len(desk.calls("GET", f"/documents/{desk.document('New deed').id()}"))
    assert isinstance(save.resolve(), Found)
    assert len(desk.calls("GET", f"/documents/{desk.document('New deed').id()}")) == profiles + 1
    desk.sim.settings.comments = "dropped"
    assert isinstance(save.resolve(), Undecided)


def test_a_document_that_grew_a_second_version_meanwhile_is_still_found(desk: Desk, data: bytes) -> None:
    save = Save.of(desk, "new_document", data)
    desk.sim.faults.add(on_write("new_document", "lost_after"))
    with pytest.raises(UncertainOutcomeError):
        save.go()
    desk.sim.world.add_version(desk.document("New deed"), b"edited at once", user="CAROL")
    outcome = save.resolve()
    assert isinstance(outcome, Found)
    assert outcome.present.id.version == 1


@pytest.mark.parametrize("kind", KINDS[:2])
def test_two_saves_of_the_same_bytes_find_one_each(desk: Desk, kind: TargetKind, data: bytes) -> None:
    one, two = Save.of(desk, kind, data), Save.of(desk, kind, data)
    desk.sim.faults.add(on_write(kind, "lost_after", times=2))
    for save in (one, two):
        with pytest.raises(UncertainOutcomeError):
            save.destination.send(
                save.intent, save.source, on_progress=lambda _: None, should_stop=lambda: None
            )
    asked = one.resolve()
    assert isinstance(asked, Undecided)
    assert len(asked.candidates) == 2
    found = two.resolve(claimed=(asked.candidates[0].id,))
    assert isinstance(found, Found)
    assert found.present.id == asked.candidates[1].id


@pytest.mark.parametrize("kind", KINDS[:2])
def test_the_mark_tells_two_saves_apart(desk: Desk, kind: TargetKind, data: bytes) -> None:
    one, two = Save.of(desk, kind, data, mark="cp-one"), Save.of(desk, kind, data, mark="cp-two")
    desk.sim.faults.add(on_write(kind, "lost_after", times=2))
    for save in (one, two):
        with pytest.raises(UncertainOutcomeError):
            save.destination.send(
                save.intent, save.source, on_progress=lambda _: None, should_stop=lambda: None
            )
    outcomes = [one.resolve(), two.resolve()]
    assert all(isinstance(each, Found) for each in outcomes)
    assert len({each.present.id for each in outcomes}) == 2


@every_version_kind
def test_checked_out_by_somebody_else_is_refused_untouched(desk: Desk, kind: TargetKind, data: bytes) -> None:
    save = Save.of(desk, kind, data)
    desk.sim.world.set_lock(desk.document("Deed"), Lock("CAROL", datetime(2026, 11, 1, 9, 30, tzinfo=UTC)))
    with pytest.raises(CheckedOutError) as refused:
        save.go()
    assert refused.value.holder == "Carol Cho"
    assert refused.value.since == datetime(2026, 11, 1, 9, 30, tzinfo=UTC)
    assert (save.times_stored(), written(save)) == (0, 0)


@every_version_kind
def test_checked_out_at_the_last_moment_is_refused_by_imanage(
    desk: Desk, kind: TargetKind, data: bytes
) -> None:
    save = Save.of(desk, kind, data)
    save.destination.check(save.intent)
    desk.sim.world.set_lock(desk.document("Deed"), Lock("CAROL", datetime.now(UTC)))
    with pytest.raises(ConflictError):
        save.destination.send(save.intent, save.source, on_progress=lambda _: None, should_stop=lambda: None)
    assert save.times_stored() == 0


@every_version_kind
def test_what_has_moved_on_is_not_run_over(desk: Desk, kind: TargetKind, data: bytes) -> None:
    save = Save.of(desk, kind, data)
    desk.sim.world.add_version(desk.document("Deed"), b"theirs", user="CAROL")
    with pytest.raises(MovedOnError) as moved:
        save.go()
    assert moved.value.found == VersionId.parse(desk.document("Deed").id())
    assert (save.times_stored(), written(save)) == (0, 0)


def test_a_version_that_somebody_else_has_replaced_is_not_run_over(desk: Desk, data: bytes) -> None:
    theirs, ours = Save.of(desk, "replace", b"theirs"), Save.of(desk, "replace", data)
    theirs.go()
    with pytest.raises(MovedOnError):
        ours.go()
    assert (theirs.times_stored(), ours.times_stored()) == (1, 0)


@every_kind
def test_stop_in_the_middle_stores_nothing(desk: Desk, kind: TargetKind, data: bytes) -> None:
    save = Save.of(desk, kind, data)
    reasons = iter([None, None, None, "Cancelled by Alice."])
    with pytest.raises(StoppedError, match="Cancelled by Alice"):
        save.go(should_stop=lambda: next(reasons))
    arrived_within(5, save)
    assert isinstance(save.resolve(), Absent)


@every_kind
def test_bytes_damaged_here_never_arrive_there(
    desk: Desk, kind: TargetKind, data: bytes, tmp_path: object
) -> None:
    save = Save.of(desk, kind, data)
    stores.damage(desk.store, tmp_path, save.intent.sha256, data[:-1] + bytes([data[-1] ^ 1]))
    before = [each.versions for each in desk.sim.world.documents("Active")]
    with pytest.raises(SourceFailedError):
        save.go()
    assert [each.versions for each in desk.sim.world.documents("Active")] == before


def test_other_bytes_than_were_sent_are_shown_to_a_person(desk: Desk, data: bytes) -> None:
    desk.sim.faults.add(on_write("new_document", "wrong_checksum"))
    save = Save.of(desk, "new_document", data)
    with pytest.raises(StoredDifferentError) as different:
        save.go()
    assert different.value.retry == "no"
    assert different.value.sent == save.intent.sha256


@every_kind
def test_a_session_that_ended_stores_nothing(desk: Desk, kind: TargetKind, data: bytes) -> None:
    save = Save.of(desk, kind, data)
    desk.sim.faults.add(on_write(kind, "expire_tokens"))
    with pytest.raises(UnauthorisedError):
        save.go()
    assert save.times_stored() == 0


def test_a_folder_that_is_gone_cannot_be_looked_up(desk: Desk, data: bytes) -> None:
    save = Save.of(desk, "new_document", data)
    desk.sim.faults.add(on_write("new_document", "lost_after"))
    with pytest.raises(UncertainOutcomeError):
        save.go()
    desk.sim.world.remove_folder(desk.folder)
    outcome = save.resolve()
    assert isinstance(outcome, Undecided)
    assert "could not check what was saved" in outcome.because


def test_a_baseline_reads_every_page(desk: Desk) -> None:
    folder = desk.sim.world.add_folder(desk.folder, "Many")
    for number in range(250):
        desk.sim.world.add_document(folder, f"Letter {number}", "txt", b"dear %d" % number)
    save = Save.of(desk, "new_document", b"x")
    known = type(save.destination)(desk.client(), NewDocument(folder.id)).baseline()
    assert len({each.id for each in known}) == 250
    assert all(isinstance(each, Known) and each.sha256 for each in known)
