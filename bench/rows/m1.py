"""M1: searching members while typing, on SQLite and PostgreSQL, compared with ILIKE over the same rows.

Ours is the whole service call. A million members are more than any firm has; they show whether the cost grows with the
table.
"""

from __future__ import annotations

import tempfile
import time
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

from sqlalchemy import insert, or_, select, text

from app import create_app
from bench.databases import postgresql, sqlite
from bench.measure import Line, Options, median, percentile
from config import Settings
from models import Member, db, new_id
from models.member_search import UP
from services.core.actor import Actor
from services.core.text.normalise import search_fold
from services.core.unit_of_work import checkpoint, session, unit_of_work
from services.directory import people
from services.directory.search import key_of

MOST_MS = {100_000: 10.0, 1_000_000: 15.0}
LEAST_OVER_ILIKE = 50.0
TERMS = 40
ILIKE_TERMS = 5
BATCH = 5_000
BEGINNINGS = (
    *(
        "an",
        "be",
        "cla",
        "da",
        "el",
        "fri",
        "ga",
        "han",
        "in",
        "jo",
        "ka",
        "lu",
        "ma",
        "ni",
        "ol",
        "pe",
        "qui",
    ),
    *("ro", "sa", "ti", "ur", "vi", "wal", "xa", "yu", "za"),
)
MIDDLES = (
    "ba",
    "der",
    "fer",
    "gor",
    "hel",
    "lin",
    "man",
    "nar",
    "pol",
    "rit",
    "ser",
    "tam",
    "ven",
    "wig",
    "zel",
)
ENDS = (
    "a",
    "bach",
    "dorf",
    "er",
    "feld",
    "ger",
    "ich",
    "ke",
    "ler",
    "mann",
    "ner",
    "o",
    "rath",
    "stein",
    "u",
)
DOMAINS = ("firm.test", "bank.test", "chambers.test", "insurer.test")
ABSENT = ("qxz", "zqx", "xqjzvk", "qqzzjx")


def run(options: Options) -> list[Line]:
    counts = (100_000, 1_000_000) if options.full else (100_000,)
    lines = []
    for name, database in (("SQLite", sqlite), ("PostgreSQL", postgresql)):
        for count in counts:
            with database(options.folder) as url:
                lines += _on(name, url, count, options.folder)
    return lines


def _on(name: str, url: str, count: int, folder: Path) -> list[Line]:
    data_dir = tempfile.mkdtemp(prefix="data-", dir=folder)
    environ = {"COUNTERPART_DATA_DIR": data_dir, "COUNTERPART_DATABASE_URL": url}
    with create_app(Settings.from_env(environ)).app_context():
        db.create_all()
        chance = Random(1)
        _fill(chance, count)
        who = Actor(new_id(), "Ada", "ada@firm.test", is_admin=True)
        kinds = {f"{length} letters": _terms(chance, length) for length in (2, 3, 6)} | {
            "absent": ABSENT * 10
        }
        lines = [_line(name, count, who, kind, terms) for kind, terms in kinds.items()]
        db.session.remove()
        db.engine.dispose()
    return lines


def _line(name: str, count: int, who: Actor, kind: str, terms: tuple[str, ...]) -> Line:
    ours = partial(people.search_people, who, staff_only=False)
    ours(terms[0])
    found = [_milliseconds(ours, term) for term in terms]
    plain = [_milliseconds(_ilike, term) for term in terms[:ILIKE_TERMS]]
    worst = percentile(found, 0.95)
    faster = median(plain) / median(found)
    is_full = count == 1_000_000
    goal = f"p95 <= {MOST_MS[count]:.0f} ms" + (f", >= {LEAST_OVER_ILIKE:.0f} x faster" if is_full else "")
    return Line(
        "M1",
        f"{count:,} members on {name}, {kind}",
        f"p95 {worst:.1f} ms, p50 {median(found):.1f} ms",
        f"ILIKE p50 {median(plain):.0f} ms: {faster:.0f} x",
        goal,
        worst <= MOST_MS[count] and (not is_full or faster >= LEAST_OVER_ILIKE),
    )


def _milliseconds(act: Callable[[str], object], term: str) -> float:
    began = time.perf_counter()
    act(term)
    seconds = time.perf_counter() - began
    session().rollback()
    return seconds * 1000


def _ilike(term: str) -> None:
    pattern = f"%{term}%"
    query = select(Member).where(or_(Member.name.ilike(pattern), Member.email.ilike(pattern)))
    session().scalars(query.order_by(Member.name).limit(20)).all()


def _terms(chance: Random, length: int) -> tuple[str, ...]:
    """Substrings of existing names; those of two letters are prefixes."""
    found: list[str] = []
    while len(found) < TERMS:
        word = _word(chance)
        start = 0 if length == 2 else chance.randrange(max(1, len(word) - length + 1))
        if len(piece := word[start : start + length]) == length:
            found.append(piece)
    return tuple(found)


def _word(chance: Random) -> str:
    middles = "".join(chance.choices(MIDDLES, k=chance.randint(0, 2)))
    return chance.choice(BEGINNINGS) + middles + chance.choice(ENDS)


def _fill(chance: Random, count: int) -> None:
    """Fill the table, and analyse and checkpoint the database.

    On PostgreSQL the index is created at the end, which is faster.
    """
    is_postgresql = db.engine.dialect.name == "postgresql"
    if is_postgresql:
        _do("DROP INDEX member_trigram")
    for start in range(0, count, BATCH):
        with unit_of_work() as writing:
            writing.execute(insert(Member), [_row(chance, start + number) for number in range(BATCH)])
    if is_postgresql:
        for statement in (*UP["postgresql"], "VACUUM ANALYZE member", "CHECKPOINT"):
            _do(statement)
    else:
        with unit_of_work() as writing:
            writing.execute(text("ANALYZE"))
        checkpoint()


def _do(statement: str) -> None:
    """Execute outside of any transaction."""
    session().rollback()
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(statement)


def _row(chance: Random, number: int) -> dict[str, object]:
    first, last = _word(chance).title(), _word(chance).title()
    name, email = f"{first} {last}", f"{first}.{last}{number}@{chance.choice(DOMAINS)}".lower()
    return {
        "id": uuid.UUID(int=chance.getrandbits(128)),
        "name": name,
        "name_key": search_fold(name),
        "email": email,
        "email_key": email,
        "search_key": key_of(name, email),
        "password_hash": "",
        "is_guest": chance.random() < 0.3,
        "is_active": chance.random() < 0.95,
    }
