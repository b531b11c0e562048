"""The front door for operators: `flask --app app …`. One file per subject, bound by the composition root."""

from __future__ import annotations

from flask import Flask

from commands import demo, doctor, keys, member, serve
from config import Settings


def init_app(app: Flask, settings: Settings, *, process: serve.Process) -> None:
    app.cli.add_command(member.group)
    app.cli.add_command(doctor.command)
    app.cli.add_command(keys.group)
    app.cli.add_command(demo.group)
    serve.init_app(app, settings, process)
