"""The words of an error code, and the refusal made of them."""

from __future__ import annotations

from collections import ChainMap
from typing import TypedDict, TypeVar

from services.core.errors import Owner, RefusedError
from services.guidance.advice import Advice, most_specific
from services.guidance.tables import TABLES

E = TypeVar("E", bound=RefusedError)
ADVICE = ChainMap(*TABLES.values())
"""Where tables share a code, the words are those of the first."""


class Wording(TypedDict):
    """The arguments of a RefusedError."""

    code: str
    sentence: str
    next_step: str
    owner: Owner
    title: str


def advice_for(code: str, variant: str = "", /) -> Advice:
    """`variant` chooses between several sentences of a code."""
    advice = most_specific(ADVICE, f"{code}.{variant}")
    if advice is None:
        raise KeyError(code)
    return advice


def worded(code: str, variant: str = "", /, **values: object) -> Wording:
    """The words of this code; `values` fill their braces."""
    advice = advice_for(code, variant)
    return Wording(
        code=code,
        sentence=advice.sentence.format(**values),
        next_step=advice.next_step.format(**values),
        owner=advice.owner,
        title=advice.title,
    )


def refusal(kind: type[E], code: str, variant: str = "", /, **values: object) -> E:
    return kind(**worded(code, variant, **values))
