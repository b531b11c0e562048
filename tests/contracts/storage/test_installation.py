"""An installation with an object store, configured as docs/operations.md describes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import stores
from tests.support.worker_processes import REPOSITORY


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("s3")
    with stores.seaweed(folder / "weed") as port:
        stores.bucket(port, folder / "spool")
        yield port


@pytest.mark.parametrize(("secret", "state"), [(stores.SECRET, "ok"), ("another", "fail")])
def test_the_doctor_writes_into_it(port: int, tmp_path: Path, secret: str, state: str) -> None:
    environment = {
        "COUNTERPART_DATA_DIR": str(tmp_path),
        "COUNTERPART_STORAGE_URL": "s3://blobs/installation",
        **stores.options_of(port, secret),
    }
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "app", "doctor"],
        cwd=REPOSITORY,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    (line,) = [line for line in done.stdout.splitlines() if "  storage: " in line]
    assert line.startswith(state), done.stdout
    (line,) = [line for line in done.stdout.splitlines() if "  store: " in line]
    assert line.startswith(state), done.stdout
    assert secret not in done.stdout
    assert not list((tmp_path / "spool").iterdir()), "what could not be written is not left lying"
