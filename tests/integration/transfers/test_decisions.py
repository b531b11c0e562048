"""Where a person has to choose: nothing is overwritten, both sides are shown, and the choice is carried out once."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import select

from imanage.ids import VersionId
from models import AuditEvent, TransferItem, utcnow
from services.core.errors import ConflictError
from services.core.unit_of_work import session
from services.transfers import decisions
from services.transfers.outcomes import Outcome, may_retry, outcome_of
from simulator import Fault, Lock
from tests.support.matters import add_twin
from tests.support.pages import read
from tests.support.transfers import (
    Desk,
    add_version,
    carry,
    carry_all,
    got_document,
    items_of,
    links,
    save,
    sha256,
    skip_wait,
    versions,
)

NAME = "SPA – Project Heron"
OURS = b"Our next version of the agreement."


def moved_on(desk: Desk, target: str = "new_version") -> tuple[uuid.UUID, TransferItem]:
    """A save of ours onto a twin that someone else has given a version since our copy."""
    document_id, twin_id = got_document(desk)
    desk.practice.world.add_version(desk.practice.world.named(NAME), b"Someone else was quicker.", "BRAM")
    add_version(desk, document_id, OURS)
    transfer_id = save(desk, document_id, target, twin_id)
    (item,) = carry_all(transfer_id)
    assert item.state == "needs_decision"
    return transfer_id, item


def choose(desk: Desk, item: TransferItem, choice: str) -> uuid.UUID:
    return decisions.decide(desk.actor, item.id, choice, uuid.uuid4())


@pytest.mark.parametrize("target", ["new_version", "replace"])
def test_nothing_is_sent_onto_a_document_that_has_moved_on(desk: Desk, target: str) -> None:
    latest = desk.practice.world.named(NAME).latest.number
    _transfer_id, item = moved_on(desk, target)
    there = desk.practice.world.named(NAME).latest
    assert (there.number, there.operator) == (latest + 1, "BRAM")
    assert item.question is not None
    assert item.question["kind"] == "moved_on"
    assert item.question["ours"]["version"] == 2
    assert item.question["theirs"]["version"] == latest + 1
    assert item.question["theirs"]["who"]


def test_both_sides_and_the_three_choices_are_on_the_page(desk: Desk) -> None:
    transfer_id, item = moved_on(desk)
    page = read(desk.browser.get(f"/transfers/{transfer_id}"), whole=True)
    for words in ("Save as new version anyway", "Get theirs first", "Don’t save", "Needs your decision"):
        assert words in page.text
    assert item.question is not None
    assert item.question["theirs"]["reference"] in page.text


def test_saving_anyway_adds_a_version_on_top_of_theirs(desk: Desk) -> None:
    transfer_id, item = moved_on(desk, "replace")
    before = desk.practice.world.named(NAME).latest.number
    assert choose(desk, item, "anyway") == transfer_id
    assert carry(item.id).state == "done"
    latest = desk.practice.world.named(NAME).latest
    assert (latest.number, latest.content.sha256) == (before + 1, sha256(OURS))
    chosen = session().scalars(select(AuditEvent).where(AuditEvent.action == "transfer.decided")).one()
    assert chosen.detail == {"question": "moved_on", "choice": "anyway"}


def test_something_newer_still_asks_again(desk: Desk) -> None:
    _transfer_id, item = moved_on(desk)
    choose(desk, item, "anyway")
    desk.practice.world.add_version(desk.practice.world.named(NAME), b"And quicker again.", "CAROL")
    assert carry(item.id).state == "needs_decision"
    assert desk.practice.world.named(NAME).latest.operator == "CAROL"


def test_getting_theirs_first_leaves_the_save_to_be_decided(desk: Desk) -> None:
    transfer_id, item = moved_on(desk)
    got = choose(desk, item, "get_theirs")
    assert got != transfer_id
    (landed,) = carry_all(got)
    assert landed.state == "done"
    assert [version.number for version in versions()] == [1, 2, 3]
    (waiting,) = items_of(transfer_id)
    assert waiting.state == "needs_decision"


def test_leaving_it_ends_the_save_and_sends_nothing(desk: Desk) -> None:
    transfer_id, item = moved_on(desk)
    before = desk.practice.world.named(NAME).latest.number
    choose(desk, item, "leave")
    (left,) = items_of(transfer_id)
    assert left.state == "stopped"
    assert left.transfer.finished_at is not None
    assert desk.practice.world.named(NAME).latest.number == before
    with pytest.raises(ConflictError):
        choose(desk, item, "anyway")


def test_a_checked_out_document_is_left_alone_until_it_is_free(desk: Desk) -> None:
    document_id, twin_id = got_document(desk)
    twin = desk.practice.world.named(NAME)
    desk.practice.world.set_lock(twin, Lock("BRAM", utcnow()))
    add_version(desk, document_id, OURS)
    (item,) = carry_all(save(desk, document_id, "new_version", twin_id))
    assert item.state == "needs_decision"
    assert item.question is not None
    assert item.question["kind"] == "checked_out"
    assert "Bram" in item.question["theirs"]["holder"]
    with pytest.raises(ConflictError):
        choose(desk, item, "anyway")
    choose(desk, item, "again")
    assert carry(item.id).state == "needs_decision"
    assert desk.practice.world.named(NAME).latest.number == twin.latest.number
    desk.practice.world.set_lock(desk.practice.world.named(NAME), None)
    choose(desk, item, "again")
    assert carry(item.id).state == "done"
    assert desk.practice.world.named(NAME).latest.number == twin.latest.number + 1


ALTERING = [
    ({"stored": "stamped"}, False),
    ({"stored": "stamped"}, True),
    ({"stored": "stamped", "comments": "dropped"}, True),
]


@pytest.mark.parametrize("target", ["new_document", "new_version", "replace"])
@pytest.mark.parametrize(("dials", "answer_lost"), ALTERING)
def test_a_server_that_alters_what_it_stores_is_never_given_it_twice(
    desk: Desk, target: str, dials: dict[str, str], answer_lost: bool
) -> None:
    document_id, twin_id = got_document(desk)
    name = f"Altered {uuid.uuid4().hex[:6]}"
    add_version(desk, document_id, f"{OURS!r} {name}".encode())
    world, drafts = desk.practice.world, desk.practice.world.folder("Drafts", "Active")
    desk.practice.settings.update(dials)
    method = "PUT" if target == "replace" else "POST"
    if answer_lost:
        desk.practice.faults.add(Fault("lost_after", method=method, path="/documents"))
    before = len(world.documents_in(drafts)), len(world.named(NAME).versions)
    transfer_id = save(desk, document_id, target, drafts.id if target == "new_document" else twin_id)
    (item,) = carry_all(transfer_id)
    for _ in range(4):
        if item.state != "resolving":
            break
        skip_wait(item.id, sent_long_ago=True)
        item = carry(item.id)
    added = {"new_document": (1, 0), "new_version": (0, 1), "replace": (0, 0)}[target]
    now = len(world.documents_in(drafts)), len(world.named(NAME).versions)
    assert now == (before[0] + added[0], before[1] + added[1])
    assert item.state == "needs_decision", item.error_sentence

    page = read(desk.browser.get(f"/transfers/{transfer_id}"), whole=True)
    assert "Link to this version" in page.text
    assert "Ours, as sent" in page.text
    choose(desk, item, "link")
    (item,) = items_of(transfer_id)
    became = "replaced" if target == "replace" else "saved"
    assert (item.state, item.outcome, item.question) == ("done", became, None)
    assert item.warnings == ["The file in iManage differs from the one sent. It was linked anyway."]
    assert item.transfer.finished_at is not None
    assert item.receipt is not None
    assert item.receipt["full_name"].endswith(".docx")
    made = links()[-1]
    assert (made.direction, made.version_id) == ("saved", item.version_id)
    assert f"{made.library}!{made.number}.{made.version}" == item.receipt["id"]
    assert (len(world.documents_in(drafts)), len(world.named(NAME).versions)) == now
    with pytest.raises(ConflictError):
        choose(desk, item, "link")


def test_what_was_stored_otherwise_and_left_is_not_said_to_be_unsaved(desk: Desk) -> None:
    document_id, twin_id = got_document(desk)
    add_version(desk, document_id, OURS + b" left")
    desk.practice.settings.update({"stored": "stamped"})
    transfer_id = save(desk, document_id, "new_version", twin_id)
    (item,) = carry_all(transfer_id)
    choose(desk, item, "leave")
    (item,) = items_of(transfer_id)
    assert (item.state, item.error_code) == ("stopped", "transfer.stored_different")
    ended = outcome_of("save", item.state, item.outcome, item.error_code, may_have_arrived=False)
    assert ended is Outcome.DIFFERENT
    assert not may_retry(item.state, item.error_code, may_have_arrived=False)
    assert item.sent_at is None


def test_a_version_that_another_document_is_linked_to_cannot_be_linked(desk: Desk) -> None:
    document_id, twin_id = got_document(desk)
    add_version(desk, document_id, OURS + b" twice")
    desk.practice.settings.update({"stored": "stamped"})
    (item,) = carry_all(save(desk, document_id, "new_version", twin_id))
    assert item.question is not None
    twin = VersionId.parse(item.question["theirs"]["id"])
    other = desk.add_document("Other.docx", b"other")
    add_twin(other, desk.server.id, desk.actor.id, number=twin.number, version=twin.version)
    with pytest.raises(ConflictError, match="another document"):
        choose(desk, item, "link")
