"""`flask --app app keys …`: check that the keys decrypt what is stored, and replace them."""

from __future__ import annotations

import fcntl
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

import key_file
from commands.serve import tables_refusal
from services.core import encryption
from services.core.runtime import runtime
from services.operations import keys

group = click.Group("keys", help="The keys that encrypt tokens and secrets.")


def _require_tables() -> None:
    if why := tables_refusal():
        sys.exit(why)


@group.command("check")
def check() -> None:
    """Decrypt every stored token and secret, and count those that cannot be decrypted."""
    _require_tables()
    counts = keys.check()
    for count in counts:
        click.echo(
            f"{count.name}: {count.sealed} encrypted, {count.older} with an older key, {count.lost} cannot be decrypted"
        )
    lost = [count for count in counts if count.lost and not encryption.SEALED_COLUMNS[count.place]]
    if lost:
        click.echo("Enter these values again, unless you find the missing key.", err=True)
        sys.exit(1)


@group.command("rotate")
@click.option(
    "--old-keys-are-lost",
    is_flag=True,
    help="Erase the values that no key decrypts, so that they can be entered again.",
)
def rotate(old_keys_are_lost: bool) -> None:
    """Create a new key and re-encrypt everything with it. An interrupted run can be resumed."""
    _require_tables()
    with _alone():
        try:
            done = keys.discard_undecryptable() if old_keys_are_lost else keys.rotate()
        except key_file.KeyFileError as error:
            raise click.ClickException(str(error)) from None
    for line in _said(done):
        click.echo(line)
    if done.left - done.lost > 0:
        sys.exit(1)


def _said(done: keys.Rotation) -> Iterator[str]:
    path = runtime().settings.data_dir / key_file.NAME
    named = encryption.key_id(done.sealed_with)
    if done.new_key:
        yield "The keys come from COUNTERPART_SECRET_KEYS. Put this one first, for every process:"
        yield f"\n  {done.new_key}\n"
        yield "Restart every web process and worker with it, then run this again. It is not used until then."
        return
    if done.lost and not done.older_keys:
        yield f"{done.lost} values could not be decrypted and were erased. Key {named} now encrypts everything."
        return
    if done.made_key:
        yield f"Created key {named} in {path}."
    yield f"Encrypted {done.reencrypted} values with key {named}."
    if done.lost:
        yield f"{done.lost} values cannot be decrypted with any key. See: flask --app app keys check"
    if not done.older_keys or done.may_go_at is None:
        yield "There is no older key."
        return
    older = ", ".join(done.older_keys)
    if done.left - done.lost > 0:
        yield f"{done.left - done.lost} values are still encrypted with {older}. Run this again."
        return
    yield "Restart every web process and worker, since they may still use the older key. Then run this again."
    yield (
        f"When it has encrypted 0 values, you can remove the older key {older} from {path} or COUNTERPART_SECRET_KEYS "
        f"from {done.may_go_at:%d %B %Y, %H:%M} UTC. Before then, removing it signs people out of Counterpart. "
        "Links of open invitations still work afterwards, but cannot be shown or emailed again."
    )


@contextmanager
def _alone() -> Iterator[None]:
    """One rotation at a time on this machine."""
    folder = runtime().settings.data_dir
    with (folder / ".rotating").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise click.ClickException("Another rotation is running. Wait until it has finished.") from None
        yield
