"""What the worker looks after besides the items it carries, and items that lost what they stood on."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from types import ModuleType

import pytest
from sqlalchemy import delete

from copying import copy
from models import Document, Matter, Transfer, TransferItem, utcnow
from services.core.unit_of_work import session, unit_of_work
from services.execution import landing, maintenance, queue, steps
from services.execution import save as execution_save
from services.guidance.outcomes import CHECK_ARRIVED
from services.transfers import control, requests
from services.transfers.states import LIVE
from simulator import Fault
from tests.support.transfers import (
    Desk,
    carry,
    carry_all,
    carry_out,
    crash_at,
    drafts_id,
    get,
    items_of,
    links,
    save,
    sha256,
    skip_wait,
    versions,
)

CONTENT = b"A counterpart of the agreement.\n" * 4000
DAY = 86_400


def get_one(desk: Desk, name: str = "SPA – Project Heron") -> uuid.UUID:
    return get(desk, desk.practice.world.named(name).id())


def save_one(desk: Desk, content: bytes) -> uuid.UUID:
    return save(desk, desk.add_document("Kept.docx", content), "new_document", drafts_id(desk))


def only(transfer_id: uuid.UUID) -> uuid.UUID:
    (item,) = items_of(transfer_id)
    return item.id


def change(item_id: uuid.UUID, **columns: object) -> None:
    with unit_of_work() as writing:
        item = writing.get_one(TransferItem, item_id)
        for name, value in columns.items():
            setattr(item, name, value)


def row(item_id: uuid.UUID) -> TransferItem:
    session().rollback()
    return session().get_one(TransferItem, item_id)


def is_due(item_id: uuid.UUID) -> bool:
    session().rollback()
    return item_id in {due.id for due in queue.due(100)}


def before(
    monkeypatch: pytest.MonkeyPatch, owner: ModuleType, name: str, happens: Callable[[], object]
) -> None:
    """Something happens just before a function is called."""
    usual = getattr(owner, name)

    def call(*arguments: object) -> object:
        happens()
        return usual(*arguments)

    monkeypatch.setattr(owner, name, call)


def posts(desk: Desk) -> int:
    return sum(call.method == "POST" and call.path.endswith("/documents") for call in desk.practice.requests)


# -- nobody is left lying --------------------------------------------------------------------------------------


def left_by_a_crash() -> list[tuple[str, str, bool]]:
    """Kind, state and whether a send was begun: all but what cannot be, a send under a state that has none."""
    return [
        (kind, state, sent)
        for kind, begun in (("get", [False]), ("save", [False, True]))
        for state in sorted(LIVE)
        for sent in begun
        if not (sent and state == "running") and not (kind == "get" and state in {"sending", "resolving"})
    ]


@pytest.mark.parametrize(("kind", "state", "sent"), left_by_a_crash())
def test_an_item_left_in_any_live_state_is_due_and_comes_to_its_end(
    desk: Desk, kind: str, state: str, sent: bool
) -> None:
    item_id = only(get_one(desk) if kind == "get" else save_one(desk, CONTENT + state.encode()))
    if sent:
        crash_at(item_id, copy, "send")
        change(item_id, sent_at=utcnow() - timedelta(minutes=2))
    change(item_id, state=state, wait_until=utcnow() - timedelta(seconds=1))
    for _ in range(3):
        assert is_due(item_id)
        if carry(item_id).state == "done":
            break
        skip_wait(item_id, sent_long_ago=True)
    assert row(item_id).state == "done"
    assert len(links()) == 1 and not is_due(item_id)


def test_an_item_that_waits_is_due_when_its_time_has_come(desk: Desk) -> None:
    item_id = only(get_one(desk))
    change(item_id, wait_until=utcnow() + timedelta(minutes=1))
    assert not is_due(item_id)
    change(item_id, wait_until=utcnow() - timedelta(seconds=1))
    assert is_due(item_id)


def test_a_sign_in_that_crossed_the_request_for_it_is_noticed(desk: Desk) -> None:
    """The member signed in while the worker was recording that they have to: nothing else would resume the item."""
    item_id = only(get_one(desk))
    change(item_id, state="needs_sign_in", state_at=utcnow())
    assert maintenance.resume_signed_in() == 0, "a sign-in that has only just been asked for"
    change(item_id, state_at=utcnow() - timedelta(minutes=1))
    assert maintenance.resume_signed_in() == 1
    assert carry(item_id).state == "done"


def test_what_waits_for_a_sign_in_that_has_not_happened_keeps_waiting(desk: Desk) -> None:
    from services.connections import disconnecting

    item_id = only(get_one(desk))
    disconnecting.disconnect(desk.actor, desk.server.id)
    assert carry(item_id).state == "needs_sign_in"
    change(item_id, state_at=utcnow() - timedelta(minutes=1))
    assert maintenance.resume_signed_in() == 0
    assert row(item_id).state == "needs_sign_in"


def test_what_waits_for_a_sign_in_to_a_removed_server_is_stopped(desk: Desk) -> None:
    transfer_id = get_one(desk)
    item_id = only(transfer_id)
    change(item_id, state="needs_sign_in", state_at=utcnow() - timedelta(minutes=1))
    with unit_of_work() as writing:
        writing.get_one(Transfer, transfer_id).server_id = None
    assert maintenance.resume_signed_in() == 1
    stopped = carry(item_id)
    assert (stopped.state, stopped.error_code) == ("stopped", "server.removed")


def test_a_transfer_whose_items_are_over_is_finished(desk: Desk) -> None:
    """Two workers that end its last two items at one moment each see the other's as unfinished."""
    over, open_still = get_one(desk), get_one(desk, "Archive.tar")
    carry_all(over)
    with unit_of_work() as writing:
        writing.get_one(Transfer, over).finished_at = None
    maintenance.finish_ended_transfers()
    session().rollback()
    assert session().get_one(Transfer, over).finished_at is not None
    assert session().get_one(Transfer, open_still).finished_at is None


# -- what an item stood on is gone -----------------------------------------------------------------------------


def test_a_transfer_of_a_deleted_matter_ends_silently(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    item_id = only(get_one(desk))

    def delete_matter() -> None:
        with unit_of_work() as writing:
            writing.execute(delete(Matter).where(Matter.id == desk.matter_id))

    before(monkeypatch, landing, "land", delete_matter)
    carry_out(item_id)
    assert versions() == [] and not is_due(item_id)


def test_a_document_deleted_before_it_was_sent_is_not_sent(desk: Desk) -> None:
    transfer_id = save_one(desk, CONTENT)
    with unit_of_work() as writing:
        document = writing.scalar(requests.select(Document))
        assert document is not None
        document.current_version_id = None
        writing.flush()
        writing.execute(delete(Document))
    stopped = carry(only(transfer_id))
    assert (stopped.state, stopped.error_code) == ("stopped", "document.gone")
    assert posts(desk) == 0


def test_a_save_that_was_stored_is_done_even_where_it_cannot_be_read_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were it called failed, trying it again would make a double."""
    content = CONTENT + b"not to be read back"
    item_id = only(save_one(desk, content))
    fault = Fault("status", method="GET", path="/documents/", status=403, times=None)
    before(monkeypatch, execution_save, "read_back", lambda: desk.practice.faults.add(fault))
    carry_out(item_id)
    assert row(item_id).state == "done"
    (link,) = links()
    assert link.checksum == sha256(content) and link.version == 1


def test_a_cancelled_save_that_may_have_arrived_says_so(desk: Desk) -> None:
    desk.practice.faults.add(Fault("lost_after", method="POST", path="/documents$"))
    transfer_id = save_one(desk, CONTENT + b"cancelled")
    item_id = only(transfer_id)
    crash_at(item_id, steps.STEPS, "resolve")
    assert row(item_id).state == "resolving"
    control.cancel(desk.actor, transfer_id)
    item = carry(item_id)
    assert item.state == "failed"
    assert CHECK_ARRIVED in item.next_step


def test_a_save_that_was_paused_and_then_cancelled_comes_to_its_end(desk: Desk) -> None:
    """What waits to be looked up is not stopped by the press itself: a worker has to come to it, pause or not."""
    desk.practice.faults.add(Fault("lost_after", method="POST", path="/documents$"))
    transfer_id = save_one(desk, CONTENT + b"paused and cancelled")
    item_id = only(transfer_id)
    crash_at(item_id, steps.STEPS, "resolve")
    skip_wait(item_id)
    control.pause(desk.actor, transfer_id)
    assert row(item_id).state == "resolving" and not is_due(item_id)
    control.cancel(desk.actor, transfer_id)
    assert is_due(item_id)
    assert carry(item_id).state == "failed"
    assert session().get_one(Transfer, transfer_id).finished_at is not None


def test_what_was_stored_is_recorded_though_paused_and_cancelled(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    transfer_id = save_one(desk, CONTENT + b"stored, paused and cancelled")

    def pause_and_cancel() -> None:
        control.pause(desk.actor, transfer_id)
        control.cancel(desk.actor, transfer_id)

    before(monkeypatch, execution_save, "finish", pause_and_cancel)
    assert carry(only(transfer_id)).state == "done"
    assert len(links()) == 1


def test_what_would_only_break_off_again_is_looked_up_and_not_sent_again(desk: Desk) -> None:
    """A proxy answers the upload with a page of its own: it would do so each time."""
    fault = Fault("html", method="POST", path="/documents$", times=None)
    desk.practice.faults.add(fault)
    item_id = only(save_one(desk, CONTENT + b"behind a proxy"))
    carry(item_id)
    assert row(item_id).state == "resolving"
    skip_wait(item_id, sent_long_ago=True)
    item = carry(item_id)
    assert (item.state, item.error_code) == ("failed", "transfer.not_saved")
    assert item.error_sentence.endswith("Nothing was saved to iManage.")
    assert "Something other than iManage Work answered" in item.error_sentence
    assert posts(desk) == 1 and item.sends == 1


def test_a_fault_of_ours_while_looking_up_does_not_go_round_and_round(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from copying.imanage_endpoint import ImanageDestination

    def breaks(*_args: object, **_named: object) -> None:
        raise ZeroDivisionError

    desk.practice.faults.add(Fault("lost_after", method="POST", path="/documents$"))
    monkeypatch.setattr(ImanageDestination, "resolve", breaks)
    item_id = only(save_one(desk, CONTENT + b"round and round"))
    for attempt in range(1, 6):
        item = carry(item_id)
        assert (item.state, item.attempt) == ("resolving", attempt)
        assert item.wait_until is not None
        skip_wait(item_id)
    item = carry(item_id)
    assert (item.state, item.error_code) == ("failed", "transfer.unexpected")
    assert CHECK_ARRIVED in item.next_step
