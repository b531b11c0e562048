"""`flask --app app doctor`: checks the installation."""

from __future__ import annotations

import json
import sys

import click

from services.operations import installation_health

COLOURS = {
    installation_health.OK: "green",
    installation_health.WARN: "yellow",
    installation_health.FAIL: "red",
}


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for programs.")
def command(as_json: bool) -> None:
    """Check the installation and print what is wrong and what to do. Exit status 1 if a check fails."""
    checks = installation_health.all_checks()
    if as_json:
        click.echo(json.dumps(installation_health.report(checks), ensure_ascii=False, indent=2))
        sys.exit(0 if installation_health.is_healthy(checks) else 1)
    for check in checks:
        state = click.style(f"{check.state:<4}", fg=COLOURS[check.state])
        click.echo(f"{state}  {check.name}: {check.sentence}")
        if check.next_step:
            click.echo(f"      {check.next_step}")
    if not installation_health.is_healthy(checks):
        sys.exit(1)
