"""What reads the database without the application opens the file that the application opens."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app import create_app
from config import Settings, sqlite_file
from models import db


@pytest.mark.parametrize(
    "name", ["{tmp}/a.sqlite", "{tmp}/two%20words.sqlite", "{tmp}/a.sqlite?timeout=9", "relative.sqlite"]
)
@pytest.mark.usefixtures("own_runtime")
def test_both_open_the_same_file(settings: Settings, tmp_path: Path, name: str) -> None:
    url = f"sqlite:///{name.format(tmp=tmp_path)}"
    application = create_app(replace(settings, data_dir=tmp_path, database_url=url))
    with application.app_context():
        assert str(sqlite_file(url)) == db.engine.url.database
