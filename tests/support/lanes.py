"""`python -m tests.support.lanes [pytest's options]`: all tests, in two lanes side by side, because most of them wait.

Where the options name files of tests/, only those are run, on SQLite.

The one: everything but the browser, on SQLite. The other: the browser, in a process of its own since Playwright keeps
an event loop there; then what touches the database again on PostgreSQL, on a server of its own in a passing folder.
What the second lane says is shown when the first has ended.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO

PYTEST = (sys.executable, "-m", "pytest")
NOT_AGAIN = (
    "matters/test_documents_download.py",
    "mail/test_smtp.py",
    "blueprints/test_naughty_strings.py",
    "connections/test_oauth_answers.py",
    "picker/test_dialog.py",
    "picker/test_select_all.py",
    "connections/test_proxy_sign_in.py",
)
"""Of tests/integration: what is about pages, bytes and answers, with queries that other files ask as well."""
AGAIN = ("tests/integration", "tests/faults", "tests/contracts/test_worker.py")
IGNORED = tuple(f"--ignore=tests/integration/{name}" for name in NOT_AGAIN)

ON_SQLITE = ((*PYTEST, "--ignore=tests/browser"),)
BESIDE = (
    (*PYTEST, "tests/browser"),
    (sys.executable, "-m", "tests.support.postgres", *PYTEST, *AGAIN, *IGNORED),
)


@dataclass
class Lane:
    """Commands one after another, whatever becomes of the one before; `worst` is the highest status."""

    commands: Sequence[Sequence[str]]
    out: IO[bytes] | None = None
    worst: int = 0
    running: subprocess.Popen[bytes] | None = None
    stopped: threading.Event = field(default_factory=threading.Event)

    def run(self, options: Sequence[str]) -> None:
        for command in self.commands:
            if self.stopped.is_set():
                return
            self.running = subprocess.Popen(
                [*command, *options], stdout=self.out, stderr=self.out, start_new_session=True
            )
            self.worst = max(self.worst, abs(self.running.wait()))

    def stop(self) -> None:
        """As Ctrl-C would; pytest then puts away what it has begun."""
        self.stopped.set()
        if self.running is not None and self.running.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.running.pid, signal.SIGINT)
            self.running.wait()


def main(options: Sequence[str]) -> int:
    if any(option.startswith("tests/") for option in options):
        return subprocess.run([*PYTEST, *options], check=False).returncode
    with tempfile.TemporaryFile() as said:
        first, second = Lane(ON_SQLITE), Lane(BESIDE, said)
        beside = threading.Thread(target=second.run, args=(options,))
        beside.start()
        try:
            first.run(options)
            beside.join()
        finally:
            first.stop()
            second.stop()
            beside.join()
            said.seek(0)
            sys.stdout.buffer.write(said.read())
            sys.stdout.flush()
    return max(first.worst, second.worst)


if __name__ == "__main__":
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
