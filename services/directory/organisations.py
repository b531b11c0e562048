"""Organisations of guests: one for each name, whatever its spelling in letter case and accents."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select, update

from models import Member, Organisation, new_id, utcnow
from services.core.text.normalise import clean_line, fold
from services.core.unit_of_work import session, upsert

LONGEST_KEY = 400


@dataclass(frozen=True)
class OrganisationName:
    id: uuid.UUID
    name: str


def key_of(name: str) -> str:
    """The key of an organisation's name: two spellings with one key are one organisation."""
    return fold(name)[:LONGEST_KEY]


def require(names: Collection[str]) -> dict[str, OrganisationName]:
    """The organisations of these names by key, in the open unit of work; new ones are added.

    Known ones keep the spelling that they have.
    """
    wanted = {key_of(name): clean_line(name) for name in names if name}
    if not wanted:
        return {}
    query = select(Organisation.name_key, Organisation.id, Organisation.name).where(
        Organisation.name_key.in_(wanted)
    )
    found = session().execute(query).all()
    if new := wanted.keys() - {row.name_key for row in found}:
        rows = [
            {"id": new_id(), "name": wanted[key], "name_key": key, "created_at": utcnow()}
            for key in sorted(new)
        ]
        session().execute(upsert(Organisation).on_conflict_do_nothing(), rows)
        found = session().execute(query).all()
    return {row.name_key: OrganisationName(row.id, row.name) for row in found}


def names(limit: int) -> tuple[str, ...]:
    """The first names in their order."""
    return tuple(session().scalars(select(Organisation.name).order_by(Organisation.name_key).limit(limit)))


def rename(organisation_id: uuid.UUID, name: str) -> None:
    """Change an organisation's name for all its guests, in the open unit of work."""
    session().execute(
        update(Organisation)
        .where(Organisation.id == organisation_id)
        .values(name=name, name_key=key_of(name))
    )
    session().execute(
        update(Member).where(Member.organisation_id == organisation_id).values(organisation=name)
    )
