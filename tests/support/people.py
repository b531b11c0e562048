"""Members, guests and their sessions, written directly to the tables."""

from __future__ import annotations

import itertools

from models import Member
from services.auth import sessions
from services.core.actor import Actor
from services.core.text.normalise import search_fold
from services.core.unit_of_work import unit_of_work
from services.directory import organisations
from services.directory.organisations import key_of as key_of_organisation
from services.directory.search import key_of

_numbers = itertools.count(1)


def make_member(
    name: str = "",
    *,
    email: str = "",
    organisation: str = "",
    is_admin: bool = False,
    is_guest: bool = False,
    is_active: bool = True,
    password_hash: str = "-",
) -> Member:
    """A member with a unique name and email. No password matches unless a real hash is given."""
    number = next(_numbers)
    name = name or f"Member {number}"
    email = email or f"member{number}@firm.test"
    with unit_of_work() as session:
        known = organisations.require([organisation]) if is_guest else {}
        member = Member(
            email=email,
            email_key=email.casefold(),
            name=name,
            name_key=search_fold(name),
            search_key=key_of(name, email),
            organisation=organisation,
            organisation_id=known[key_of_organisation(organisation)].id if known else None,
            password_hash=password_hash,
            is_admin=is_admin,
            is_guest=is_guest,
            is_active=is_active,
        )
        session.add(member)
    return member


def actor_of(member: Member) -> Actor:
    """An actor with a live session, as a request would have."""
    with unit_of_work():
        token = sessions.begin(member.id)
    person = sessions.resume(token)
    assert person is not None
    return person
