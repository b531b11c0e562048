"""`.ci/run` ends with what its two halves ended with: the tests, and the new Debian beside them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.repository import ROOT


def command(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("tests", "debian", "ended"),
    [("true", "true", 0), ("exit 2", "true", 2), ("true", "exit 3", 3), ("exit 2", "sleep 0.2", 2)],
)
def test_the_run_ends_as_its_halves_did(tmp_path: Path, tests: str, debian: str, ended: int) -> None:
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci")
    command(tmp_path / "tests/fresh_machine", f"echo Debian; {debian}")
    for name, script in {"make": tests, "id": "echo 0", "mmdebstrap": "true"}.items():
        command(tmp_path / "bin" / name, script)
    run = subprocess.run(
        [tmp_path / ".ci/run"],
        env={"PATH": f"{tmp_path}/bin:/usr/bin:/bin", "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert run.returncode == ended, run.stderr
    assert "Debian" in run.stdout
    assert not list(tmp_path.glob("tmp.*"))
