"""One page of a long list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, overload

from sqlalchemy import Select

from services.core.unit_of_work import session

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True)
class Page(Generic[T]):
    """`rows` of the page with this `number`, counted from 1; `search` is the text that they were found by."""

    rows: tuple[T, ...] = ()
    number: int = 1
    has_next: bool = False
    search: str = ""

    def with_rows(self, rows: Iterable[U]) -> Page[U]:
        """The same page, showing these in place of its rows."""
        return Page(tuple(rows), self.number, self.has_next, self.search)


@overload
def paginate(query: Select[T], number: int, size: int, search: str = "") -> Page[T]: ...


@overload
def paginate(query: Select[*tuple[Any, ...]], number: int, size: int, search: str = "") -> Page[Any]: ...


def paginate(query: Select[*tuple[Any, ...]], number: int, size: int, search: str = "") -> Page[Any]:
    """Read one page, in one query: one row more than it shows says whether another follows.

    Rows of a query for a single entity or column are that entity or value.
    """
    result = session().execute(query.offset((number - 1) * size).limit(size + 1))
    found = (result.scalars() if len(query.column_descriptions) == 1 else result).all()
    return Page(tuple(found[:size]), number, len(found) > size, search)
