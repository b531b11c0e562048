"""Runs the migrations in the application's database, in one transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alembic import context
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

from models import db
from models.base import WRITE, UtcDateTime
from models.member_search import is_own
from services.operations.database import encoding_refusal

OTHERS_SCHEMAS = {"dbos"}


def render_item(kind: str, item: Any, _autogen_context: object) -> str | bool:
    if kind == "type" and isinstance(item, UtcDateTime):
        return "UtcDateTime()"
    return False


def include_object(thing: Any, name: str | None, _kind: str, _reflected: bool, _other: object) -> bool:
    """Exclude the job engine's tables and search indexes that exist on one database only."""
    return getattr(thing, "schema", None) not in OTHERS_SCHEMAS and not is_own(name)


@contextmanager
def without_cascades(connection: Connection) -> Iterator[None]:
    """SQLite alters a table by recreating it: dropping the old one must not cascade to referring rows."""
    if connection.dialect.name != "sqlite":
        yield
        return
    cursor = connection.connection.cursor()
    cursor.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
        broken = cursor.execute("PRAGMA foreign_key_check").fetchall()
    finally:
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()
    if broken:
        raise RuntimeError(f"After the migration {len(broken)} rows refer to rows that are not there.")


def migrate() -> None:
    try:
        db.engine.connect().close()
    except OperationalError as error:
        raise SystemExit(
            f"The database does not answer. Check COUNTERPART_DATABASE_URL. {error.orig}"
        ) from None
    with (
        db.engine.connect().execution_options(**{WRITE: True}) as connection,
        without_cascades(connection),
    ):
        if said := encoding_refusal(connection):
            raise SystemExit(said)
        connection.rollback()
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            render_as_batch=True,
            render_item=render_item,
            include_object=include_object,
            compare_type=True,
        )
        with context.begin_transaction():
            context.run_migrations()


if context.is_offline_mode():
    raise SystemExit("Migrations run in a database: there is no offline mode.")
migrate()
