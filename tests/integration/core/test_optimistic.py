"""optimistic(): other writers do not wait for the reads, and the write is based on current facts."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import Matter
from services.core.unit_of_work import has_single_writer, optimistic, session, unit_of_work
from tests.support.matters import open_matter
from tests.support.people import actor_of, make_member


@pytest.fixture
def matter_id(database: None) -> uuid.UUID:
    matter_id = open_matter(actor_of(make_member("Ann")))
    rename(session(), matter_id, "0")
    session().commit()
    return matter_id


def name_of(matter_id: uuid.UUID) -> str:
    session().rollback()
    return session().scalars(select(Matter.name).where(Matter.id == matter_id)).one()


def rename(writing: Session, matter_id: uuid.UUID, name: str) -> None:
    writing.execute(update(Matter).where(Matter.id == matter_id).values(name=name))


def counted(matter_id: uuid.UUID, meanwhile: Callable[[], object] = lambda: None) -> int:
    """Add one to the number that the matter has for a name; says how often it looked."""
    looks = 0

    def look(reading: Session) -> int:
        nonlocal looks
        looks += 1
        found = reading.scalars(select(Matter.name).where(Matter.id == matter_id).with_for_update()).one()
        if looks == 1:
            meanwhile()
        return int(found)

    def write(writing: Session, seen: int) -> None:
        rename(writing, matter_id, str(seen + 1))

    optimistic(look, write)
    return looks


def test_what_was_seen_is_written_at_once_where_nobody_wrote_meanwhile(matter_id: uuid.UUID) -> None:
    assert counted(matter_id) == 1
    assert name_of(matter_id) == "1"


def test_writers_do_not_wait_for_reads_and_reads_are_repeated(app: Flask, matter_id: uuid.UUID) -> None:
    other_id = open_matter(actor_of(make_member("Bea")))
    session().rollback()

    def write() -> None:
        with app.app_context(), unit_of_work() as writing:
            rename(writing, other_id, "written meanwhile")

    def meanwhile() -> None:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(write).result(timeout=10)

    assert counted(matter_id, meanwhile) == (2 if has_single_writer() else 1)
    assert (name_of(matter_id), name_of(other_id)) == ("1", "written meanwhile")


def test_a_concurrent_write_is_seen(app: Flask, matter_id: uuid.UUID) -> None:
    def count(_number: int) -> None:
        with app.app_context():
            counted(matter_id)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, range(40)))
    assert name_of(matter_id) == "40"


def test_an_error_takes_all_of_it_back_and_keeps_nobody_waiting(app: Flask, matter_id: uuid.UUID) -> None:
    writes = 0

    def fails(writing: Session, _seen: None) -> None:
        nonlocal writes
        writes += 1
        rename(writing, matter_id, "half-way")
        raise LookupError

    with pytest.raises(LookupError):
        optimistic(lambda _reading: None, fails)
    with pytest.raises(LookupError):
        optimistic(fails_to_look, fails)
    assert (writes, name_of(matter_id)) == (1, "0")
    assert counted(matter_id) == 1


def fails_to_look(_reading: Session) -> None:
    raise LookupError


def test_within_a_unit_it_is_part_of_that(matter_id: uuid.UUID) -> None:
    with pytest.raises(LookupError), unit_of_work():
        counted(matter_id)
        raise LookupError
    assert name_of(matter_id) == "0"
    with unit_of_work():
        counted(matter_id)
        counted(matter_id)
    assert name_of(matter_id) == "2"
