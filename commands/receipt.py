"""`flask --app app receipt …`: verify receipts, and replace the key that signs them."""

from __future__ import annotations

from pathlib import Path

import click

from services.core.actor import SYSTEM
from services.receipts import form, signing_keys

group = click.Group("receipt", help="Verify receipts, or replace the key that signs them.")


@group.command("verify")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def verify(file: Path) -> None:
    """Verify FILE, a receipt as JSON. Exit status 1 if this installation did not issue it as it is."""
    keys = [each.key for each in signing_keys.public_keys()]
    try:
        facts = form.verify(file.read_bytes(), keys)
    except form.NotGenuineError as error:
        raise click.ClickException(str(error)) from None
    version, receipt = facts["version"], facts["receipt"]
    click.echo(f"Verified: {facts['document']['name']}, version {version['number']}.")
    click.echo(f"SHA-256 {version['sha256']}, {version['size']} bytes.")
    click.echo(
        f"Issued by {receipt['issued_by']['name']} at {receipt['issued_at']} on {receipt['installation']}."
    )


@group.command("new-key")
def new_key() -> None:
    """Sign receipts with a new key from now on. Older receipts can still be verified."""
    click.echo(f"Receipts are now signed with the key {signing_keys.rotate(SYSTEM)}.")
