"""`flask --app app doctor`: checks the installation."""

from __future__ import annotations

import click


@click.command("doctor")
def command() -> None:
    """Check the installation and say what is wrong and what to do."""
