"""The message when the tests' browser does not start names the missing library."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import browser_start
from tests.support.browser_start import explain, missing_libraries, not_found

TOOL = Path("/bin/true")
LISTING = """\
\tlinux-vdso.so.1 (0x00007f)
\tlibatomic.so.1 => not found
\tlibm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007f)
"""


def test_a_program_with_all_its_libraries_lacks_none() -> None:
    assert missing_libraries(TOOL) == []
    assert (
        explain([TOOL], OSError("no such file")) == "The browser for the tests does not start: no such file"
    )


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not_found(LISTING) == ["libatomic.so.1"]
    monkeypatch.setattr(browser_start, "missing_libraries", lambda _program: not_found(LISTING))
    assert f"{TOOL} needs libatomic.so.1" in explain([TOOL], OSError())
