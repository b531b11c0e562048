"""`python -m tests.support.suites [pytest's options]`: every test, as three suites on two columns.

Column 1: everything but the browser, on SQLite. Column 2: the browser, in processes of its own because Playwright keeps
an event loop there; then, on PostgreSQL, the tests that use the database. Each suite has two worker processes
(pytest-xdist), a file's tests in the same one: most tests wait for a process or a socket, and two columns of two use
two cores. The second column's output is printed when the first has ended.

Options that name files of tests/ run these alone, in one process, on SQLite or with `--postgresql` on PostgreSQL.
Options that select tests (`-k`, `-m`, `--lf`) run what each suite has of them, in one process each.
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
WORKERS = ("--numprocesses=2", "--dist=loadfile", "--no-loadscope-reorder")
SELECTING = ("-k", "-m", "--lf", "--last-failed", "--pdb")
NO_TESTS = 5  # pytest's exit status where nothing is left to run

SQLITE_ONLY = (
    "blueprints",
    "connections/test_oauth_answers.py",
    "connections/test_oauth_mix_up.py",
    "connections/test_oauth_sign_in.py",
    "connections/test_proxy_sign_in.py",
    "guidance",
    "mail/test_server_state.py",
    "mail/test_smtp.py",
    "matters/test_documents_download.py",
    "matters/test_told_before_leaving.py",
    "picker/test_dialog.py",
    "picker/test_picker_saving.py",
    "picker/test_select_all.py",
    "scanning",
    "servers/test_all_errors_at_once.py",
    "servers/test_certificate_authorities.py",
    "servers/test_hostile_admin.py",
    "servers/test_packages.py",
    "servers/test_redirect_urls.py",
    "servers/test_servers_bad_input.py",
    "transfers/test_unusual_ids.py",
)
"""Of tests/integration: tests of pages, bytes and answers, whose queries other files run as well."""

SQLITE = ("--ignore=tests/browser",)
BROWSER = ("tests/browser",)
POSTGRESQL = (
    "--postgresql",
    "tests/contracts/test_twin_watch.py",
    "tests/contracts/test_worker.py",
    "tests/faults",
    "tests/integration",
    *(f"--ignore=tests/integration/{name}" for name in SQLITE_ONLY),
)


@dataclass
class Column:
    """Suites one after another, whatever becomes of the one before, and the exit status of each."""

    suites: Sequence[Sequence[str]]
    output: IO[bytes] | None = None
    statuses: list[int] = field(default_factory=list)
    process: subprocess.Popen[bytes] | None = None
    stopped: threading.Event = field(default_factory=threading.Event)

    def run(self, options: Sequence[str]) -> None:
        for suite in self.suites:
            if self.stopped.is_set():
                return
            command = [*PYTEST, *suite, *options]
            self.process = subprocess.Popen(
                command, stdout=self.output, stderr=self.output, start_new_session=True
            )
            self.statuses.append(abs(self.process.wait()))

    def stop(self) -> None:
        """As Ctrl-C would; pytest then tears down what it has set up."""
        self.stopped.set()
        if self.process is not None and self.process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGINT)
            self.process.wait()


def worst(statuses: Sequence[int]) -> int:
    """The highest exit status. A suite without any of the selected tests counts only where all are without."""
    return max([status for status in statuses if status != NO_TESTS], default=NO_TESTS)


def main(options: Sequence[str]) -> int:
    if any(option.startswith("tests/") for option in options):
        return subprocess.run([*PYTEST, *options], check=False).returncode
    if not any(option.startswith(SELECTING) for option in options):
        options = [*WORKERS, *options]
    with tempfile.TemporaryFile() as output:
        first, second = Column([SQLITE]), Column([BROWSER, POSTGRESQL], output)
        beside = threading.Thread(target=second.run, args=(options,))
        beside.start()
        try:
            first.run(options)
            beside.join()
        finally:
            first.stop()
            second.stop()
            beside.join()
            output.seek(0)
            sys.stdout.buffer.write(output.read())
            sys.stdout.flush()
    return worst(first.statuses + second.statuses)


if __name__ == "__main__":
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
