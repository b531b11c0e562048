"""The text of mails: Jinja templates under templates/mail/."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from services.core.runtime import runtime
from services.mail.envelope import time_of

FOLDER = Path(__file__).resolve().parents[2] / "templates" / "mail"

_environment = Environment(
    autoescape=select_autoescape(),
    loader=FileSystemLoader(FOLDER),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_environment.filters["moment"] = time_of


def render(name: str, **context: object) -> str:
    """The plain text of `name`.txt. Beside the context it has `base`, the public URL, and the filter `moment`."""
    return _environment.get_template(f"{name}.txt").render(base=runtime().settings.public_url, **context)
