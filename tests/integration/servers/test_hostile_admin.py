"""What somebody who means harm, or a broken program, sends to the forms of admins: links, tables, certificates."""

from __future__ import annotations

import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from flask import Flask
from sqlalchemy import select

from models import Member, Server
from services.core.actor import Actor
from services.core.errors import InvalidError
from services.core.unit_of_work import session
from services.directory.details import Details
from services.members import editing, groups, import_export, invitations, offboarding
from services.members.invitations import NewInvitation
from services.servers import certificate_authorities, registry
from tests.support.authority import Authority
from tests.support.pages import Browser
from tests.support.passwords import PASSWORD, is_signed_in, sign_in
from tests.support.people import actor_of, make_member
from tests.support.servers import make_server

MEMBERS, INTEGRATIONS = "/admin/members", "/admin/integrations/imanage"
LATER = "another long password of theirs"
MARK = "<q-mark>"
STRINGS = (
    "", " ", "\0", "a\0b", "\ufffd", "\ud800", "\u202egnp.exe", "\u200b", "\u2028x\u2029", "\ufeff", "\x1b[31m",
    "\r\nBcc: x@y.test", "%0d%0aSet-Cookie: a=b", "=1+1", "+1", "-1", "@SUM(1)", "\t=1", "=cmd|' /C calc'!A0",
    "{{7*7}}", "{% raise %}", "${7*7}", "#{7*7}", "<%= 7 %>", "%s%n%d", "{0.__class__}", "' OR 1=1 --",
    "'; DROP TABLE member; --", "\\", "%_%", "../../etc/passwd", "C:\\con", "null", "None", "NaN", "1e400", "-0",
    "true: &a [*a]", "!!python/object:x", "--- \n...", "ﷺ" * 50, "Z͑ͫ̓ͪ̂ͫ" * 20, "👩‍👩‍👧‍👦", "ß" * 400, "A" * 100_000,
    f"{MARK}<script>alert(1)</script>", f"\"'>{MARK}<img src=x onerror=alert(1)>", f"javascript:{MARK}",
)  # fmt: skip


@pytest.fixture
def actor(ada: Member) -> Actor:
    return actor_of(ada)


def imported(actor: Actor, email: str) -> Member:
    table = f"Name,Email\nAnna,{email}\n".encode()
    import_export.run(actor, import_export.read(actor, "people.csv", table), invite=False)
    return session().scalars(select(Member).where(Member.email_key == email)).one()


def link_for(actor: Actor, email: str) -> str:
    link = invitations.invite(actor, NewInvitation(email)).link
    return f"/join/{link.rpartition('/')[2]}"


def test_a_link_sent_to_a_wrong_address_opens_no_account_once_the_address_is_put_right(
    app: Flask, actor: Actor
) -> None:
    anna = imported(actor, "wrong@elsewhere.test")
    stray = link_for(actor, "wrong@elsewhere.test")
    editing.change(actor, anna.id, Details("Anna", "anna@firm.test"))
    for is_joined in (False, True):
        if is_joined:
            right = link_for(actor, "anna@firm.test")
            answer = Browser(app).post(right, {"name": "Anna", "password": PASSWORD})
            assert answer.status_code == 303
        thief = Browser(app)
        assert thief.get(stray).status_code == 410
        assert thief.post(stray, {"name": "Anna", "password": LATER}).status_code == 410
        assert not is_signed_in(thief)
    assert sign_in(Browser(app), "anna@firm.test").status_code == 303


def test_a_link_of_an_account_closed_under_another_address_opens_nothing(app: Flask, actor: Actor) -> None:
    anna = imported(actor, "wrong@elsewhere.test")
    stray = link_for(actor, "wrong@elsewhere.test")
    editing.change(actor, anna.id, Details("Anna", "anna@firm.test"))
    offboarding.deactivate(actor, anna.id)
    thief = Browser(app)
    assert thief.post(stray, {"name": "Anna", "password": LATER}).status_code == 410
    assert not is_signed_in(thief)
    session().rollback()
    assert not session().get_one(Member, anna.id).password_hash


@pytest.mark.parametrize(
    "table", [b",,,\n,\n", b'"",""\n', b"sep=;\n\n", b"sep=,\n  \n ", b"\xef\xbb\xbf,\n"]
)
def test_a_table_of_empty_cells_is_said_to_be_empty(actor: Actor, table: bytes) -> None:
    with pytest.raises(InvalidError, match="is empty"):
        import_export.read(actor, "people.csv", table)


def broken_certificates() -> list[bytes]:
    """Each with one thing in it that no certificate may have."""
    root, now = Authority(), datetime.datetime.now(datetime.UTC)
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    whole = (
        x509.CertificateBuilder(root.name, root.name, root.key.public_key(), 7)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=9))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(root.key, SHA256())
        .public_bytes(Encoding.DER)
    )
    parts = (
        (b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x07"),
        (b"\x06\x03\x55\x1d\x0f", b"\x06\x03\x55\x1d\x13"),
        (b"Firm LLP", b"\xff\xfe\xff LLP"),
        (b"\x01\x01\xff\x04\x05\x30\x03\x01\x01\xff", b"\x01\x01\xff\x04\x05\x30\x03\x02\x01\xff"),
    )
    assert all(before in whole for before, _ in parts)
    return [whole.replace(before, after) for before, after in parts]


def test_certificates_that_are_broken_inside_are_refused_in_words(database: None) -> None:
    server, boss = make_server(url="https://imanage.invalid"), actor_of(make_member("Ada", is_admin=True))
    for given in broken_certificates():
        with pytest.raises(InvalidError):
            certificate_authorities.save(
                boss, server.id, given, registry.version(session().get_one(Server, server.id))
            )
    session().rollback()
    assert session().get_one(Server, server.id).ca_pem is None


def forms(server: Server, group: object) -> list[tuple[str, tuple[str, ...]]]:
    at = f"{INTEGRATIONS}/{server.id}"
    return [
        (f"{MEMBERS}/invitations/new", ("email", "name", "organisation", "kind")),
        (f"{INTEGRATIONS}/package", ("request_key", "application_id", "name", "publisher", "organization")),
        (f"{at}/own-ca", ("version", "pem")),
        (f"{at}/route", ("version", "route")),
        (f"{at}/credentials", ("version",)),
        (f"{at}/restriction/pasted", ("pasted", "q", "add", "listed")),
        ("/admin/groups/new", ("name",)),
        (f"/admin/groups/{group}/rename", ("name",)),
        (f"/admin/groups/{group}/pasted", ("pasted",)),
        (f"/admin/groups/{group}/members", ("member",)),
    ]


def test_no_string_breaks_a_form_or_comes_back_raw(ada_browser: Browser, actor: Actor) -> None:
    server = make_server(url="https://imanage.invalid")
    group = groups.create(actor, "Litigation")
    for url, fields in forms(server, group):
        for typed in STRINGS:
            sent = typed.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
            answer = ada_browser.post(url, dict.fromkeys(fields, sent))
            assert answer.status_code < 500, (url, typed[:40])
            assert MARK not in answer.get_data(as_text=True), (url, typed[:40])
    for page in (
        "/admin/groups",
        "/admin/audit",
        MEMBERS,
        f"{MEMBERS}/invitations",
        f"{INTEGRATIONS}/package",
    ):
        answer = ada_browser.get(page)
        assert answer.status_code == 200 and MARK not in answer.get_data(as_text=True)


def test_no_string_breaks_a_search(ada_browser: Browser, actor: Actor) -> None:
    server = make_server(url="https://imanage.invalid")
    group = groups.create(actor, "Litigation")
    at = f"{INTEGRATIONS}/{server.id}"
    for url in (MEMBERS, f"{at}/why", f"{at}/sign-ins", f"/admin/groups/{group}/search"):
        for typed in STRINGS:
            sent = typed[:3000].encode("utf-8", "surrogatepass").decode("utf-8", "replace")
            answer = ada_browser.get(url, query_string={"q": sent, "page": sent, "from": sent, "show": sent})
            assert answer.status_code < 500, (url, typed[:40])
            assert MARK not in answer.get_data(as_text=True), (url, typed[:40])
