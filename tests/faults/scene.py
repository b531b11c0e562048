"""A transfer in a fault: how it is carried on, and what is looked at when it is over."""

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
"""What one run of an item may ask, its own few repeats of a read included."""
ITS_WORDS = re.compile(r" iManage says: (?:“[^”]*”(?: \([^)]*\))?|[^ ]*)\.(?= |$)")
"""What iManage itself says stands beside our words, and may be in any."""
JARGON = re.compile(
    r"Traceback|Exception|[Ee]rrno|HTTP|NRC_|JSON|SQL|SHA-?256|socket|\bNone\b|\bnull\b|\b[45]\d\d\b|[{}<>]"
)
NEEDS_A_STEP = frozenset({ItemState.FAILED, ItemState.ASKS, ItemState.NEEDS_SIGN_IN})


@dataclass
class Scene(Setting):
    """Everything that a cell needs at hand."""

    most_requests: int = MOST_REQUESTS

    def run(self, item_id: uuid.UUID) -> None:
        """What the worker does with an item, in this thread, to its end or to where it waits."""
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
        """The same, and what its row says then."""
        self.run(item_id)
        return self.row(item_id)

    def carry_once(self) -> list[TransferItem]:
        """Each item that a worker would carry, once."""
        for item in self.items:
            if self.row(item).state in LIVE:
                self.carry(item)
                self.nobody_is_hurried(item)
        return self.rows()

    def carry_on(self) -> None:
        """As if all waits passed, until nobody has anything left to carry."""
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
        """What waits is not due at once: no hot retry."""
        session().rollback()
        due = {each.id for each in queue.due(500)}
        assert item_id not in due, "the item is due again at once"

    def words_are_plain(self) -> None:
        """Whatever is not done says why, and what can be done about it where somebody has to."""
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
        """What was handed back has nothing to explain; whatever it says is plain."""
        for item in self.rows():
            assert item.state in LIVE | {ItemState.DONE}
            assert not JARGON.search(ITS_WORDS.sub("", f"{item.error_sentence} {item.next_step}"))

    def sides_agree(self, *, foreign: int = 0, is_linked: bool = True) -> None:
        """What is in iManage, what is here, the links between them, and no bytes that nothing names."""
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
        """After the sweep there are no bytes that nothing names, and none that are not what they should be."""
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
        """A second sending only after a look; as many sendings as the row owns up to."""
        for item in self.rows():
            looked = True
            for call in self.calls[item.id]:
                if call.method == "POST" and re.search(r"/(documents|versions)$", call.path):
                    assert looked, "sent again without a look"
                    # Refused, or broken off by us before its end: there is nothing to look for.
                    looked = call.status in range(400, 500) or call.bytes_in < (item.size or 0)
                elif call.method == "GET" and re.search(
                    r"/(children|documents|versions|download)$", call.path
                ):
                    looked = True
