"""A reason to stop is read at most so often, and an intent survives its row."""

import json
from dataclasses import replace
from datetime import UTC, datetime

from copying.copy import throttled
from copying.values import Intent, Known, Replace
from imanage.ids import VersionId


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_reason_to_stop_is_asked_for_seldom_and_is_final() -> None:
    clock, answers = Clock(), iter([None, "Cancelled by Alice."])
    should_stop = throttled(1.0, lambda: next(answers), clock)
    assert should_stop() is None
    clock.now += 1.0
    assert [should_stop(), should_stop()] == [None, None]
    clock.now += 1.0
    assert should_stop() == "Cancelled by Alice."
    clock.now += 60.0
    assert should_stop() == "Cancelled by Alice."


def test_an_intent_comes_back_from_its_row() -> None:
    intent = Intent(
        target=Replace(VersionId("Active", 7, 2)),
        name="Договор",
        extension="docx",
        size=1,
        sha256="a" * 64,
        operator=None,
        announced_at=datetime(2026, 11, 23, 23, 50, tzinfo=UTC),
        baseline=(Known(VersionId("Active", 7, 2), None), Known(VersionId("Active", 7, 1), "b" * 64)),
    )
    for each in (intent, replace(intent, mark="cp-1", comment="note", baseline=(), needs_mark=True)):
        assert Intent.from_record(json.loads(json.dumps(each.record()))) == each
