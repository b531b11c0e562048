"""Links only point to the host where users sign in."""

from __future__ import annotations

import pytest

from imanage import profiles
from imanage.documents import document_link
from imanage.errors import BadIdError
from imanage.ids import VersionId
from imanage.types import Document, Endpoints
from tests.unit.imanage.support import ENDPOINTS, document_row

BUILT = "https://work.firm.com/work/link/d/Active!104512.3"


def linked(url: object) -> str:
    return document_link(ENDPOINTS, profiles.document(document_row(document_url=url)))


@pytest.mark.parametrize(
    "url", ["https://work.firm.com/x/y", "https://WORK.firm.com:443/work/link/d/Active!1.1"]
)
def test_the_profiles_own_link_is_kept_on_the_browsers_host(url: str) -> None:
    assert linked(url) == url


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        7,
        "javascript:alert(1)",
        "//evil.test/",
        "https://evil.test/work/link/d/Active!104512.3",
        "https://work.firm.com.evil.test/",
        "https://work.firm.com@evil.test/",
        "https://evil.test\\@work.firm.com/",
        "https://user@work.firm.com/",
        "http://work.firm.com/",
        "https://work.firm.com:8443/",
        "https://work.firm.com:x/",
        "https://[work.firm.com/",
        "https://work.firm.com/\r\nSet-Cookie: x",
        'https://work.firm.com/"onclick=',
        "https://work.firm.com/<script>",
        "https://wоrk.firm.com/",
        "iwl:dms=work.firm.com&&lib=Active&&num=1&&ver=1",
    ],
)
def test_any_other_link_is_ignored(url: object) -> None:
    assert linked(url) == BUILT


def test_a_port_of_the_browsers_host_counts() -> None:
    endpoints = Endpoints("http://127.0.0.1:8900", "http://127.0.0.1:8900")
    row = document_row(document_url="http://127.0.0.1:8900/x")
    assert document_link(endpoints, profiles.document(row)) == "http://127.0.0.1:8900/x"


def test_a_hostile_id_makes_no_link() -> None:
    hostile = Document(id=VersionId("Active!1/../../evil", 1, 1), name="x", extension="")
    with pytest.raises(BadIdError):
        document_link(ENDPOINTS, hostile)
