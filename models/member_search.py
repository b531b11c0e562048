"""The trigram index for searching members by name and email address.

PostgreSQL has an index on `member.search_key`. SQLite uses an FTS5 table with row numbers of its own, since rowids may
change when the file is vacuumed. Triggers keep it in step; a migration that recreates the table `member` has to
recreate them.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table, column, event, table

from models.members import Member

UP = {
    "sqlite": (
        "CREATE TABLE member_number (number INTEGER PRIMARY KEY, member_id CHAR(32) NOT NULL UNIQUE)",
        "CREATE VIRTUAL TABLE member_trigram USING fts5(key, content='', tokenize='trigram case_sensitive 1')",
        """CREATE TRIGGER member_found AFTER INSERT ON member BEGIN
    INSERT INTO member_number (member_id) VALUES (new.id);
    INSERT INTO member_trigram (rowid, key)
    SELECT number, new.search_key FROM member_number WHERE member_id = new.id;
    END""",
        """CREATE TRIGGER member_found_anew AFTER UPDATE OF search_key ON member
    WHEN old.search_key <> new.search_key BEGIN
    INSERT INTO member_trigram (member_trigram, rowid, key)
    SELECT 'delete', number, old.search_key FROM member_number WHERE member_id = old.id;
    INSERT INTO member_trigram (rowid, key)
    SELECT number, new.search_key FROM member_number WHERE member_id = new.id;
    END""",
        """CREATE TRIGGER member_lost AFTER DELETE ON member BEGIN
    INSERT INTO member_trigram (member_trigram, rowid, key)
    SELECT 'delete', number, old.search_key FROM member_number WHERE member_id = old.id;
    DELETE FROM member_number WHERE member_id = old.id;
    END""",
    ),
    "postgresql": (
        "CREATE EXTENSION IF NOT EXISTS pg_trgm",
        "CREATE INDEX member_trigram ON member USING gin (search_key gin_trgm_ops) WITH (fastupdate = off)",
        "ALTER TABLE member ALTER COLUMN search_key SET STATISTICS 1000",
    ),
}
DOWN = {"sqlite": ("DROP TABLE IF EXISTS member_trigram", "DROP TABLE IF EXISTS member_number")}

NUMBER = table("member_number", column("number"), column("member_id", Member.id.type))
TRIGRAM = table("member_trigram", column("rowid"), column("member_trigram"))


def is_own(name: str | None) -> bool:
    """Whether a table or index exists on one database only, so that no model describes it and comparisons ignore it."""
    return (name or "").startswith(("member_number", "member_trigram"))


@event.listens_for(Member.__table__, "after_create")
def _make(_table: Table, connection: Connection, **_more: Any) -> None:
    for statement in UP.get(connection.dialect.name, ()):
        connection.exec_driver_sql(statement)


@event.listens_for(Member.__table__, "after_drop")
def _drop(_table: Table, connection: Connection, **_more: Any) -> None:
    for statement in DOWN.get(connection.dialect.name, ()):
        connection.exec_driver_sql(statement)
