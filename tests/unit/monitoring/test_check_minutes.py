"""How often servers are checked: the usual, never, and what is no number of minutes."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import Settings, SettingsError


def read(tmp_path: Path, value: str) -> int:
    return Settings.from_env(
        {"COUNTERPART_DATA_DIR": str(tmp_path), "COUNTERPART_CHECK_MINUTES": value}
    ).check_minutes


@pytest.mark.parametrize(("value", "minutes"), [("", 15), ("0", 0), ("1", 1), ("1440", 1440)])
def test_minutes(tmp_path: Path, value: str, minutes: int) -> None:
    assert read(tmp_path, value) == minutes


@pytest.mark.parametrize("value", ["-1", "1441", "often", "1.5", "٣"])
def test_anything_else_is_refused(tmp_path: Path, value: str) -> None:
    with pytest.raises(SettingsError, match="COUNTERPART_CHECK_MINUTES must be a number of minutes"):
        read(tmp_path, value)
