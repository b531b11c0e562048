"""Finding members among a million of them: what is typed, who is kept, and the first by name.

Three letters or more are found anywhere in a name or e-mail; one or two where a word of the name, or the e-mail,
begins with them. Each word that was typed must be found. How a letter is written does not count: text.search_fold. The
key holds two blanks before each word, so that its beginning is three letters too, and one index of trigrams serves all.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, func, not_, select, text, tuple_

from models import NUMBER, TRIGRAM, Member
from services.core.text.normalise import ESCAPE, like_pattern, search_fold, search_words
from services.core.unit_of_work import session

Condition = ColumnElement[bool]

# Of more than this many only the beginnings of names are shown: to sort them all would keep a person waiting.
MOST_SORTED = 500
LETTERS = 3
LONGEST_KEY, LONGEST_NAME = 1100, 400
LAST_LETTER = "\U0010ffff"


@dataclass(frozen=True)
class MemberFilter:
    """Who is looked for: None where it does not matter."""

    is_active: bool | None = None
    is_guest: bool | None = None
    is_admin: bool | None = None


EVERYONE = MemberFilter()


@dataclass(frozen=True)
class Found:
    """The first by name. With `too_many`, only people whose whole name begins with what was typed are among them."""

    members: tuple[Member, ...] = ()
    matches: int = 0
    too_many: bool = False


def key_of(name: str, email: str) -> str:
    """What is kept of a member to be found by."""
    words = [*search_fold(name)[:LONGEST_NAME].split(), *search_fold(email).split()]
    return "".join(f"  {word}" for word in words)[:LONGEST_KEY]


def search_by_name(typed: str, kept: MemberFilter, limit: int) -> Found:
    """The first members by name of all who match; nobody where nothing was typed."""
    if not search_words(typed):
        return Found()
    if session().get_bind().dialect.name == "postgresql":
        # A plan that was made for every text is right for none: how many match decides which way is short.
        session().execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))
    few = _few(typed, kept).subquery()
    query = select(few.c.id, func.count().over()).order_by(few.c.name_key, few.c.email_key).limit(limit)
    rows = session().execute(query).all()
    matches = rows[0][1] if rows else 0
    if matches > MOST_SORTED:
        return Found(by_name(kept, limit, beginning=search_fold(typed)), matches, too_many=True)
    return Found(_in_order([row[0] for row in rows]), matches)


def by_name(
    kept: MemberFilter,
    limit: int,
    *,
    after: Member | None = None,
    before: Member | None = None,
    beginning: str = "",
    holding: str = "",
) -> tuple[Member, ...]:
    """Members by name, from a place in the list onwards or up to it.

    Those `holding` what was typed are looked for one by one: right for everybody in order, too slow for a person.
    """
    place = tuple_(Member.name_key, Member.email_key)
    order = (
        (Member.name_key.desc(), Member.email_key.desc()) if before else (Member.name_key, Member.email_key)
    )
    query = select(Member.id).where(*_only(kept)).order_by(*order).limit(limit)
    if after:
        query = query.where(place > tuple_(after.name_key, after.email_key))
    if before:
        query = query.where(place < tuple_(before.name_key, before.email_key))
    if beginning:
        query = query.where(Member.name_key >= beginning, Member.name_key < beginning + LAST_LETTER)
    query = query.where(*_like(holding))
    ids = list(session().scalars(query))
    return _in_order(ids[::-1] if before else ids)


def _like(typed: str) -> list[Condition]:
    return [Member.search_key.like(like_pattern(_piece(word)), escape=ESCAPE) for word in search_words(typed)]


def _few(typed: str, kept: MemberFilter) -> Select[uuid.UUID, str, str]:
    """Who matches, in no order, and no more than one too many. The database stops as soon as it has them."""
    query = select(Member.id, Member.name_key, Member.email_key).where(*_only(kept)).limit(MOST_SORTED + 1)
    if session().get_bind().dialect.name == "sqlite" and not kept.is_admin:
        pieces = [_piece(word).replace('"', '""') for word in search_words(typed)]
        phrases = " ".join(f'"{piece}"' for piece in pieces)
        return (
            query.select_from(TRIGRAM)
            .join(NUMBER, NUMBER.c.number == TRIGRAM.c.rowid)
            .join(Member, Member.id == NUMBER.c.member_id)
            .where(text("member_trigram MATCH :phrases").bindparams(phrases=phrases))
        )
    return query.where(*_like(typed))


def _piece(word: str) -> str:
    """A short word stands for the beginning of one."""
    return word.rjust(LETTERS) if len(word) < LETTERS else word


def _only(kept: MemberFilter) -> list[Condition]:
    wanted = (
        (Member.is_active, kept.is_active),
        (Member.is_guest, kept.is_guest),
        (Member.is_admin, kept.is_admin),
    )
    return [and_(column) if value else not_(column) for column, value in wanted if value is not None]


def _in_order(ids: list[uuid.UUID]) -> tuple[Member, ...]:
    rows = {row.id: row for row in session().scalars(select(Member).where(Member.id.in_(ids)))} if ids else {}
    return tuple(rows[each] for each in ids if each in rows)
