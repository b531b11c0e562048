"""What people read about an error code: the sentence, its cause, the next step and who needs to act."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from services.core.errors import Owner

T = TypeVar("T")

YOU: Owner = "you"
SYSTEM_ADMIN: Owner = "your System Admin"
IMANAGE_ADMIN: Owner = "your iManage admin"
NETWORK_TEAM: Owner = "your network team"
LEAD: Owner = "a lead of the matter"
NOBODY: Owner = "nobody"


@dataclass(frozen=True)
class Advice:
    """`cause` is for the people who run the installation, `title` for codes that have a page or a box of their own.

    `brief` is for one of many in a list; `accept` labels the tick box that accepts it.
    Braces in a text are filled in where it is used: `{label}` is the server's name.
    """

    sentence: str
    next_step: str = ""
    owner: Owner = YOU
    cause: str = ""
    title: str = ""
    brief: str = ""
    accept: str = ""


def most_specific(table: Mapping[str, T], code: str) -> T | None:
    """The entry of the code, or of the longest part of it that has one: `tls.expired`, then `tls`."""
    while code and code not in table:
        code = code.rpartition(".")[0]
    return table.get(code)
