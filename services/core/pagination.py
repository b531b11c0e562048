"""One page of a long list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar, overload

from sqlalchemy import ColumnElement, Select, func
from sqlalchemy.sql.elements import SQLCoreOperations

from services.core.unit_of_work import session

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True)
class Page(Generic[T]):
    """`rows` of the page with this `number`, counted from 1; `search` is the text that they were found by.

    `sort` is the name of the column that they are sorted by, with a minus where the greatest is first; `total` is the
    number of rows on all pages, where they were counted.
    """

    rows: tuple[T, ...] = ()
    number: int = 1
    has_next: bool = False
    search: str = ""
    sort: str = ""
    total: int | None = None

    def with_rows(self, rows: Iterable[U]) -> Page[U]:
        """The same page, showing these in place of its rows."""
        return Page(tuple(rows), self.number, self.has_next, self.search, self.sort, self.total)


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


def paginate_sorted(
    query: Select[*tuple[Any, ...]],
    number: int,
    size: int,
    search: str,
    sort: str,
    columns: Mapping[str, ColumnElement[Any] | SQLCoreOperations[Any]],
    default: str,
    *,
    first: Sequence[ColumnElement[Any]] = (),
    last: SQLCoreOperations[Any],
) -> Page[Any]:
    """Read one page sorted by one of the `columns`, and count the rows of all pages, in two queries.

    A `sort` that is none of them is the `default`. `first` comes before it, `last` makes the order unique.
    """
    sort = sort if sort.removeprefix("-") in columns else default
    column = columns[sort.removeprefix("-")]
    ordered = query.order_by(*first, column.desc() if sort.startswith("-") else column.asc(), last)
    total = session().scalar(query.with_only_columns(func.count(), maintain_column_froms=True)) or 0
    return replace(paginate(ordered, number, size, search), sort=sort, total=total)
