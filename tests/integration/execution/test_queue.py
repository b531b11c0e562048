"""A save that is announced and waits for its place: what is decided meanwhile holds, and nothing has been sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from models import Server, Transfer, TransferItem
from services.core.unit_of_work import session, unit_of_work
from services.execution import authorization, steps
from services.transfers import control
from tests.support.transfers import Desk, drafts_id, items_of, links, save, sha256, stored

CONTENT = b"Announced before there was a place.\n" * 400


def paused(desk: Desk, transfer: Transfer) -> None:
    control.pause(desk.actor, transfer.id)


def cancelled(desk: Desk, transfer: Transfer) -> None:
    control.cancel(desk.actor, transfer.id)


def switched_off(_desk: Desk, transfer: Transfer) -> None:
    with unit_of_work() as writing:
        writing.get_one(Server, transfer.server_id).is_enabled = False


@pytest.fixture(autouse=True)
def asked_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authorization, "ASK_SECONDS", 0.0)


def carried_while(desk: Desk, item: TransferItem, happens: Callable[[Desk, Transfer], None]) -> TransferItem:
    """Carry it as a worker does; what happens happens once it is on record, before it has its place."""
    item_id, transfer_id = item.id, item.transfer_id
    ((running, step),) = steps.take_item(item_id)
    seen = []

    @contextmanager
    def place() -> Iterator[None]:
        session().rollback()
        if not seen and session().get_one(TransferItem, item_id).sent_at is not None:
            seen.append(True)
            happens(desk, session().get_one(Transfer, transfer_id))
        yield

    running.place = place
    steps.carry_out(running, step)
    assert seen, "it never was on record before it had its place"
    session().rollback()
    return session().get_one(TransferItem, item_id)


@pytest.mark.parametrize(
    ("happens", "state"), [(paused, "waiting"), (cancelled, "stopped"), (switched_off, "stopped")]
)
def test_what_is_decided_before_it_has_its_place_holds(
    desk: Desk, happens: Callable[[Desk, Transfer], None], state: str
) -> None:
    document_id = desk.add_document("Side letter.docx", CONTENT)
    (item,) = items_of(save(desk, document_id, "new_document", drafts_id(desk)))
    item = carried_while(desk, item, happens)
    assert item.state == state, item.error_sentence
    assert item.sent_at is None, "it would be looked up, though nothing was sent"
    assert stored(desk, "Drafts").count(sha256(CONTENT)) == 0
    assert not links()


def test_its_turn_is_another_s_once_it_has_its_place(desk: Desk) -> None:
    document_id = desk.add_document("Side letter.docx", CONTENT)
    (item,) = items_of(save(desk, document_id, "new_document", drafts_id(desk)))
    ((running, step),) = steps.take_item(item.id)
    held: list[str] = []
    at_the_end: list[tuple[str, ...]] = []

    @contextmanager
    def holding(what: str) -> Iterator[None]:
        held.append(what)
        yield
        at_the_end.append(tuple(held))
        held.remove(what)

    running.turn, running.place = (lambda: holding("turn")), (lambda: holding("place"))
    steps.carry_out(running, step)
    reading, turn, sending = at_the_end
    assert (reading, turn, sending) == (("turn", "place"), ("turn", "place"), ("place",))
