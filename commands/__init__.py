"""The commands of `flask --app app`. Each is imported when it is used, so that none pays for the others."""

from __future__ import annotations

import gc
from collections.abc import Callable
from importlib import import_module
from typing import Any, cast

import click
from flask import Flask
from flask.cli import AppGroup, ScriptInfo

from config import SettingsError, check_environment

LIGHT = {
    "up": ("commands.up:up", "Migrate the database, then run web and worker until Ctrl-C."),
    "demo": ("commands.demo:group", "Run the demo firm with the practice iManage."),
}
"""Run without the application."""
COMPLETE = {
    "web": ("commands.serve:web", "Serve pages in this process."),
    "worker": ("commands.serve:worker", "Run background work in this process."),
    "practice": ("commands.serve:practice", "Run the practice iManage while an admin has it switched on."),
    "db": ("commands.migrations:group", "Migrate the database."),
    "doctor": ("commands.doctor:command", "Check the installation and print what to do."),
    "imanage": ("commands.imanage:group", "Learn iManage servers."),
    "keys": ("commands.keys:group", "Check or rotate the encryption keys."),
    "member": ("commands.member:group", "Add members."),
    "receipt": ("commands.receipt:group", "Verify receipts, or replace the key that signs them."),
}
HIDDEN = {
    "prepare": ("commands.serve:prepare", "Migrate and check before `up` starts its processes."),
    "demo-firm": ("commands.demo_welcome:command", "Create the demo firm and print its addresses."),
    "practice-imanage": ("commands.serve:practice_imanage", "Run the practice iManage in this process."),
}


class LazyCommand(click.Command):
    """Stands in the list of commands for one that is imported when it is used."""

    def __init__(
        self, name: str, target: str, text: str, *, hidden: bool = False, light: bool = False
    ) -> None:
        super().__init__(name, help=text, hidden=hidden)
        self._target, self._light = target, light

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        if parent is not None and not self._light:
            parent.with_resource(_application(parent).app_context())
            parent.call_on_close(gc.freeze)  # or the interpreter looks through all of it once more as it ends
        module, name = self._target.split(":")
        command = cast(click.Command, getattr(import_module(module), name))
        return command.make_context(info_name, args, parent, **extra)


class Commands(AppGroup):
    """Lists the commands even where a setting is wrong, and says which."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        try:
            check_environment()
        except SettingsError as error:
            click.echo(f"{error}\n", err=True)
        return super().list_commands(ctx)


class CommandLine(Flask):
    """What `flask --app app` loads: the commands without the application, which those that need it create."""

    def __init__(self, name: str, create_app: Callable[[], Flask]) -> None:
        super().__init__(name)
        self.create_app = create_app
        self.cli: AppGroup = Commands(self.name)
        add_to(self)


def add_to(app: Flask) -> None:
    for commands, light, hidden in ((LIGHT, True, False), (COMPLETE, False, False), (HIDDEN, False, True)):
        for name, (target, text) in commands.items():
            app.cli.add_command(LazyCommand(name, target, text, hidden=hidden, light=light))


def _application(context: click.Context) -> Flask:
    loaded = context.ensure_object(ScriptInfo).load_app()
    if not isinstance(loaded, CommandLine):
        return loaded
    gc.disable()  # nothing that is imported is garbage, and looking for it is a tenth of the start
    try:
        return loaded.create_app()
    finally:
        gc.enable()
