"""A transfer under a fault: how it is run, and what is checked at the end."""

from __future__ import annotations

import re
import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from models import Transfer, TransferItem
from services.connections import tokens
from services.core.runtime import runtime
from services.core.unit_of_work import session
from services.execution import maintenance, queue
from services.transfers.states import FINISHED, LIVE, ItemState
from tests.faults.setting import Setting
from tests.support.transfers import (
    carry_out,
    links,
    sha256,
    skip_wait,
    versions,
)

ROUNDS = 8
MOST_REQUESTS = 24
"""The most requests of one run of an item, including retries of reads."""
ITS_WORDS = re.compile(r" iManage says: (?:“[^”]*”(?: \([^)]*\))?|[^ ]*)\.(?= |$)")
"""iManage's own message, which follows our sentence and may be in any words."""
JARGON = re.compile(
    r"Traceback|Exception|[Ee]rrno|HTTP|NRC_|JSON|SQL|SHA-?256|socket|\bNone\b|\bnull\b|\b[45]\d\d\b|[{}<>]"
)
NEEDS_A_STEP = frozenset({ItemState.FAILED, ItemState.NEEDS_DECISION, ItemState.NEEDS_SIGN_IN})


@dataclass
class Scene(Setting):
    """Everything that a cell needs."""

    most_requests: int = MOST_REQUESTS

    def run(self, item_id: uuid.UUID) -> None:
        """Run an item as the worker does, in this thread, until it ends or waits."""
        seen = len(self.practice.requests)
        try:
            carry_out(item_id)
        finally:
            asked = self.practice.requests[seen:]
            self.calls[item_id] += asked
        assert len(asked) <= self.most_requests, [
            f"{call.method} {call.path} {call.status}" for call in asked
        ]

    def carry(self, item_id: uuid.UUID) -> TransferItem:
        """Run an item and return its row."""
        self.run(item_id)
        return self.row(item_id)

    def carry_once(self) -> list[TransferItem]:
        """Run each due item once."""
        for item in self.items:
            if self.row(item).state in LIVE:
                self.carry(item)
                self.nobody_is_hurried(item)
        return self.rows()

    def carry_on(self) -> None:
        """Run all items, skipping waits, until none is left."""
        for _ in range(ROUNDS):
            live = [item for item in self.items if self.row(item).state in LIVE]
            if not live:
                return
            for item in live:
                self.skip_wait(item)
                self.carry(item)
        raise AssertionError(f"still {self.states()} after {ROUNDS} rounds")

    def skip_wait(self, item_id: uuid.UUID) -> None:
        skip_wait(item_id, sent_long_ago=True)
        tokens._pacers.clear()

    def nobody_is_hurried(self, item_id: uuid.UUID) -> None:
        """A waiting item is not due at once: no hot retry."""
        session().rollback()
        due = {each.id for each in queue.due(500)}
        assert item_id not in due, "the item is due again at once"

    def words_are_plain(self) -> None:
        """Every unfinished item has a reason and, if someone has to act, a next step."""
        for item in self.rows():
            if item.state == ItemState.DONE:
                assert not item.error_sentence
                continue
            assert item.error_sentence, f"{item.state} without a sentence"
            said = f"{item.error_sentence} {item.next_step}"
            assert not JARGON.search(ITS_WORDS.sub("", said)), said
            if item.state in NEEDS_A_STEP:
                assert item.next_step, f"{item.state}, “{item.error_sentence}”, and no next step"

    def words_are_plain_or_waiting(self) -> None:
        """A released item needs no reason; any sentence it has is plain."""
        for item in self.rows():
            assert item.state in LIVE | {ItemState.DONE}
            assert not JARGON.search(ITS_WORDS.sub("", f"{item.error_sentence} {item.next_step}"))

    def sides_agree(self, *, foreign: int = 0, is_linked: bool = True) -> None:
        """Check the content in iManage and here, the links, and that there are no orphaned blobs."""
        added = self._there() - self.before
        for each in self.theirs:
            del added[each]
        mine = Counter(sha256(content) for content in self.contents)
        done = [item for item in self.rows() if item.state == ItemState.DONE]
        if self.is_get:
            assert not added, "a get changed iManage"
            assert {version.sha256 for version in versions()} == {item.sha256 for item in done}
            assert {item.sha256 for item in done} <= set(mine)
        else:
            assert added.total() == sum(added[each] for each in mine) + foreign, "other bytes are in iManage"
            for item in self.rows():
                times = added[item.sha256]
                assert times <= mine[item.sha256], f"{item.name} is in iManage {times} times"
                if item.state == ItemState.DONE and item.size:
                    assert times == mine[item.sha256], f"{item.name} is done and not in iManage"
        ours = {link.version_id for link in links()} if is_linked else {None}
        named = [link for link in links() if link.direction == ("got" if self.is_get else "saved")]
        said = f"a link for each that is done, and no other: {len(named)} for {len(done)}"
        assert len(named) == (len(done) if is_linked else 0), said
        assert {item.version_id for item in done} <= ours
        self.store_is_clean()
        transfer = session().get_one(Transfer, self.transfer)
        assert (transfer.finished_at is not None) == all(item.state in FINISHED for item in self.rows())

    def store_is_clean(self) -> None:
        """After the sweep there are no orphaned and no damaged blobs."""
        kept, maintenance.UNUSED_FOR = maintenance.UNUSED_FOR, timedelta(0)
        usual, maintenance.PARTIALS_KEPT = maintenance.PARTIALS_KEPT, timedelta(0)
        try:
            maintenance.sweep_store()
        finally:
            maintenance.UNUSED_FOR, maintenance.PARTIALS_KEPT = kept, usual
        store = runtime().blobs
        named = {version.sha256 for version in versions()}
        assert {blob.sha256 for blob in store.blobs()} <= named, "bytes that nothing names"
        for each in named:
            store.verify(each)

    def asked_politely(self) -> None:
        """A second upload happens only after a read, and the row counts every upload."""
        for item in self.rows():
            looked = True
            for call in self.calls[item.id]:
                if call.method == "POST" and re.search(r"/(documents|versions)$", call.path):
                    assert looked, "sent again without a look"
                    # Refused, or aborted by us before its end: there is no outcome to resolve.
                    looked = call.status in range(400, 500) or call.bytes_in < (item.size or 0)
                elif call.method == "GET" and re.search(
                    r"/(children|documents|versions|download)$", call.path
                ):
                    looked = True
