"""What a run learns of an unusual server is stored, read again, and used by every get and save.

`make faults` turns every dial on both databases; otherwise four that change the most calls.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import update

from imanage.server_facts import value_of
from models import Member, Server
from services.core.actor import SYSTEM
from services.core.unit_of_work import session, unit_of_work
from services.server_admin import learning
from services.servers import server_facts
from services.transfers.states import ItemState
from simulator import Simulator, practice_world
from tests.contracts.facts.bench import world
from tests.contracts.facts.dials import FLIPS, Flip
from tests.support.transfers import Desk, add_version, carry, get, items_of, save, skip_wait

FEW = {"bearer", "ids without version", "checksum of other bytes", "comment refused"}
CHOSEN = [flip for flip in FLIPS if os.environ.get("FAULTS") == "all" or flip.name in FEW]


@pytest.fixture(scope="module")
def practice_running() -> Iterator[Simulator]:
    """A server with folders of every kind and its own few documents."""
    usual = practice_world()
    with Simulator(world=world(usual.users, usual.apps)) as practice:
        yield practice


def ended(transfer_id: uuid.UUID) -> ItemState:
    """Carry out the one item, as often as a busy server asks for."""
    (item,) = items_of(transfer_id)
    for _ in range(8):
        if (item := carry(item.id)).state != ItemState.WAITING:
            break
        skip_wait(item.id)
    return item.state


@pytest.mark.parametrize("flip", CHOSEN, ids=lambda flip: flip.name)
def test_what_is_learned_is_stored_and_used(desk: Desk, flip: Flip) -> None:
    there = desk.practice.world
    scratch, number = there.folder("Scratch").id, FLIPS.index(flip) % 20
    desk.practice.settings.update(flip.dials_at(desk.practice.url))
    with unit_of_work() as writing:
        writing.execute(update(Member).where(Member.id == desk.actor.id).values(is_admin=True))
    run_id = learning.run_now(SYSTEM, desk.actor.id, desk.server.id, scratch)
    assert run_id is not None and learning.of(run_id).state == "done"
    session().rollback()
    facts = server_facts.of(session().get_one(Server, desk.server.id))
    if "rate_limit" not in flip.dials:
        assert {name: value_of(facts, name) for name in flip.facts} == flip.facts
        assert flip.facts.keys() <= facts.measured

    paper = there.named(f"Paper {number}")
    transfer_id = get(desk, paper.id())
    assert ended(transfer_id) == ItemState.DONE
    (item,) = items_of(transfer_id)
    assert item.document_id is not None
    if "save new" not in flip.unable:
        document_id = desk.add_document(f"Saved {uuid.uuid4().hex}.docx", uuid.uuid4().bytes)
        assert ended(save(desk, document_id, "new_document", scratch)) == ItemState.DONE
    for target in () if "save version" in flip.unable else ("new_version", "replace"):
        add_version(desk, item.document_id, uuid.uuid4().bytes)
        twin = there.named(f"Paper {number}").id()
        assert ended(save(desk, item.document_id, target, twin)) == ItemState.DONE
