"""No way back leads to another site, however it is written."""

from __future__ import annotations

import pytest

from services.core.text.local_redirects import local_path

OURS = (
    "/",
    "/matters",
    "/matters/6a1c?open=get-1&name=a%20b",
    "/matters?q=caf%C3%A9",
    "/matters?q=100%25",
    "/admin/audit?q=a/b",
    "/matters#documents",
)
OTHERS = (
    None,
    "",
    "matters",
    "https://evil.test/",
    "HTTPS://evil.test",
    "//evil.test",
    "///evil.test",
    "////evil.test",
    "/\\evil.test",
    "\\\\evil.test",
    "\\/evil.test",
    "/matters\\..\\evil",
    "/\t/evil.test",
    "/\n/evil.test",
    "\t//evil.test",
    " //evil.test",
    "/\r\nLocation: https://evil.test",
    "/\x00/evil.test",
    "/%2f/evil.test",
    "/%2Fevil.test",
    "%2f%2fevil.test",
    "/%5cevil.test",
    "/%255cevil.test",
    "/%252fevil.test",
    "/%25252fevil.test",
    "/%25252525255cevil.test",
    "/%09/evil.test",
    "/%0d%0aSet-Cookie:%20a=b",
    "/a//evil.test",
    "javascript:alert(1)",
    "data:text/html,x",
    "/\u2028/evil.test",
    "/\u202eevil",
    "/" + "a" * 600,
)


@pytest.mark.parametrize("path", OURS)
def test_a_path_of_ours_is_kept(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize("path", OTHERS)
def test_anything_else_is_none(path: str | None) -> None:
    assert local_path(path) is None
