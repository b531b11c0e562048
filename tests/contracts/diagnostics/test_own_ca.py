"""A server whose certificate nobody knows here: refused before its authority is added, taken after, refused again."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from requests.exceptions import SSLError

from models import Server
from services.core.unit_of_work import session
from services.servers import certificate_authorities, registry, transport
from tests.support.authority import DAY, Authority, self_signed
from tests.support.loopback_servers import line, ok
from tests.support.people import actor_of, make_member
from tests.support.server_checks import UNKNOWN_SIGN_IN, Checked, checked, server_at, site

IMANAGE = site({"GET /api ": ok(UNKNOWN_SIGN_IN)})


@contextmanager
def there(context: ssl.SSLContext) -> Iterator[Server]:
    with line(IMANAGE, context) as site_:
        yield server_at(f"https://127.0.0.1:{site_.port}")


def now(server: Server) -> Server:
    session().rollback()
    return session().get_one(Server, server.id)


def add(server: Server, pem: str) -> None:
    admin = actor_of(make_member(is_admin=True))
    certificate_authorities.save(admin, server.id, pem.encode(), registry.version(now(server)))


def take_away(server: Server) -> None:
    admin = actor_of(make_member(is_admin=True))
    certificate_authorities.remove(admin, server.id, registry.version(now(server)))


def look(server: Server) -> Checked:
    session().rollback()
    return checked(server)


def answers(server: Server) -> bool:
    """Whether a call as transfers make them gets through, by the pooled session of this process."""
    row = now(server)
    try:
        return transport.outbound(row).get(f"{row.api_url}/api").status_code == 200
    except SSLError:
        return False


def test_it_fails_before_works_after_and_fails_again(tmp_path: Path) -> None:
    authority = Authority()
    with there(authority.context(tmp_path, "127.0.0.1")) as server:
        assert look(server).says("tls", "fail", "tls.unknown_authority") and not answers(server)
        add(server, authority.pem)
        found = look(server)
        assert found.says("tls", "pass") and found.says("api", "pass") and answers(server)
        assert found.says("own_ca", "pass")
        take_away(server)
        assert look(server).says("tls", "fail", "tls.unknown_authority") and not answers(server)


def test_another_authority_and_another_name_are_still_refused(tmp_path: Path) -> None:
    authority, other = Authority(), Authority("Other LLP")
    with there(authority.context(tmp_path, "127.0.0.1")) as server:
        add(server, other.pem)
        assert look(server).says("tls", "fail", "tls.unknown_authority") and not answers(server)
        add(server, other.pem + authority.pem)
        assert answers(server)
    with there(authority.context(tmp_path, "elsewhere.firm.test")) as server:
        add(server, authority.pem)
        assert look(server).says("tls", "fail", "tls.wrong_name") and not answers(server)


def test_it_is_trusted_for_its_own_server_alone(tmp_path: Path) -> None:
    authority = Authority()
    with (
        there(authority.context(tmp_path, "127.0.0.1")) as first,
        there(authority.context(tmp_path, "127.0.0.1")) as second,
    ):
        add(first, authority.pem)
        assert answers(first) and not answers(second)


def test_an_issuing_authority_is_enough_without_the_root_above_it(tmp_path: Path) -> None:
    issuing = Authority(above=Authority())
    with there(issuing.context(tmp_path, "127.0.0.1")) as server:
        add(server, issuing.pem)
        assert look(server).says("tls", "pass") and answers(server)


def test_a_certificate_that_signed_itself(tmp_path: Path) -> None:
    context = self_signed(tmp_path, "127.0.0.1")
    pem = (tmp_path / "shown.pem").read_text().partition("-----BEGIN PRIVATE")[0]
    with there(context) as server:
        assert look(server).says("tls", "fail", "tls.self_signed")
        add(server, pem)
        assert look(server).says("tls", "pass") and answers(server)
    with there(Authority().context(tmp_path, "127.0.0.1")) as server:
        add(server, pem)
        assert not answers(server)


@pytest.mark.parametrize(
    ("left", "code"), [(31 * DAY, ""), (29 * DAY, "ca.expires"), (DAY / 2, "ca.expires")]
)
def test_it_warns_in_good_time(tmp_path: Path, left: object, code: str) -> None:
    authority = Authority(lasts=left)
    with there(authority.context(tmp_path, "127.0.0.1")) as server:
        add(server, authority.pem)
        found = look(server)
        assert found.says("own_ca", "warn" if code else "pass", code, "your network team" if code else "")


def test_one_that_has_expired_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority(lasts=-DAY)
    monkeypatch.setattr(certificate_authorities, "_fault", lambda certificate: None)
    with there(Authority().context(tmp_path, "127.0.0.1")) as server:
        add(server, authority.pem)
        assert look(server).says("own_ca", "warn", "ca.expired", "your network team")
