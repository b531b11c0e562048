"""`python -m tests.support.browser_start`: starts Playwright's driver and Chromium once, and names what they lack.

The driver is a Node.js program inside the Playwright package. A library that it or Chromium needs and that this machine
does not have would otherwise show as an error in every browser test.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import playwright
from playwright.sync_api import Error, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
PROGRAMS = (Path(playwright.__file__).parent / "driver" / "node", Path("/usr/lib/chromium/chromium"))


def missing_libraries(program: Path) -> list[str]:
    """Names of the shared libraries that the dynamic linker does not find for this program."""
    return not_found(
        subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=False).stdout
    )


def not_found(listing: str) -> list[str]:
    """The names that a listing of ldd says are not found."""
    return [line.split()[0] for line in listing.splitlines() if line.endswith("=> not found")]


def explain(programs: Sequence[Path], error: BaseException) -> str:
    """One sentence for each program that lacks libraries; where none does, what the start itself said."""
    lacking = {program: missing_libraries(program) for program in programs if program.is_file()}
    sentences = [
        f"{program} needs {', '.join(libraries)}, which this machine does not have. "
        "Install the Debian package that holds each (apt-file search NAME finds it), then run this again."
        for program, libraries in lacking.items()
        if libraries
    ]
    return "\n".join(sentences or [f"The browser for the tests does not start: {error}"])


def start() -> None:
    """Raises what Playwright raises where the driver or the browser does not start."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM)
        page = browser.new_page()
        page.set_content("<title>Started</title>")
        assert page.title() == "Started"
        browser.close()


def main() -> int:
    try:
        start()
    except (Error, OSError, EOFError, BrokenPipeError, RuntimeError) as error:
        print(explain(PROGRAMS, error), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
