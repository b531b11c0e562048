"""The keys of this installation: whether this process has them, and how one takes the place of another.

The fingerprint of the key that is sealed with stands in the database. A process that has not got that key would take
sign-ins for lost that others can open, so it does not start. A new key is first given to all processes, which go on
sealing with the old one; `rotate` makes it the one that is sealed with, and seals anew whatever the old one sealed.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, func, not_, select, update
from sqlalchemy.exc import IntegrityError

import key_file
from models import Installation, db, utcnow
from services.auth import sessions
from services.core import audit, encryption
from services.core.actor import SYSTEM
from services.core.runtime import runtime
from services.core.unit_of_work import release, session, unit_of_work

ROW = 1
BATCH = 200
Place = tuple[str, str]


@dataclass(frozen=True)
class Count:
    """Of the values of one column: all, those that an older key sealed, and those that do not open."""

    place: Place
    sealed: int
    older: int
    lost: int

    @property
    def name(self) -> str:
        return ".".join(self.place)


@dataclass(frozen=True)
class Rotation:
    """What one run of `rotate` did. `new_key`: to be put into the environment, where the keys come from there."""

    sealed_with: str
    made_key: bool = False
    sealed_anew: int = 0
    left: int = 0
    lost: int = 0
    older_keys: tuple[str, ...] = ()
    may_go_at: datetime | None = None
    new_key: str = field(default="", repr=False)


def refusal() -> str | None:
    """Why this process must not start, None where its keys open what is stored. The first process leaves its mark."""
    marks = _marks()
    current = _adopt(marks[0])
    if current not in marks and encryption.reload_keys():
        marks = _marks()
    missing = 0 if current not in marks else sum(_sealed_with_none_of(marks, lasting=True).values())
    release()
    if current in marks and not missing:
        encryption.seal_with(current)
        return None
    return (
        "The keys of this process do not open what is stored in the database. "
        f"It needs {'the key ' + encryption.key_id(current) if current not in marks else 'an older key'}"
        f"{f' for {missing} values' if missing else ''} and has {', '.join(map(encryption.key_id, marks))}.\n"
        "Give it the keys that the other processes have: the file secret.keys in COUNTERPART_DATA_DIR, or "
        "COUNTERPART_SECRET_KEYS. Where they are lost for good: flask --app app keys rotate --old-keys-are-lost"
    )


def check() -> tuple[Count, ...]:
    """Open every sealed value."""
    current = _current() or encryption.fingerprint(encryption.keys()[0])
    counts = []
    for place in encryption.SEALED_COLUMNS:
        seen: Counter[str] = Counter()
        for row_id, sealed in _values(place):
            seen["sealed"] += 1
            seen["older"] += not encryption.is_sealed_with(current, sealed)
            seen["lost"] += _opened(place, row_id, sealed) is None
        counts.append(Count(place, seen["sealed"], seen["older"], seen["lost"]))
    release()
    return tuple(counts)


def rotate() -> Rotation:
    """Go on with a rotation, or begin one. May be broken off at any moment and begun again.

    While there is an older key beside the one that is sealed with, no other is made. Raises KeyFileError.
    """
    keys = encryption.keys()
    current = _adopt(encryption.fingerprint(keys[0]))
    is_first = encryption.fingerprint(keys[0]) == current
    if is_first and len(keys) > 1:
        return _sealed_anew(current)
    if not is_first:
        return _switched(made_key=False)
    path = runtime().settings.data_dir / key_file.NAME
    if not path.exists() or keys[0] not in key_file.read(path):
        return Rotation(sealed_with=current, new_key=key_file.new_key())
    key_file.replace(path, (key_file.new_key(), *key_file.read(path)))
    encryption.reload_keys()
    return _switched(made_key=True)


def discard_undecryptable() -> Rotation:
    """The keys that sealed it are lost: what does not open is erased, so that it can be entered again."""
    mark, lost = encryption.fingerprint(encryption.keys()[0]), 0
    for place, (table, column) in _columns().items():
        for row_id, sealed in list(_values(place)):
            if _opened(place, row_id, sealed) is None:
                empty = None if column.nullable else ""
                with unit_of_work() as writing:
                    writing.execute(
                        update(table)
                        .where(table.c.id == row_id, column == sealed)
                        .values({column.name: empty})
                    )
                lost += 1
    with unit_of_work():
        _row().sealing_key, _row().sealing_key_since = mark, utcnow()
        audit.record(SYSTEM, "keys.lost", encryption.key_id(mark), lost=lost)
    encryption.seal_with(mark)
    return Rotation(sealed_with=mark, lost=lost)


def _switched(*, made_key: bool) -> Rotation:
    mark = encryption.fingerprint(encryption.keys()[0])
    with unit_of_work():
        _row().sealing_key, _row().sealing_key_since = mark, utcnow()
        audit.record(SYSTEM, "keys.rotated", encryption.key_id(mark))
    return _sealed_anew(mark, made_key=made_key)


def _sealed_anew(mark: str, *, made_key: bool = False) -> Rotation:
    encryption.seal_with(mark)
    done = sum(_seal_anew(place, mark) for place in encryption.SEALED_COLUMNS)
    counts = check()
    since = _row().sealing_key_since or utcnow()
    older = tuple(encryption.key_id(each) for each in _marks() if each != mark)
    release()
    return Rotation(
        sealed_with=mark,
        made_key=made_key,
        sealed_anew=done,
        left=sum(count.older for count in counts),
        lost=sum(count.lost for count in counts),
        older_keys=older,
        may_go_at=since + sessions.LONGEST,
    )


def _seal_anew(place: Place, mark: str) -> int:
    """Whoever writes a value meanwhile has the last word: it is sealed anew only while it stands as it was read."""
    table, column = _columns()[place]
    done, after = 0, None
    while True:
        query = select(table.c.id, column).where(_is_sealed(column), not_(_begins(column, mark)))
        if after is not None:
            query = query.where(table.c.id > after)
        with unit_of_work() as writing:
            rows = writing.execute(query.order_by(table.c.id).limit(BATCH)).all()
            for row_id, sealed in rows:
                text = _opened(place, row_id, sealed)
                if text is not None:
                    anew = encryption.seal(text, place[0], row_id, place[1])
                    changing = update(table).where(table.c.id == row_id, column == sealed)
                    found = writing.scalar(changing.values({column.name: anew}).returning(table.c.id))
                    done += found is not None
        if not rows:
            return done
        after = rows[-1][0]


def _adopt(mark: str) -> str:
    """The fingerprint on record; ours where there was none and nothing stored says that ours is another's."""
    current = _current()
    if current is not None:
        return current
    strange = _sealed_with_none_of(_marks(), lasting=True)
    if strange:
        return strange.most_common(1)[0][0]
    try:
        with unit_of_work() as writing:
            row = writing.get(Installation, ROW, with_for_update=True) or Installation(id=ROW)
            if row.sealing_key is None:
                row.sealing_key, row.sealing_key_since = mark, utcnow()
                writing.add(row)
    except IntegrityError:
        pass  # another process was first
    return _current() or mark


def _current() -> str | None:
    found = session().scalar(select(Installation.sealing_key).where(Installation.id == ROW))
    release()
    return found


def _row() -> Installation:
    return session().get_one(Installation, ROW)


def _marks() -> list[str]:
    return list(map(encryption.fingerprint, encryption.keys()))


def _columns() -> Mapping[Place, tuple[Table, ColumnElement[Any]]]:
    tables = db.metadata.tables
    return {place: (tables[place[0]], tables[place[0]].c[place[1]]) for place in encryption.SEALED_COLUMNS}


def _is_sealed(column: ColumnElement[Any]) -> ColumnElement[bool]:
    return and_(column.is_not(None), column != "")


def _begins(column: ColumnElement[Any], mark: str) -> ColumnElement[bool]:
    return column.startswith(encryption.prefix(mark), autoescape=True)


def _values(place: Place) -> Iterator[tuple[uuid.UUID, str]]:
    table, column = _columns()[place]
    found = session().execute(select(table.c.id, column).where(_is_sealed(column)).order_by(table.c.id))
    yield from found.yield_per(BATCH)


def _opened(place: Place, row_id: uuid.UUID, sealed: str) -> str | None:
    try:
        return encryption.unseal(sealed, place[0], row_id, place[1])
    except (encryption.DecryptionError, encryption.StaleKeysError):
        return None


def _sealed_with_none_of(marks: list[str], *, lasting: bool) -> Counter[str]:
    """The ids of the keys that sealed what none of these opens, each with the number of values."""
    found: Counter[str] = Counter()
    start = len(encryption.VERSION) + 2
    for place, (_, column) in _columns().items():
        if lasting and encryption.SEALED_COLUMNS[place]:
            continue
        named = func.substr(column, start, encryption.ID_LENGTH)
        strange = and_(_is_sealed(column), *(not_(_begins(column, mark)) for mark in marks))
        found.update(
            dict(session().execute(select(named, func.count()).where(strange).group_by(named)).all())
        )
    return found
