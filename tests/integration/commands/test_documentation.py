"""docs/operations.md documents every command, and no other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module

import click

from commands import COMPLETE, LIGHT
from tests.architecture.sources import text_of

ROW = re.compile(r"(?m)^\| `flask --app app ([a-z -]+?)(?: [A-Z].*)?` \|")


def ours() -> Iterator[str]:
    for name, (target, _text) in (LIGHT | COMPLETE).items():
        module, attribute = target.split(":")
        command = getattr(import_module(module), attribute)
        if isinstance(command, click.Group):
            yield from (f"{name} {each}" for each in command.list_commands(click.Context(command)))
        else:
            yield name


def test_every_command_is_documented() -> None:
    migrations = {each for each in ours() if each.startswith("db ")}
    named = ROW.findall(text_of("docs/operations.md"))
    assert len(named) == len(set(named)) and "db upgrade" in migrations
    assert set(named) == set(ours()) - migrations | {"db upgrade"}
