"""`flask --app app demo seed`: a small firm to try the product with."""

from __future__ import annotations

from flask.cli import AppGroup

group = AppGroup("demo", help="The practice firm.")
