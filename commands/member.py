"""`flask --app app member …`: members from the command line."""

from __future__ import annotations

from flask.cli import AppGroup

group = AppGroup("member", help="Members of this installation.")
