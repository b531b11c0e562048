"""A pasted list of emails, matched with members who can be listed for a server."""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import select

from models import Member
from services.access import permissions
from services.core.actor import Actor
from services.core.text.email_addresses import email_key, email_problem
from services.core.unit_of_work import session
from services.directory.people import Person, person_of

MOST_EMAILS = 2000
QUERY_SIZE = 500
LONGEST_SHOWN = 80

_BETWEEN = re.compile(r"[\n\r;\t]+")
_WORD_BREAKS = re.compile(r"[\s,<>\"]+")


@dataclass(frozen=True)
class Pasted:
    """The sorted list. `unknown` are emails of no member, `unread` is text without an email, `left_out` a number."""

    matched: tuple[Person, ...] = ()
    already: tuple[Person, ...] = ()
    inactive: tuple[Person, ...] = ()
    guests: tuple[Person, ...] = ()
    unknown: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    left_out: int = 0

    @property
    def ids(self) -> tuple[uuid.UUID, ...]:
        """The members to add to the list."""
        return tuple(each.id for each in self.matched)


def match(actor: Actor, typed: str, chosen: Collection[uuid.UUID] = ()) -> Pasted:
    """Sort a list as mail programs and spreadsheets write it: one email a line, or separated by , or ;

    `Name <address>` is read as the address. Emails beyond MOST_EMAILS are left out and counted.
    """
    permissions.require_admin(actor)
    emails, unread = _read(typed)
    wanted, left_out = dict(islice(emails.items(), MOST_EMAILS)), max(0, len(emails) - MOST_EMAILS)
    known = {row.email_key: row for row in _members(wanted)}
    sorted_rows: dict[str, list[Person]] = {"matched": [], "already": [], "inactive": [], "guests": []}
    for key in wanted:
        if row := known.get(key):
            sorted_rows[_kind(row, chosen)].append(person_of(row))
    return Pasted(
        **{kind: tuple(people) for kind, people in sorted_rows.items()},
        unknown=tuple(email for key, email in wanted.items() if key not in known),
        unread=tuple(unread),
        left_out=left_out,
    )


def _kind(row: Member, chosen: Collection[uuid.UUID]) -> str:
    if row.id in chosen:
        return "already"
    if row.is_guest:
        return "guests"
    return "matched" if row.is_active else "inactive"


def _read(typed: str) -> tuple[dict[str, str], list[str]]:
    """Emails by key in the order of the list, and the text that is not an email."""
    emails: dict[str, str] = {}
    unread: list[str] = []
    for piece in _BETWEEN.split(typed.replace("\0", " ")):
        for word in _addresses(piece):
            if email_problem(word) is None:
                emails.setdefault(email_key(word), word)
            elif word:
                unread.append(word[:LONGEST_SHOWN])
    return emails, unread


def _addresses(piece: str) -> list[str]:
    """The words with an @ (the others are names), or the whole piece where there is none."""
    if "@" not in piece:
        return [piece.strip()]
    words = _WORD_BREAKS.split(piece)
    return [word.strip("'()").removeprefix("mailto:") for word in words if "@" in word]


def _members(keys: Iterable[str]) -> Iterator[Member]:
    rest = iter(keys)
    while some := list(islice(rest, QUERY_SIZE)):
        yield from session().scalars(select(Member).where(Member.email_key.in_(some)))
