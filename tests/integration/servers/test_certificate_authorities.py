"""Custom CA on a server's page: pasted or chosen, shown with its fingerprint, taken away, and each of it on record."""

from __future__ import annotations

from io import BytesIO

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import select

from models import AuditEvent, Server
from services.core import background_tasks
from services.core.errors import ConflictError, ForbiddenError
from services.core.unit_of_work import session
from services.servers import certificate_authorities, registry
from tests.support.authority import Authority
from tests.support.pages import Browser, read
from tests.support.people import actor_of, make_member
from tests.support.servers import make_server

SERVERS = "/admin/integrations/imanage"
ROOT = Authority()
KEY = ROOT.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.fixture
def server(database: None) -> Server:
    return make_server(url="https://imanage.invalid")


def kept(server: Server) -> Server:
    session().rollback()
    return session().get_one(Server, server.id)


def give(admin: Browser, server: Server, status: int = 303, **fields: object) -> str:
    values = {"version": registry.version(kept(server)), **fields}
    answer = admin.post(f"{SERVERS}/{server.id}/own-ca", values)
    assert answer.status_code == status
    assert background_tasks.wait(60)
    return read(answer, whole=True).text if status == 422 else ""


def test_pasted_shown_changed_and_taken_away(admin: Browser, server: Server) -> None:
    fingerprint = certificate_authorities._authority(ROOT.certificate).fingerprint
    assert "Add certificates" in admin.page(f"{SERVERS}/{server.id}").text
    before = kept(server).changed_at
    give(admin, server, pem=f"a comment\n{ROOT.pem}")
    assert kept(server).ca_pem == ROOT.pem and kept(server).changed_at > before
    page = admin.page(f"{SERVERS}/{server.id}")
    assert fingerprint in page.html.replace("<wbr>", "") and "CN=Firm LLP Root CA,O=Firm LLP" in page.text
    assert "-----BEGIN CERTIFICATE-----" in admin.page(f"{SERVERS}/{server.id}/own-ca").text
    assert "will only be trusted if" in admin.page(f"{SERVERS}/{server.id}/own-ca/remove").text
    answer = admin.post(f"{SERVERS}/{server.id}/own-ca/remove", {"version": registry.version(kept(server))})
    assert answer.status_code == 303 and background_tasks.wait(60)
    assert kept(server).ca_pem is None
    events = session().scalars(select(AuditEvent).where(AuditEvent.action.like("server.ca_%")))
    told = {event.action: event.detail["certificates"] for event in events}
    assert set(told) == {"server.ca_saved", "server.ca_removed"}
    assert all(fingerprint in each[0] for each in told.values())
    assert "Saved a certificate authority for an iManage server" in admin.page("/admin/audit").text


def test_a_file_is_read_in_place_of_the_field(admin: Browser, server: Server) -> None:
    other = Authority("Other LLP")
    der = ROOT.certificate.public_bytes(Encoding.DER)
    give(admin, server, pem=other.pem, file=(BytesIO(der), "firm.cer"))
    assert kept(server).ca_pem == ROOT.pem


def test_a_private_key_is_neither_kept_nor_sent_back(admin: Browser, server: Server) -> None:
    line = KEY.splitlines()[1]
    answer = admin.post(
        f"{SERVERS}/{server.id}/own-ca",
        {"version": registry.version(kept(server)), "pem": ROOT.pem + KEY},
        htmx=True,
    )
    assert answer.status_code == 422
    html = answer.get_data(as_text=True)
    assert "This contains a private key" in html and line not in html
    assert kept(server).ca_pem is None
    assert "private key" in give(admin, server, 422, file=(BytesIO(KEY.encode()), "both.pem"))


def test_what_is_wrong_is_said_at_the_field_and_what_was_typed_stays(admin: Browser, server: Server) -> None:
    text = give(admin, server, 422, pem="hello there")
    assert "This does not contain a certificate." in text and "hello there" in text
    assert "Paste a certificate" in give(admin, server, 422, pem="")
    assert "64 kB" in give(admin, server, 422, file=(BytesIO(b"x" * 70_000), "large.pem"))


def test_two_admins_do_not_undo_each_other_unseen(admin: Browser, server: Server) -> None:
    old = registry.version(kept(server))
    give(admin, server, pem=ROOT.pem)
    assert "Someone else has changed this server" in give(admin, server, 422, pem=ROOT.pem, version=old)
    answer = admin.post(f"{SERVERS}/{server.id}/own-ca/remove", {"version": old})
    assert answer.status_code == 422 and kept(server).ca_pem == ROOT.pem


def test_the_service_refuses_by_itself(server: Server) -> None:
    member, chief = actor_of(make_member()), actor_of(make_member(is_admin=True))
    for ask in (
        lambda: certificate_authorities.authorities(member, server.id),
        lambda: certificate_authorities.pem(member, server.id),
        lambda: certificate_authorities.save(member, server.id, ROOT.pem.encode(), ""),
        lambda: certificate_authorities.remove(member, server.id, ""),
    ):
        with pytest.raises(ForbiddenError):
            ask()
    with pytest.raises(ConflictError):
        certificate_authorities.remove(chief, server.id, registry.version(kept(server)))
