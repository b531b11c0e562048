"""The migrations make what the models say, from nothing and back to nothing."""

from __future__ import annotations

import importlib
import os
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import (
    CheckConstraint,
    Column,
    MetaData,
    Table,
    create_engine,
    inspect,
    make_url,
    select,
    text,
)
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from models import (
    Document,
    ItemState,
    Link,
    Matter,
    Member,
    Participant,
    Server,
    Transfer,
    TransferItem,
    Version,
    db,
    utcnow,
)
from models.base import prepare_sqlite
from models.member_search import UP, is_own
from tests.support import forks

BOOKKEEPING = "alembic_version"
BEFORE_SEARCH_KEYS = "0010"


@dataclass(frozen=True)
class Fresh:
    """A database with nothing in it, and our own command working on it."""

    engine: Engine
    data_dir: Path

    def migrate(self, *command: str) -> None:
        environment = {
            **os.environ,
            "COUNTERPART_DATA_DIR": str(self.data_dir),
            "COUNTERPART_DATABASE_URL": self.engine.url.render_as_string(hide_password=False),
        }
        done = forks.run([sys.executable, "-m", "flask", "--app", "app", "db", *command], env=environment)
        assert done.returncode == 0, done.stderr

    def tables(self) -> set[str]:
        """Without the search index of one database alone."""
        return {name for name in inspect(self.engine).get_table_names() if not is_own(name)}


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fresh]:
    """A database as the migrations make it from nothing. What looks at it leaves it so."""
    with made(tmp_path_factory.mktemp("upgraded")) as database:
        database.migrate("upgrade")
        yield database


@contextmanager
def made(folder: Path) -> Iterator[Fresh]:
    """A SQLite file, or a database of its own on the PostgreSQL server of the tests."""
    server = os.environ.get("COUNTERPART_TEST_DATABASE_URL")
    if server is None:
        engine = create_engine(f"sqlite:///{folder / 'fresh.sqlite'}")
        prepare_sqlite(engine)
        yield Fresh(engine, folder)
        engine.dispose()
        return
    name = f"migrations_{uuid.uuid4().hex}"
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine = create_engine(make_url(server).set(database=name))
    yield Fresh(engine, folder)
    engine.dispose()
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


def test_an_upgrade_from_nothing_makes_what_the_models_say(upgraded: Fresh) -> None:
    with upgraded.engine.connect() as connection:
        options = {"compare_type": True, "include_object": lambda _thing, name, *_: not is_own(name)}
        context = MigrationContext.configure(connection, opts=options)
        differences = compare_metadata(context, db.metadata)
    assert differences == []


def test_every_check_and_every_key_is_there(upgraded: Fresh) -> None:
    """Also those that the comparison does not look at, and the pair of tables that name each other."""
    there = inspect(upgraded.engine)
    for table in db.metadata.sorted_tables:
        checks = {each["name"] for each in there.get_check_constraints(table.name)}
        assert checks == {each.name for each in table.constraints if isinstance(each, CheckConstraint)}
        keys = {tuple(each["constrained_columns"]) for each in there.get_foreign_keys(table.name)}
        assert keys == {tuple(each.column_keys) for each in table.foreign_key_constraints}
    (key,) = (
        each
        for each in there.get_foreign_keys("document")
        if each["constrained_columns"] == ["current_version_id"]
    )
    assert (key["referred_table"], key["name"]) == ("version", "fk_document_current_version_id_version")


def test_every_trigger_of_the_search_is_there(upgraded: Fresh) -> None:
    """SQLite makes a changed table anew, without its triggers."""
    if upgraded.engine.dialect.name != "sqlite":
        return
    with upgraded.engine.connect() as connection:
        found = connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all()
    assert set(found) == {each.split()[2] for each in UP["sqlite"] if each.startswith("CREATE TRIGGER")}


def test_a_second_upgrade_changes_nothing(upgraded: Fresh) -> None:
    upgraded.migrate("upgrade")
    upgraded.migrate("check")


def test_a_downgrade_to_nothing_leaves_no_table(tmp_path: Path) -> None:
    with made(tmp_path) as database:
        database.migrate("upgrade")
        assert database.tables() == {*db.metadata.tables, BOOKKEEPING}
        database.migrate("downgrade", "base")
        assert database.tables() == {BOOKKEEPING}
        with database.engine.connect() as connection:
            assert connection.execute(text(f"SELECT count(*) FROM {BOOKKEEPING}")).scalar() == 0


def test_a_save_onto_a_twin_that_was_on_record_without_its_version_gets_it() -> None:
    migration = importlib.import_module("migrations.versions.0005_targets_with_versions")
    engine = create_engine("sqlite://")
    rows = [
        {"target": "replace", "target_id": "Active!7", "based_on": 3, "intent": {"target_id": "Active!7"}},
        {"target": "new_version", "target_id": "Active!7.2", "based_on": 3, "intent": None},
        {"target": "new_document", "target_id": "Active!9", "based_on": None, "intent": None},
        {"target": "new_version", "target_id": "", "based_on": None, "intent": None},
    ]
    with engine.begin() as connection:
        Table(
            "transfer_item", MetaData(), *[Column(each.name, each.type) for each in migration.ITEMS.c]
        ).create(connection)
        connection.execute(migration.ITEMS.insert(), [{"id": uuid.uuid4(), **row} for row in rows])
        with Operations.context(MigrationContext.configure(connection)):
            migration.upgrade()
        found = connection.execute(select(migration.ITEMS).order_by(text("rowid"))).all()
    assert [row.target_id for row in found] == ["Active!7.3", "Active!7.2", "Active!9", ""]
    assert found[0].intent == {"target_id": "Active!7.3"}
    engine.dispose()


def test_rows_survive_the_way_down_and_up_again(tmp_path: Path) -> None:
    """SQLite makes a changed table anew; what hangs on the old one's rows must not go with it."""
    member, matter, transfer, document_id, server = (uuid.uuid4() for _ in range(5))
    states = [ItemState.DONE, ItemState.NEEDS_DECISION, ItemState.RESOLVING]
    now = utcnow()
    with made(tmp_path) as database:
        database.migrate("upgrade")
        with Session(database.engine) as writing:
            writing.add(
                Member(
                    id=member,
                    name="Ann",
                    name_key="ann",
                    email="ann@firm.example",
                    email_key="ann@firm.example",
                    search_key="ann",
                    password_hash="none",
                )
            )
            writing.flush()
            writing.add(Matter(id=matter, name="Heron", search_key="heron", created_by_id=member))
            writing.flush()
            writing.add(Participant(matter_id=matter, member_id=member, role="lead"))
            writing.add(
                Transfer(
                    id=transfer,
                    request_key=uuid.uuid4(),
                    kind="get",
                    matter_id=matter,
                    server_name="London",
                    member_id=member,
                    created_at=now,
                )
            )
            writing.flush()
            writing.add_all(
                TransferItem(
                    transfer_id=transfer,
                    position=position,
                    name="Lease.docx",
                    state=state,
                    target="new_document",
                )
                for position, state in enumerate(states)
            )
            writing.add(
                Document(
                    id=document_id,
                    name="Removed.docx",
                    created_by_id=member,
                    binned_from_id=matter,
                    binned_at=now,
                )
            )
            writing.add(
                Server(
                    id=server,
                    kind="cloud",
                    name="London",
                    name_key="london",
                    url="x",
                    api_url="x",
                    client_id="",
                    client_secret="",
                )
            )
            writing.flush()
            version = Version(
                document_id=document_id,
                number=1,
                sha256="0" * 64,
                size=1,
                file_name="Removed.docx",
                origin="upload",
                created_by_id=member,
            )
            writing.add(version)
            writing.flush()
            writing.add(
                Link(
                    server_id=server,
                    document_id=document_id,
                    version_id=version.id,
                    direction="linked",
                    library="Active",
                    library_key="active",
                    number=1,
                    version=1,
                    name="Removed.docx",
                    url="x",
                    member_id=member,
                    latest_version=1,
                    state="lost",
                )
            )
            writing.commit()
        database.migrate("downgrade", "0001")
        database.migrate("upgrade")
        with Session(database.engine) as reading:
            for model in (Participant, Transfer):
                assert reading.query(model).count() == 1, model
            assert [
                item.state for item in reading.query(TransferItem).order_by(TransferItem.position)
            ] == states
            document = reading.query(Document).one()
            assert (document.matter_id, document.binned_from_id) == (matter, None), "It is back from the bin."
            link = reading.query(Link).one()
            assert link.direction == "saved", "Older versions know no links by hand."
            assert link.told_at is not None, "What was lost before is no news."


def test_keys_that_are_searched_by_are_made_anew_for_the_rows_that_are_there(tmp_path: Path) -> None:
    """And on the way back: the older program must find by its own."""
    with made(tmp_path) as database:
        database.migrate("upgrade", BEFORE_SEARCH_KEYS)
        with database.engine.begin() as connection:
            connection.execute(
                text(
                    "INSERT INTO member (id, email, email_key, name, name_key, search_key, organisation, "
                    "password_hash, is_admin, is_guest, is_active, wants_mail, wants_health_mail, created_at) "
                    "VALUES ('6e6c6d224c0e4a4f9c396f2f3b0d1c55', 'l@firm.test', 'l@firm.test', "
                    "'Łukasz O’Brien', 'łukasz o’brien', '  łukasz  o’brien  l@firm.test', '', '-', "
                    "false, false, true, true, true, '2026-11-30 09:00:00')"
                )
            )
        keys = text("SELECT name_key, search_key FROM member")
        database.migrate("upgrade")
        with database.engine.connect() as connection:
            row = connection.execute(keys).one()
            assert tuple(row) == ("lukasz obrien", "  lukasz  obrien  l@firm.test")
        database.migrate("downgrade", BEFORE_SEARCH_KEYS)
        with database.engine.connect() as connection:
            row = connection.execute(keys).one()
            assert tuple(row) == ("łukasz o’brien", "  łukasz  o’brien  l@firm.test")
