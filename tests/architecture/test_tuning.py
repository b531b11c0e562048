"""Every constant that docs/tuning.md names exists in its module."""

from __future__ import annotations

import re

from tests.architecture.sources import text_of

NAMED = re.compile(r"^\| `([\w/]+\.py)` `([A-Z][A-Z_]+)` \|", re.MULTILINE)


def test_every_constant_named_exists() -> None:
    named = NAMED.findall(text_of("docs/tuning.md"))
    assert len(named) > 30
    missing = [(path, name) for path, name in named if not re.search(rf"\b{name}\b.*=", text_of(path))]
    assert missing == []
