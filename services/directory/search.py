"""Searching members, fast for a million of them: by text, filter and name.

Three letters or more match anywhere in a name or email address; one or two match the beginning of a word or address.
All words must match, compared by normalise.search_fold(). The search key has two spaces before each word, so that the
beginning of a word is a trigram too, and one trigram index serves both.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, func, not_, select, text, tuple_

from models import NUMBER, TRIGRAM, Member
from services.core.text.normalise import ESCAPE, like_pattern, search_fold, search_words
from services.core.unit_of_work import session

Condition = ColumnElement[bool]

# Of more matches, only names that begin with the text are shown: sorting them all would take too long.
MAX_SORTED = 500
LETTERS = 3
LONGEST_KEY, LONGEST_NAME = 1100, 400
LAST_LETTER = "\U0010ffff"


@dataclass(frozen=True)
class MemberFilter:
    """Which members to include; None includes both."""

    is_active: bool | None = None
    is_guest: bool | None = None
    is_admin: bool | None = None


EVERYONE = MemberFilter()


@dataclass(frozen=True)
class SearchResult:
    """The first by name. With `too_many`, only people whose name begins with the whole text."""

    members: tuple[Member, ...] = ()
    matches: int = 0
    too_many: bool = False


def key_of(name: str, email: str) -> str:
    """The search key of a member."""
    words = [*search_fold(name)[:LONGEST_NAME].split(), *search_fold(email).split()]
    return "".join(f"  {word}" for word in words)[:LONGEST_KEY]


def search_by_name(typed: str, wanted: MemberFilter, limit: int) -> SearchResult:
    """The first matching members by name; empty without a text."""
    if not search_words(typed):
        return SearchResult()
    if session().get_bind().dialect.name == "postgresql":
        # No generic plan suits every text: the best one depends on how many members match.
        session().execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))
    hits = _matches(typed, wanted).subquery()
    query = select(hits.c.id, func.count().over()).order_by(hits.c.name_key, hits.c.email_key).limit(limit)
    rows = session().execute(query).all()
    matches = rows[0][1] if rows else 0
    if matches > MAX_SORTED:
        return SearchResult(by_name(wanted, limit, beginning=search_fold(typed)), matches, too_many=True)
    return SearchResult(_load_in_order([row[0] for row in rows]), matches)


def by_name(
    wanted: MemberFilter,
    limit: int,
    *,
    after: Member | None = None,
    before: Member | None = None,
    beginning: str = "",
    containing: str = "",
) -> tuple[Member, ...]:
    """Members by name, after or before a cursor.

    `containing` scans all members: right for an export in order, too slow for a search.
    """
    position = tuple_(Member.name_key, Member.email_key)
    order = (
        (Member.name_key.desc(), Member.email_key.desc()) if before else (Member.name_key, Member.email_key)
    )
    query = select(Member.id).where(*_conditions(wanted)).order_by(*order).limit(limit)
    if after:
        query = query.where(position > tuple_(after.name_key, after.email_key))
    if before:
        query = query.where(position < tuple_(before.name_key, before.email_key))
    if beginning:
        query = query.where(Member.name_key >= beginning, Member.name_key < beginning + LAST_LETTER)
    query = query.where(*_like(containing))
    ids = list(session().scalars(query))
    return _load_in_order(ids[::-1] if before else ids)


def _like(typed: str) -> list[Condition]:
    return [
        Member.search_key.like(like_pattern(_padded(word)), escape=ESCAPE) for word in search_words(typed)
    ]


def _matches(typed: str, wanted: MemberFilter) -> Select[uuid.UUID, str, str]:
    """The matches in no order, up to one more than can be sorted, so that the database can stop early."""
    query = (
        select(Member.id, Member.name_key, Member.email_key).where(*_conditions(wanted)).limit(MAX_SORTED + 1)
    )
    if session().get_bind().dialect.name == "sqlite" and not wanted.is_admin:
        pieces = [_padded(word).replace('"', '""') for word in search_words(typed)]
        phrases = " ".join(f'"{piece}"' for piece in pieces)
        return (
            query.select_from(TRIGRAM)
            .join(NUMBER, NUMBER.c.number == TRIGRAM.c.rowid)
            .join(Member, Member.id == NUMBER.c.member_id)
            .where(text("member_trigram MATCH :phrases").bindparams(phrases=phrases))
        )
    return query.where(*_like(typed))


def _padded(word: str) -> str:
    """A short word matches the beginning of a word: padded to a trigram."""
    return word.rjust(LETTERS) if len(word) < LETTERS else word


def _conditions(wanted: MemberFilter) -> list[Condition]:
    columns = (
        (Member.is_active, wanted.is_active),
        (Member.is_guest, wanted.is_guest),
        (Member.is_admin, wanted.is_admin),
    )
    return [and_(column) if value else not_(column) for column, value in columns if value is not None]


def _load_in_order(ids: list[uuid.UUID]) -> tuple[Member, ...]:
    rows = {row.id: row for row in session().scalars(select(Member).where(Member.id.in_(ids)))} if ids else {}
    return tuple(rows[each] for each in ids if each in rows)
