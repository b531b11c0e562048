"""`flask --app app member …`: members from the command line."""

from __future__ import annotations

import sys

import click
from sqlalchemy.exc import OperationalError, ProgrammingError

from services.core.actor import SYSTEM
from services.core.errors import InvalidError
from services.core.unit_of_work import unit_of_work
from services.directory.people import NewMember, create
from services.operations import keys

group = click.Group("member", help="Add members and guests.")


@group.command("add")
@click.argument("email")
@click.option("--name", required=True, help="The name that others see.")
@click.option("--organisation", default="", help="For a guest: their firm or company.")
@click.option("--admin", "is_admin", is_flag=True, help="Make them a System Admin.")
@click.option("--guest", "is_guest", is_flag=True, help="Add a guest from outside the firm.")
@click.option("--password-stdin", is_flag=True, required=True, help="Read the password from standard input.")
def add(
    email: str, name: str, organisation: str, is_admin: bool, is_guest: bool, password_stdin: bool
) -> None:
    """Add a member or guest: EMAIL is what they sign in with."""
    password = sys.stdin.readline().rstrip("\r\n")
    new = NewMember(
        name=name,
        email=email,
        password=password,
        organisation=organisation,
        is_admin=is_admin,
        is_guest=is_guest,
    )
    try:
        if why := keys.refusal():
            raise click.ClickException(f"Nobody was added. {why}")
        with unit_of_work():
            create(SYSTEM, new)
    except InvalidError as refusal:
        lines = [f"{field}: {sentence}" for field, sentence in refusal.fields.items()]
        raise click.ClickException("\n  ".join(["Nobody was added.", *lines])) from None
    except (OperationalError, ProgrammingError):
        raise click.ClickException(
            "The database is not ready. Run: flask --app app db upgrade, then: flask --app app doctor"
        ) from None
    click.echo(f"Added {'guest' if is_guest else 'System Admin' if is_admin else 'member'} {name} <{email}>.")
