"""Members and guests: finding them, listing them for admins, and adding them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from operator import attrgetter

from sqlalchemy import SQLColumnExpression, select

from models import Member
from services.actor import Actor
from services.text import ESCAPE, fold, like_pattern
from services.unit import session

Condition = SQLColumnExpression[bool]

PAGE = 20
# Up to this many matches are sorted here: a database asked for "the first 20 by name" of a few rare matches
# walks the whole index of names to find them.
SORTED_HERE = 500


@dataclass(frozen=True)
class PersonView:
    """A person as others find him: enough to tell two namesakes apart."""

    id: uuid.UUID
    name: str
    email: str
    organisation: str
    is_guest: bool


def search_people(actor: Actor, text: str, *, staff_only: bool, limit: int = PAGE) -> tuple[PersonView, ...]:
    """Active people whose name or e-mail holds every word of the text, first by name. Guests find nobody."""
    if actor.is_guest or not _words(text):
        return ()
    conditions: list[Condition] = [Member.is_active, *_holds(text)]
    if staff_only:
        conditions.append(Member.is_guest.is_(False))
    return tuple(
        PersonView(row.id, row.name, row.email, row.organisation, row.is_guest)
        for row in _by_name(conditions, 0, limit)
    )


def _words(text: str) -> list[str]:
    return fold(text.replace("\0", " ")).split()


def _holds(text: str) -> list[Condition]:
    return [Member.search_key.like(like_pattern(word), escape=ESCAPE) for word in _words(text)]


def _by_name(conditions: list[Condition], start: int, count: int) -> list[Member]:
    query = select(Member).where(*conditions)
    some = session().scalars(query.limit(SORTED_HERE + 1)).all()
    if len(some) <= SORTED_HERE:
        return sorted(some, key=attrgetter("name_key", "email_key"))[start : start + count]
    ordered = query.order_by(Member.name_key, Member.email_key).offset(start).limit(count)
    return list(session().scalars(ordered))
