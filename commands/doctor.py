"""`flask --app app doctor`: checks the installation."""

from __future__ import annotations

import sys

import click
from flask.cli import with_appcontext

from services import health

COLOURS = {health.OK: "green", health.WARN: "yellow", health.FAIL: "red"}


@click.command("doctor")
@with_appcontext
def command() -> None:
    """Check the installation and say what is wrong and what to do."""
    checks = health.examination()
    for check in checks:
        state = click.style(f"{check.state:<4}", fg=COLOURS[check.state])
        click.echo(f"{state}  {check.name}: {check.sentence}")
        if check.next_step:
            click.echo(f"      {check.next_step}")
    if any(check.state == health.FAIL for check in checks):
        sys.exit(1)
