"""What is known of each server: facts that were measured, that an admin told, or that are assumed.

The client of every call gets them with its token. They are read from the database when they change, not for each call.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

import structlog
from sqlalchemy import select

from imanage.server_facts import ASSUMED, FACTS, ServerFacts, Value, fits, read, stored, value_of
from imanage.server_facts import Fact as Fact
from models import Server, ServerFact, utcnow
from services.access import permissions
from services.core.actor import SYSTEM, Actor
from services.core.errors import ConflictError, InvalidError, NotFoundError
from services.core.text.normalise import clean_line
from services.core.unit_of_work import release, session, unit_of_work
from services.guidance.refusals import refusal
from services.servers import registry

MEASURED, TOLD, ASSUMED_SOURCE = "measured", "told", "assumed"
SOURCES = {MEASURED: "Measured", TOLD: "Told by an admin", ASSUMED_SOURCE: "Assumed"}
NEEDS = {
    "reading": "",
    "folder": "Learned with a scratch folder only.",
    "sign_in": "Learned from a sign-in.",
    "use": "Cannot be measured.",
}
MOST_CHARACTERS = 4000

log = structlog.get_logger()
_kept: dict[uuid.UUID, tuple[datetime, ServerFacts]] = {}


@dataclass(frozen=True)
class FactRow:
    """One fact as its page shows it. `differs`: from what is publicly known."""

    name: str
    title: str
    value: str
    source: str
    source_label: str
    at: datetime | None
    version: str
    by: str
    drives: str
    note: str
    is_doubted: bool
    differs: bool
    can_be_told: bool


@dataclass(frozen=True)
class FactsPage:
    """Every fact of a server, in groups."""

    groups: tuple[tuple[str, tuple[FactRow, ...]], ...]

    def count(self, source: str) -> int:
        return sum(row.source == source for _group, rows in self.groups for row in rows)

    @property
    def doubted(self) -> tuple[FactRow, ...]:
        """Facts that the server contradicted: they are not used until they are learned again."""
        return tuple(row for _group, rows in self.groups for row in rows if row.is_doubted)


@dataclass(frozen=True)
class Counts:
    """How many facts were measured, told and contradicted; the others are assumed."""

    measured: int = 0
    told: int = 0
    doubted: int = 0


def counts(server: Server) -> Counts:
    """For the server's page; without rows, no query."""
    if server.facts_changed_at is None:
        return Counts()
    rows = list(_rows(server.id).values())
    return Counts(
        measured=sum(row.source == MEASURED and not row.is_doubted for row in rows),
        told=sum(row.source == TOLD for row in rows),
        doubted=sum(row.is_doubted for row in rows),
    )


def of(server: Server) -> ServerFacts:
    """The facts about a server; without rows, the assumed ones and no query."""
    changed = server.facts_changed_at
    if changed is None:
        _kept.pop(server.id, None)
        return ASSUMED
    kept = _kept.get(server.id)
    if kept is None or kept[0] != changed:
        rows = [row for row in _rows(server.id).values() if not row.is_doubted]
        measured = frozenset(row.fact for row in rows if row.source == MEASURED)
        facts = ASSUMED.with_values({row.fact: row.value for row in rows}, measured)
        kept = _kept[server.id] = changed, facts
    return kept[1]


def last_used(server_id: uuid.UUID) -> ServerFacts:
    """The facts of this process's latest call to the server, without a query."""
    kept = _kept.get(server_id)
    return kept[1] if kept else ASSUMED


def page(actor: Actor, server_id: uuid.UUID) -> FactsPage:
    """Every fact of one server."""
    registry.require_server(actor, server_id)
    return FactsPage(groups(server_id))


def groups(server_id: uuid.UUID) -> tuple[tuple[str, tuple[FactRow, ...]], ...]:
    """Every fact of one server by its group, for the command."""
    rows = _rows(server_id)
    shown = [(fact.group, _row(fact, rows.get(fact.name))) for fact in FACTS.values()]
    return tuple(
        (group, tuple(row for _group, row in some)) for group, some in groupby(shown, lambda each: each[0])
    )


def fact_to_tell(actor: Actor, server_id: uuid.UUID, name: str) -> tuple[Fact, FactRow, str]:
    """A fact that an admin may correct: its description, its row, and its value as the form's text."""
    registry.require_server(actor, server_id)
    fact = _tellable(name)
    row = _rows(server_id).get(name)
    value = row.value if row is not None else stored(value_of(ASSUMED, name))
    return fact, _row(fact, row), _as_text(fact, read(fact, value))


def tell(actor: Actor, server_id: uuid.UUID, name: str, text: str) -> str:
    """Correct a fact; returns its title. Raises InvalidError for a value that does not fit."""
    permissions.require_admin(actor)
    fact = _tellable(name)
    value = stored(_parsed(fact, text))
    if not fits(fact, value):
        raise InvalidError({"value": "Enter a value that fits."})
    with unit_of_work() as writing:
        server = registry.locked(server_id)
        before = _rows(server_id).get(name)
        shown_before = _row(fact, before).value
        row = before or ServerFact(server_id=server_id, fact=name)
        row.value, row.source, row.at, row.version = value, TOLD, utcnow(), ""
        row.by, row.note, row.is_doubted = actor.name[:300], "", False
        writing.add(row)
        _changed(server)
        registry.record(
            actor, "server.fact_told", server, fact=fact.title, before=shown_before, value=shown(fact, value)
        )
    return fact.title


def forget(actor: Actor, server_id: uuid.UUID, name: str) -> str:
    """Return to the assumed value of a fact that an admin told or that was measured; returns its title."""
    permissions.require_admin(actor)
    fact = _tellable(name)
    with unit_of_work() as writing:
        server = registry.locked(server_id)
        row = _rows(server_id).get(name)
        if row is None:
            raise refusal(ConflictError, "server.fact_assumed")
        before = shown(fact, row.value)
        writing.delete(row)
        _changed(server)
        registry.record(actor, "server.fact_forgotten", server, fact=fact.title, before=before)
    return fact.title


def measure(server_id: uuid.UUID, values: Mapping[str, Value], version: str, note: str = "") -> None:
    """Store measured facts, in the open unit of work. What an admin told stays; a difference is noted beside it."""
    server, rows = registry.locked(server_id), _rows(server_id)
    for name, value in values.items():
        fact, as_stored = FACTS[name], stored(value)
        row = rows.get(name)
        if row is not None and row.source == TOLD:
            same = read(fact, row.value) == read(fact, as_stored)
            otherwise = note or f"iManage showed otherwise: {shown(fact, as_stored)}."
            row.note = "" if same else otherwise[:300]
            continue
        row = row or ServerFact(server_id=server_id, fact=name)
        row.value, row.source, row.at, row.version = as_stored, MEASURED, utcnow(), version[:100]
        row.by, row.note, row.is_doubted = "", note[:300], False
        session().add(row)
    _changed(server)


def learn_from_use(server_id: uuid.UUID, name: str, value: Value, note: str) -> bool:
    """Store a fact that calls have shown, and tell the admins. False where an admin said otherwise: that stays."""
    fact = FACTS[name]
    with unit_of_work():
        server, rows = session().get(Server, server_id, with_for_update=True), _rows(server_id)
        if server is None:
            return False
        row = rows.get(name)
        told = row is not None and row.source == TOLD
        if row is not None and not row.is_doubted and read(fact, row.value) == read(fact, stored(value)):
            return True
        version = str(rows["version"].value) if "version" in rows else ""
        measure(server_id, {name: value}, version, note)
        if not told:
            registry.record(
                SYSTEM, "server.fact_learned", server, fact=fact.title, value=shown(fact, stored(value))
            )
    return not told


def doubt(server_id: uuid.UUID, found: Mapping[str, str]) -> None:
    """The server contradicted facts: measured ones are not used until learned again, told ones are marked."""
    if not _without_note(found, _rows(server_id)):
        release()
        return
    with unit_of_work():
        server, rows = session().get(Server, server_id, with_for_update=True), _rows(server_id)
        doubted = _without_note(found, rows)
        if server is None or not doubted:
            return
        for name in doubted:
            rows[name].note = found[name][:300]
            rows[name].is_doubted = rows[name].source == MEASURED
        _changed(server)
        titles = [FACTS[name].title for name in doubted]
        registry.record(SYSTEM, "server.fact_doubted", server, facts=titles)


def _without_note(names: Iterable[str], rows: Mapping[str, ServerFact]) -> list[str]:
    return [name for name in names if name in rows and not rows[name].note]


def note_version(server_id: uuid.UUID, version: str) -> None:
    """A sign-in shows the server's version, in the open unit of work: facts measured on another one are doubted."""
    rows = _rows(server_id)
    old = sorted({row.version for row in rows.values() if row.source == MEASURED and row.version != version})
    if not version or not old:
        return
    server = registry.locked(server_id)
    for row in rows.values():
        if row.source == MEASURED and row.version != version and not row.note:
            row.note = f"Measured on version {row.version or 'unknown'}; the server now is {version[:100]}."[
                :300
            ]
    _changed(server)
    registry.record(SYSTEM, "server.version_changed", server, before=old, now=version)


def report(actor: Actor, server_id: uuid.UUID) -> str:
    """Where this server differs from what is publicly known, without names, addresses or ids: fit to be sent on."""
    registry.require_server(actor, server_id)
    rows = _rows(server_id)
    version = read(FACTS["version"], rows["version"].value) if "version" in rows else "not measured"
    differing, same, assumed = [], [], []
    for fact in FACTS.values():
        row = rows.get(fact.name)
        if row is None or row.is_doubted:
            assumed.append(fact.title)
        elif fact.name == "version":
            continue
        elif _differs(fact, row.value):
            differing.append(
                f"{fact.title}: {_nameless(fact, row.value)} ({SOURCES[row.source].lower()};"
                f" publicly known: {_nameless(fact, stored(value_of(ASSUMED, fact.name)))})"
            )
        else:
            same.append(fact.title)
    parts = [
        ("Facts about an iManage server", [f"Version of iManage: {version}"]),
        ("Different from what is publicly known", differing or ["None found."]),
        ("As publicly known", same or ["Nothing has been measured."]),
        ("Not measured, so assumed", assumed or ["None."]),
    ]
    return "\n".join(
        "\n".join([title, "-" * len(title), *(f"* {line}" for line in lines), ""]) for title, lines in parts
    )


def shown(fact: Fact, value: Any) -> str:
    """A value in words."""
    found = read(fact, value)
    match fact.kind:
        case "yes_no":
            return "Yes" if found else "No"
        case "choice":
            return fact.choices.get(str(found), str(found))
        case "number":
            return "Not known" if found is None else f"{found:,}"
        case "words":
            return ", ".join(found) or "None"
        case "pairs":
            return ", ".join(f"{name}: {found[name]}" for name in sorted(found)) or "None"
        case _:
            return str(found) or "None"


def _row(fact: Fact, row: ServerFact | None) -> FactRow:
    value = row.value if row is not None else stored(value_of(ASSUMED, fact.name))
    source = row.source if row is not None else ASSUMED_SOURCE
    return FactRow(
        name=fact.name,
        title=fact.title,
        value=shown(fact, value),
        source=source,
        source_label=SOURCES[source],
        at=row.at if row is not None else None,
        version=row.version if row is not None else "",
        by=row.by if row is not None else "",
        drives=fact.drives,
        note=(row.note if row is not None else NEEDS[fact.needs]),
        is_doubted=row is not None and row.is_doubted,
        differs=_differs(fact, value),
        can_be_told=fact.told,
    )


def _differs(fact: Fact, value: Any) -> bool:
    return fact.name != "version" and read(fact, value) != value_of(ASSUMED, fact.name)


def _nameless(fact: Fact, value: Any) -> str:
    """The value without what a firm may have named itself: of pairs, only those that are publicly known."""
    found = read(fact, value)
    if fact.kind == "pairs":
        known = value_of(ASSUMED, fact.name)
        assert isinstance(known, Mapping)
        changed = sorted(name for name in known if found.get(name) != known[name])
        lines = [f"{name}: {'another type' if name in found else 'none'}" for name in changed]
        return ", ".join([*lines, f"{len(found)} in all"])
    if fact.kind == "text" and fact.told:
        return "none" if not found else "set"
    return shown(fact, value)


def _rows(server_id: uuid.UUID) -> dict[str, ServerFact]:
    found = session().scalars(select(ServerFact).where(ServerFact.server_id == server_id))
    return {row.fact: row for row in found if row.fact in FACTS}


def _changed(server: Server) -> None:
    """Every process reads the facts again at its next call."""
    session().flush()
    server.facts_changed_at = utcnow()


def _tellable(name: str) -> Fact:
    fact = FACTS.get(name)
    if fact is None or not fact.told:
        raise NotFoundError("We could not find this fact.")
    return fact


def _as_text(fact: Fact, value: Any) -> str:
    """A value as the form's field holds it."""
    match fact.kind:
        case "yes_no":
            return "yes" if value else "no"
        case "words":
            return ", ".join(value)
        case "pairs":
            return "\n".join(f"{name} = {value[name]}" for name in sorted(value))
        case _:
            return "" if value is None else str(value)


def _parsed(fact: Fact, text: str) -> Value:
    if len(text) > MOST_CHARACTERS:
        raise InvalidError({"value": f"Use {MOST_CHARACTERS:,} characters or fewer."})
    line = clean_line(text)
    match fact.kind:
        case "yes_no" if line in {"yes", "no"}:
            return line == "yes"
        case "choice" if line in fact.choices:
            return line
        case "yes_no" | "choice":
            raise InvalidError({"value": "Choose one of these."})
        case "number":
            return _number(fact, line)
        case "words":
            return tuple(dict.fromkeys(word for part in line.split(",") if (word := part.strip())))
        case "pairs":
            return _pairs(text)
        case _:
            return line


def _number(fact: Fact, line: str) -> int | None:
    digits = line.replace(",", "").replace(" ", "")
    if not digits and value_of(ASSUMED, fact.name) is None:
        return None
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 15 and int(digits)):
        raise InvalidError({"value": "Enter a whole number above 0."})
    return int(digits)


def _pairs(text: str) -> dict[str, str]:
    found = {}
    for line in filter(None, map(clean_line, text.splitlines())):
        name, mark, value = (part.strip() for part in line.partition("="))
        if not (mark and name and value):
            raise InvalidError({"value": "Enter one pair a line, such as: docx = WORDX"})
        found[name.lower().lstrip(".")] = value
    return found
