"""`flask --app app keys …`: whether the keys open what is stored, and how a new one takes the place of an old one."""

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

group = click.Group("keys", help="The keys that tokens and secrets are sealed with.")


def _require_tables() -> None:
    if why := tables_refusal():
        sys.exit(why)


@group.command("check")
def check() -> None:
    """Open every sealed value, and say which do not open."""
    _require_tables()
    counts = keys.check()
    for count in counts:
        click.echo(
            f"{count.name}: {count.sealed} sealed, {count.older} with an older key, {count.lost} do not open"
        )
    lost = [count for count in counts if count.lost and not encryption.SEALED_COLUMNS[count.place]]
    if lost:
        click.echo("What does not open has to be entered anew, unless the missing key is found.", err=True)
        sys.exit(1)


@group.command("rotate")
@click.option(
    "--old-keys-are-lost",
    is_flag=True,
    help="Erase what none of the keys decrypts, so that it can be entered again.",
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
        yield "The keys come from COUNTERPART_SECRET_KEYS. Put this one in front of them, for every process:"
        yield f"\n  {done.new_key}\n"
        yield "Restart web and workers with it, all of them, and run this again. Until then nothing is sealed with it."
        return
    if done.lost and not done.older_keys:
        yield f"{done.lost} values did not open and were erased. Everything is sealed with key {named} from now on."
        return
    if done.made_key:
        yield f"Made the new key {named} in {path}."
    yield f"Sealed {done.reencrypted} values with key {named}."
    if done.lost:
        yield f"{done.lost} values cannot be decrypted with any key. See: flask --app app keys check"
    if not done.older_keys or done.may_go_at is None:
        yield "There is no older key."
        return
    older = ", ".join(done.older_keys)
    if done.left - done.lost > 0:
        yield f"{done.left - done.lost} values are still sealed with {older}. Run this again."
        return
    yield "Restart web and workers, all of them: they may still seal with the older key. Then run this again."
    yield (
        f"Once it has sealed 0 values, the older key {older} may go, from {done.may_go_at:%d %B %Y, %H:%M} UTC: "
        f"its line in {path}, or its place in COUNTERPART_SECRET_KEYS. Sooner, people sign in to Counterpart again. "
        "Invitations that are still open then keep their links, which cannot be shown or mailed again."
    )


@contextmanager
def _alone() -> Iterator[None]:
    """One rotation at a time on this machine."""
    folder = runtime().settings.data_dir
    with (folder / ".rotating").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise click.ClickException("Another rotation is at work. Wait until it has ended.") from None
        yield
