"""A save that is announced and waits for its slot: what is decided meanwhile applies, and nothing has been sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from models import Server, Transfer, TransferItem
from services.core.unit_of_work import session, unit_of_work
from services.execution import authorization, steps
from services.execution.item_run import Task
from services.transfers import control
from tests.support.transfers import Desk, Unlimited, begin, drafts_id, items_of, links, save, sha256, stored

CONTENT = b"Announced before there was a slot.\n" * 400


def paused(desk: Desk, transfer: Transfer) -> None:
    control.pause(desk.actor, transfer.id)


def cancelled(desk: Desk, transfer: Transfer) -> None:
    control.cancel(desk.actor, transfer.id)


def switched_off(_desk: Desk, transfer: Transfer) -> None:
    with unit_of_work() as writing:
        writing.get_one(Server, transfer.server_id).is_enabled = False


@pytest.fixture(autouse=True)
def asked_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authorization, "RECHECK_SECONDS", 0.0)


def carried_while(desk: Desk, item: TransferItem, happens: Callable[[Desk, Transfer], None]) -> TransferItem:
    """Carry it out; the change happens once the send is announced, while it waits for its slot."""
    item_id, transfer_id = item.id, item.transfer_id
    seen = []

    class Watching(Unlimited):
        @contextmanager
        def slot(self, _task: Task) -> Iterator[None]:
            session().rollback()
            if not seen and session().get_one(TransferItem, item_id).sent_at is not None:
                seen.append(True)
                happens(desk, session().get_one(Transfer, transfer_id))
            yield

    steps.carry_out(*begin(item_id, Watching()))
    assert seen, "it was never announced before it had its slot"
    session().rollback()
    return session().get_one(TransferItem, item_id)


@pytest.mark.parametrize(
    ("happens", "state"), [(paused, "waiting"), (cancelled, "stopped"), (switched_off, "stopped")]
)
def test_what_is_decided_before_it_has_its_slot_applies(
    desk: Desk, happens: Callable[[Desk, Transfer], None], state: str
) -> None:
    document_id = desk.add_document("Side letter.docx", CONTENT)
    (item,) = items_of(save(desk, document_id, "new_document", drafts_id(desk)))
    item = carried_while(desk, item, happens)
    assert item.state == state, item.error_sentence
    assert item.sent_at is None, "its outcome would be resolved, though nothing was sent"
    assert stored(desk, "Drafts").count(sha256(CONTENT)) == 0
    assert not links()


def test_the_announcement_is_over_once_bytes_move(desk: Desk) -> None:
    document_id = desk.add_document("Side letter.docx", CONTENT)
    (item,) = items_of(save(desk, document_id, "new_document", drafts_id(desk)))
    held: list[str] = []
    at_the_end: list[tuple[str, ...]] = []

    @contextmanager
    def holding(what: str) -> Iterator[None]:
        held.append(what)
        yield
        at_the_end.append(tuple(held))
        held.remove(what)

    class Watching:
        def slot(self, _task: Task) -> AbstractContextManager[None]:
            return holding("slot")

        def announcement(self, _task: Task) -> AbstractContextManager[None]:
            return holding("announcement")

    steps.carry_out(*begin(item.id, Watching()))
    reading, announcement, sending = at_the_end
    assert reading == announcement == ("announcement", "slot")
    assert sending == ("slot",)
