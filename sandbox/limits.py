"""The limits of a sandboxed process, and how it refuses a file."""

from __future__ import annotations

import codecs
import resource
import signal

SECONDS = 20
CPU_SECONDS = 10
MEMORY = 1 << 30
OUTPUT = 12 << 20
ENCODINGS = ("cp437", "cp1252", "latin-1", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be")
REFUSED = 3
"""The exit status of a process that refuses a file: its output is the code, the index of the file and a detail."""


class RefusedFileError(Exception):
    """This file cannot be read; `code` says why."""

    def __init__(self, code: str, file: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.file = file


def apply() -> None:
    """Limit this process for good. Files that are open stay usable; no other file and no connection can be opened."""
    for encoding in ENCODINGS:
        codecs.lookup(encoding)  # loads its module, which could not be opened afterwards
    signal.alarm(SECONDS)
    for limit, most in (
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_FSIZE, OUTPUT),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, 0),
    ):
        hard = resource.getrlimit(limit)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(limit, (most, most))
