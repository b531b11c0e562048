"""An item that was taken over while its first worker continued: what both write in one commit counts once."""

from __future__ import annotations

import secrets
import uuid
from types import ModuleType
from typing import Any

import pytest

from models import TransferItem
from services.core.unit_of_work import session
from services.execution import landing, outcome, steps
from services.execution import save as execution_save
from services.execution.item_run import TakenOverError
from services.transfers.states import ItemState
from tests.support.transfers import (
    Desk,
    begin,
    drafts_id,
    get,
    items_of,
    links,
    save,
    sha256,
    stored,
    versions,
)

either_order = pytest.mark.parametrize("is_first_to_come", [True, False], ids=["first", "last"])


class Gate:
    """Keeps what two runs write through `module`, to write it in one commit."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str) -> None:
        self.module = module
        self.entries: list[Any] = []
        monkeypatch.setattr(module, name, self._keep)

    def _keep(self, entry: object) -> None:
        self.entries.append(entry)
        raise TakenOverError

    def two_meet(self, item_id: uuid.UUID, *, is_first_to_come: bool) -> None:
        """Two take the item over, one from the other, and end up in one commit; the first is told so, and no other."""
        for _ in range(2):
            running, step = begin(item_id)
            steps.carry_out(running, step)
        taken, ours = self.entries
        assert (taken.claim.item_id, taken.claim.fencing_token + 1) == (
            ours.claim.item_id,
            ours.claim.fencing_token,
        )
        entries = [taken, ours] if is_first_to_come else [ours, taken]
        for entry, error in zip(entries, self.module._write(entries), strict=True):
            assert isinstance(error, TakenOverError) if entry is taken else error is None
        session().rollback()


def row(item_id: uuid.UUID) -> TransferItem:
    return session().get_one(TransferItem, item_id)


@either_order
def test_a_save_has_one_link(desk: Desk, monkeypatch: pytest.MonkeyPatch, is_first_to_come: bool) -> None:
    content = secrets.token_bytes(9_000)
    document_id = desk.add_document("Side letter.docx", content)
    (item,) = items_of(save(desk, document_id, "new_document", drafts_id(desk)))
    gate = Gate(monkeypatch, outcome, "_group_commit")
    gate.two_meet(item.id, is_first_to_come=is_first_to_come)
    assert row(item.id).state == ItemState.DONE
    assert stored(desk, "Drafts").count(sha256(content)) == 1
    assert len(links()) == 1


@either_order
def test_a_get_is_one_version(desk: Desk, monkeypatch: pytest.MonkeyPatch, is_first_to_come: bool) -> None:
    twin = desk.practice.world.named("SPA – Project Heron")
    (item,) = items_of(get(desk, twin.id()))
    gate = Gate(monkeypatch, landing, "_group_commit")
    gate.two_meet(item.id, is_first_to_come=is_first_to_come)
    assert row(item.id).state == ItemState.DONE
    assert not row(item.id).warnings, "the second of the two would have found the first's"
    assert (len(versions()), len(links())) == (1, 1)


@either_order
def test_what_is_announced_is_the_last_one_s(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, is_first_to_come: bool
) -> None:
    document_id = desk.add_document("Side letter.docx", secrets.token_bytes(9_000))
    (item,) = items_of(save(desk, document_id, "new_document", drafts_id(desk)))
    gate = Gate(monkeypatch, execution_save, "announce")
    gate.two_meet(item.id, is_first_to_come=is_first_to_come)
    assert (row(item.id).state, row(item.id).sends) == (ItemState.SENDING, 1)
    assert row(item.id).intent == gate.entries[-1].intent.record()
