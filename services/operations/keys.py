"""The encryption keys of this installation: checking them at start, and rotating them.

The database stores the fingerprint of the current key. A process without that key would treat secrets as lost that
others can decrypt, so it does not start. A new key is first given to all processes, which keep encrypting with the old
one; `rotate` then makes it current and re-encrypts all secrets.
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
    """The encrypted values of one column: all, those under an older key, and those that cannot be decrypted."""

    place: Place
    sealed: int
    older: int
    lost: int

    @property
    def name(self) -> str:
        return ".".join(self.place)


@dataclass(frozen=True)
class Rotation:
    """The result of `rotate`. `new_key` is to be added to the environment, if the keys come from there."""

    sealed_with: str
    made_key: bool = False
    reencrypted: int = 0
    left: int = 0
    lost: int = 0
    older_keys: tuple[str, ...] = ()
    may_go_at: datetime | None = None
    new_key: str = field(default="", repr=False)


def refusal() -> str | None:
    """Why this process must not start; None if its keys match. The first process stores the fingerprint of its key."""
    fingerprints = _fingerprints()
    current = _current_or_ours(fingerprints[0])
    if current not in fingerprints and encryption.reload_keys():
        fingerprints = _fingerprints()
    missing = (
        0 if current not in fingerprints else sum(_under_unknown_keys(fingerprints, lasting=True).values())
    )
    release()
    if current in fingerprints and not missing:
        encryption.seal_with(current)
        return None
    return (
        "The encryption keys of this process do not match the secrets in the database. "
        f"It needs {'the key ' + encryption.key_id(current) if current not in fingerprints else 'an older key'}"
        f"{f' for {missing} values' if missing else ''} and has {', '.join(map(encryption.key_id, fingerprints))}.\n"
        "Give it the keys of the other processes: the file secret.keys in COUNTERPART_DATA_DIR, or "
        "COUNTERPART_SECRET_KEYS. If they are lost for good: flask --app app keys rotate --old-keys-are-lost"
    )


def check() -> tuple[Count, ...]:
    """Decrypt every stored secret."""
    current = _current() or encryption.fingerprint(encryption.keys()[0])
    counts = []
    for place in encryption.SEALED_COLUMNS:
        seen: Counter[str] = Counter()
        for row_id, sealed in _values(place):
            seen["sealed"] += 1
            seen["older"] += not encryption.is_sealed_with(current, sealed)
            seen["lost"] += _decrypted(place, row_id, sealed) is None
        counts.append(Count(place, seen["sealed"], seen["older"], seen["lost"]))
    release()
    return tuple(counts)


def rotate() -> Rotation:
    """Start a rotation, or continue one: it can be interrupted at any time. Raises KeyFileError.

    While an older key exists beside the current one, no new key is created.
    """
    keys = encryption.keys()
    current = _current_or_ours(encryption.fingerprint(keys[0]))
    is_first = encryption.fingerprint(keys[0]) == current
    if is_first and len(keys) > 1:
        return _reencrypted(current)
    if not is_first:
        return _switched(made_key=False)
    path = runtime().settings.data_dir / key_file.NAME
    if not path.exists() or keys[0] not in key_file.read(path):
        return Rotation(sealed_with=current, new_key=key_file.new_key())
    key_file.replace(path, (key_file.new_key(), *key_file.read(path)))
    encryption.reload_keys()
    return _switched(made_key=True)


def discard_undecryptable() -> Rotation:
    """The old keys are lost: erase the secrets that cannot be decrypted, so that they can be entered again."""
    fingerprint, lost = encryption.fingerprint(encryption.keys()[0]), 0
    for place, (table, column) in _columns().items():
        for row_id, sealed in list(_values(place)):
            if _decrypted(place, row_id, sealed) is None:
                empty = None if column.nullable else ""
                with unit_of_work() as writing:
                    writing.execute(
                        update(table)
                        .where(table.c.id == row_id, column == sealed)
                        .values({column.name: empty})
                    )
                lost += 1
    with unit_of_work():
        _row().sealing_key, _row().sealing_key_since = fingerprint, utcnow()
        audit.record(SYSTEM, "keys.lost", encryption.key_id(fingerprint), lost=lost)
    encryption.seal_with(fingerprint)
    return Rotation(sealed_with=fingerprint, lost=lost)


def _switched(*, made_key: bool) -> Rotation:
    fingerprint = encryption.fingerprint(encryption.keys()[0])
    with unit_of_work():
        _row().sealing_key, _row().sealing_key_since = fingerprint, utcnow()
        audit.record(SYSTEM, "keys.rotated", encryption.key_id(fingerprint))
    return _reencrypted(fingerprint, made_key=made_key)


def _reencrypted(fingerprint: str, *, made_key: bool = False) -> Rotation:
    encryption.seal_with(fingerprint)
    done = sum(_reencrypt(place, fingerprint) for place in encryption.SEALED_COLUMNS)
    counts = check()
    since = _row().sealing_key_since or utcnow()
    older = tuple(encryption.key_id(each) for each in _fingerprints() if each != fingerprint)
    release()
    return Rotation(
        sealed_with=fingerprint,
        made_key=made_key,
        reencrypted=done,
        left=sum(count.older for count in counts),
        lost=sum(count.lost for count in counts),
        older_keys=older,
        may_go_at=since + sessions.LONGEST,
    )


def _reencrypt(place: Place, fingerprint: str) -> int:
    """Re-encrypt a column in batches. A value that was changed in between is left alone."""
    table, column = _columns()[place]
    done, after = 0, None
    while True:
        query = select(table.c.id, column).where(_is_sealed(column), not_(_is_under(column, fingerprint)))
        if after is not None:
            query = query.where(table.c.id > after)
        with unit_of_work() as writing:
            rows = writing.execute(query.order_by(table.c.id).limit(BATCH)).all()
            for row_id, sealed in rows:
                text = _decrypted(place, row_id, sealed)
                if text is not None:
                    new = encryption.seal(text, place[0], row_id, place[1])
                    changing = update(table).where(table.c.id == row_id, column == sealed)
                    found = writing.scalar(changing.values({column.name: new}).returning(table.c.id))
                    done += found is not None
        if not rows:
            return done
        after = rows[-1][0]


def _current_or_ours(fingerprint: str) -> str:
    """The stored fingerprint; if there is none, ours, unless stored secrets use another key."""
    current = _current()
    if current is not None:
        return current
    unknown = _under_unknown_keys(_fingerprints(), lasting=True)
    if unknown:
        return unknown.most_common(1)[0][0]
    try:
        with unit_of_work() as writing:
            row = writing.get(Installation, ROW, with_for_update=True) or Installation(id=ROW)
            if row.sealing_key is None:
                row.sealing_key, row.sealing_key_since = fingerprint, utcnow()
                writing.add(row)
    except IntegrityError:
        pass  # another process stored it first
    return _current() or fingerprint


def _current() -> str | None:
    found = session().scalar(select(Installation.sealing_key).where(Installation.id == ROW))
    release()
    return found


def _row() -> Installation:
    return session().get_one(Installation, ROW)


def _fingerprints() -> list[str]:
    return list(map(encryption.fingerprint, encryption.keys()))


def _columns() -> Mapping[Place, tuple[Table, ColumnElement[Any]]]:
    tables = db.metadata.tables
    return {place: (tables[place[0]], tables[place[0]].c[place[1]]) for place in encryption.SEALED_COLUMNS}


def _is_sealed(column: ColumnElement[Any]) -> ColumnElement[bool]:
    return and_(column.is_not(None), column != "")


def _is_under(column: ColumnElement[Any], fingerprint: str) -> ColumnElement[bool]:
    return column.startswith(encryption.prefix(fingerprint), autoescape=True)


def _values(place: Place) -> Iterator[tuple[uuid.UUID, str]]:
    table, column = _columns()[place]
    found = session().execute(select(table.c.id, column).where(_is_sealed(column)).order_by(table.c.id))
    yield from found.yield_per(BATCH)


def _decrypted(place: Place, row_id: uuid.UUID, sealed: str) -> str | None:
    try:
        return encryption.unseal(sealed, place[0], row_id, place[1])
    except (encryption.DecryptionError, encryption.StaleKeysError):
        return None


def _under_unknown_keys(fingerprints: list[str], *, lasting: bool) -> Counter[str]:
    """Ids of the keys of values that none of these keys decrypts, with the number of values of each."""
    found: Counter[str] = Counter()
    start = len(encryption.VERSION) + 2
    for place, (_, column) in _columns().items():
        if lasting and encryption.SEALED_COLUMNS[place]:
            continue
        named = func.substr(column, start, encryption.ID_LENGTH)
        unknown = and_(
            _is_sealed(column), *(not_(_is_under(column, fingerprint)) for fingerprint in fingerprints)
        )
        found.update(
            dict(session().execute(select(named, func.count()).where(unknown).group_by(named)).all())
        )
    return found
