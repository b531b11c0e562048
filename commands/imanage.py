"""`flask --app app imanage …`: iManage servers from the command line."""

from __future__ import annotations

import click

from services.core.actor import SYSTEM
from services.core.errors import InvalidError
from services.server_admin import learning
from services.servers import server_facts

group = click.Group("imanage", help="Learn iManage servers.")


@group.command("verify")
@click.argument("server")
@click.option("--folder", default="", help="ID or link of a scratch folder. Without it, nothing is stored.")
@click.option("--admin", "email", default="", help="The System Admin whose sign-in is used.")
@click.option("--requests", "with_requests", is_flag=True, help="List every request, too.")
def verify(server: str, folder: str, email: str, with_requests: bool) -> None:
    """Measure the facts of SERVER (its name or ID) and print them. Exit status 1 if the run stopped early."""
    row = learning.server_named(server)
    if row is None:
        raise click.ClickException(f"There is no server named “{server}”.")
    server_id, name = row.id, row.name
    member_id = learning.signed_in_admin(server_id, email)
    if member_id is None:
        raise click.ClickException(
            f"No System Admin is signed in to “{name}”. Sign in on the Account page first."
        )
    try:
        run_id = learning.run_now(SYSTEM, member_id, server_id, folder)
    except InvalidError as refusal:
        raise click.ClickException(" ".join(refusal.fields.values())) from None
    if run_id is None:
        raise click.ClickException("A run is in progress. Try again when it is done.")
    run = learning.of(run_id)
    for group_name, rows in server_facts.groups(server_id):
        click.echo(f"{group_name}")
        for fact in rows:
            click.echo(f"  {fact.title}: {fact.value} ({fact.source_label.lower()})")
    for title, why in run.unknown:
        click.echo(f"Unknown: {title}. {why}")
    if with_requests:
        for method, path, status, purpose in run.requests:
            click.echo(f"{method} {path} {status or 'no answer'}: {purpose}")
    for left in run.left_behind:
        click.echo(f"Not deleted: {left}")
    click.echo(f"{run.found} facts with {len(run.requests)} requests.")
    if run.state != learning.DONE:
        raise click.ClickException(run.sentence or "The run was interrupted.")
