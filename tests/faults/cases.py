"""A fault as a test case: the fault, the resulting state, the repair, and the final state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest

from services.core.errors import InvalidError
from services.transfers.states import ItemState
from tests.faults.scene import Scene
from tests.faults.setting import SIZE


@dataclass(frozen=True)
class Case:
    """The fault, the resulting state, the repair, and the final state. States apply to all kinds or by kind."""

    breaks: Callable[[Scene], object]
    first: str | tuple[str, ...] | Mapping[str, str]
    end: str | Mapping[str, str] = ItemState.DONE
    mends: Callable[[Scene], object] | None = None
    size: int = SIZE
    foreign: int = 0
    """Versions in iManage with other content than ours, for faults that change uploads."""
    refused: str = ""
    """The refusal of Save itself, if the fault is known before the first byte."""


def of_kind(value: str | tuple[str, ...] | Mapping[str, str], kind: str) -> set[str]:
    if isinstance(value, Mapping):
        value = value[kind] if kind in value else value["save"]
    return {value} if isinstance(value, str) else set(value)


def play(scene: Scene, case: Case) -> None:
    """Run a case: fault, first effect, repair, final state, and the four final checks."""
    scene.prepare(case.size)
    case.breaks(scene)
    if case.refused and not scene.is_get:
        with pytest.raises(InvalidError, match=case.refused):
            scene.begin()
        return
    scene.begin()
    first = [item.state for item in scene.carry_once()]
    expected = of_kind(case.first, scene.kind)
    said = [(item.state, item.error_code, item.error_sentence, item.next_step) for item in scene.rows()]
    if scene.cell.is_many:
        assert set(first) <= {ItemState.DONE} | expected | of_kind(case.end, scene.kind), said
    else:
        assert set(first) <= expected, said
    scene.words_are_plain()
    scene.practice.faults.clear()
    if case.mends:
        case.mends(scene)
    scene.carry_on()
    ends = scene.states()
    end = of_kind(case.end, scene.kind)
    said = [(item.state, item.error_code, item.error_sentence, item.next_step) for item in scene.rows()]
    assert set(ends) <= (end | {ItemState.DONE} if scene.cell.is_many else end), said
    scene.words_are_plain()
    scene.sides_agree(foreign=case.foreign)
    scene.asked_politely()
