"""Runs one task in a sandboxed process and returns its output."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, Literal

from sandbox.limits import REFUSED, SECONDS

Task = Literal["compare", "preview", "print_receipt", "print_index"]
ROOT = Path(__file__).resolve().parent.parent
_TOO_LONG = {"SIGXCPU", "SIGALRM", "SIGKILL"}


class SandboxError(Exception):
    """The task gave no result. `code`: encrypted, damaged, type, no_text, too_large or too_long.

    `file`: the index of the file that was refused, if it was one of them. `detail` is for the log.
    """

    def __init__(self, code: str, file: int | None = None, detail: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.file = file
        self.detail = detail


def run(task: Task, files: Sequence[IO[bytes]], **options: Any) -> bytes:
    """The output of the task on these files, which are open for reading. Raises SandboxError."""
    descriptors = [file.fileno() for file in files]
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "sandbox.child", task, json.dumps({"files": descriptors, **options})],
            cwd="/",
            env={"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.DEVNULL,
            pass_fds=descriptors,
            start_new_session=True,
        )
        try:
            status = process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            raise SandboxError("too_long") from None
        finally:
            process.kill()
            process.wait()
        output.seek(0)
        if status == 0:
            return output.read()
        raise _error(status, output.read(200) if status == REFUSED else b"")


def _error(status: int, said: bytes) -> SandboxError:
    if status == REFUSED:
        code, _, rest = said.decode().partition(" ")
        file, _, detail = rest.partition(" ")
        return SandboxError(code, int(file) if file.isdigit() else None, detail)
    name = signal.Signals(-status).name if status < 0 else ""
    if name in _TOO_LONG:
        return SandboxError("too_long", detail=name)
    return SandboxError("too_large" if name == "SIGXFSZ" else "damaged", detail=name or f"status {status}")
