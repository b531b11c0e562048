"""`flask --app app db …`: the tables, by Alembic."""

from __future__ import annotations

import click
from alembic import command
from alembic.config import Config

from migrations.revisions import FOLDER

group = click.Group("db", help="Migrate the database.")


def upgrade(revision: str = "head") -> None:
    """Bring the tables to this version, in the database of this application context."""
    command.upgrade(_configuration(), revision)


@group.command("upgrade")
@click.argument("revision", default="head")
def _upgrade(revision: str) -> None:
    """Migrate the database to this version, or to REVISION."""
    upgrade(revision)


@group.command("downgrade")
@click.argument("revision")
def _downgrade(revision: str) -> None:
    """Migrate the database back to REVISION."""
    command.downgrade(_configuration(), revision)


@group.command("check")
def _check() -> None:
    """Exit with status 1 if models and tables differ."""
    command.check(_configuration())


@group.command("revision")
@click.option("-m", "--message", required=True, help="What the migration does.")
def _revision(message: str) -> None:
    """Write a migration from the difference between models and tables."""
    command.revision(_configuration(), message, autogenerate=True)


def _configuration() -> Config:
    found = Config(FOLDER / "alembic.ini")
    found.set_main_option("script_location", str(FOLDER))
    return found
