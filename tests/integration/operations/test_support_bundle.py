"""The support bundle: what is in it, and that no secret is, wherever one was planted."""

from __future__ import annotations

import io
import json
import tomllib
import uuid
import zipfile
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select, update

from config import VERSION
from models import (
    AuditEvent,
    Connection,
    Server,
    ServerCheck,
    ServerCircuit,
    Transfer,
    TransferItem,
    utcnow,
)
from services.connections import tokens
from services.core import encryption, runtime
from services.core.unit_of_work import session, unit_of_work
from services.servers import transport
from tests.support.pages import Browser
from tests.support.people import make_member
from tests.support.repository import ROOT
from tests.support.servers import connect, make_running_transfer, make_server

URL = "/admin/integrations/imanage/support-bundle.zip"
CLIENT_SECRET = 'planted-client-secret-"quoted"-4711'
ACCESS = "planted-access-token-4712"
REFRESH = "planted-refresh-token-4713"
CLOUD = "planted-cloud-secret-4714"
KEY = "planted-secret-key-of-the-installation-4715"
DATABASE = "planted database/password 4716"
SMTP = "planted-smtp-password-4717"
STORAGE = "planted-storage-key-4718"
PROXY = "planted-proxy-password-4721"
IN_URL = "planted-password-of-some-address-4719"
DOCUMENT = "Planted merger agreement 4720"
MATTER = "Harlow v Finch"
SECRETS = (CLIENT_SECRET, ACCESS, REFRESH, CLOUD, KEY, DATABASE, SMTP, STORAGE, PROXY, IN_URL)
EVERYWHERE = f"{CLIENT_SECRET} {ACCESS} {REFRESH} {CLOUD} {KEY} {DATABASE} {SMTP} {STORAGE} {PROXY}"


@pytest.fixture
def planted(database: None) -> Iterator[Server]:
    """Secrets where they belong, and each of them where it could be by mistake."""
    usual = runtime.runtime()
    settings = replace(
        usual.settings,
        secret_keys=(*usual.settings.secret_keys, KEY),
        cloud_client_secret=CLOUD,
        database_url="postgresql+psycopg://counterpart:planted%20database%2Fpassword%204716@db.firm.test:5433/counterpart",
        smtp_url=f"smtps://mailer:{SMTP}@mail.firm.test:465",
        outbound_proxy="http://127.0.0.1:9",
        outbound_proxy_login=("proxyuser", PROXY),
        no_proxy=("imanage.firm.test",),
        storage_url=f"s3://AKIA:{STORAGE}@documents/kept",
    )
    runtime.bind(replace(usual, settings=settings))
    try:
        yield plant()
    finally:
        runtime.bind(usual)


def plant() -> Server:
    member = make_member("Lena Ford")
    server = make_server("London DMS", is_enabled=True)
    connection = connect(server, member)
    transfer = make_running_transfer(server, member)
    with unit_of_work() as writing:
        said = f"It said {EVERYWHERE} at https://lena:{IN_URL}@imanage.firm.test/api about {DOCUMENT}"
        writing.execute(
            update(Server)
            .where(Server.id == server.id)
            .values(client_secret=transport.seal_secret(server.id, CLIENT_SECRET))
        )
        writing.execute(
            update(Connection)
            .where(Connection.id == connection.id)
            .values(
                access_token=encryption.seal(ACCESS, tokens.TABLE, connection.id, "access_token"),
                refresh_token=encryption.seal(REFRESH, tokens.TABLE, connection.id, "refresh_token"),
                reason=said[:500],
            )
        )
        result = {
            "key": "api",
            "group": "iManage",
            "title": "iManage Work answers",
            "outcome": "fail",
            "seconds": 0.1,
            "code": "api.not_imanage",
            "sentence": said.replace(DOCUMENT, ""),
            "cause": EVERYWHERE,
            "next_step": EVERYWHERE,
            "owner": "your network team",
            "facts": [["Server", EVERYWHERE], [EVERYWHERE, f"https://a:{IN_URL}@b.test"]],
        }
        writing.add(
            ServerCheck(
                server_id=server.id,
                started_by="Ada Admin",
                finished_at=utcnow(),
                state="failing",
                code="api.not_imanage",
                results=[result],
            )
        )
        writing.add(
            ServerCircuit(
                server_id=server.id, code="imanage.unreachable.silent", sentence=said[:600], failures=5
            )
        )
        item = TransferItem(
            transfer_id=transfer.id, position=1, name=DOCUMENT, state="failed", target="new_document"
        )
        item.error_code, item.error_sentence, item.next_step = "imanage.rejected", said[:600], said[:600]
        writing.add(item)
        # A name may hold a secret that somebody pasted into the wrong field.
        writing.execute(update(Transfer).values(server_name=f"London {CLIENT_SECRET}"))
    return server


def opened(admin: Browser) -> tuple[dict[str, bytes], bytes]:
    answer = admin.get(URL)
    assert answer.status_code == 200
    content = answer.get_data()
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        return {name: file.read(name) for name in file.namelist()}, content


def test_no_planted_secret_is_in_any_member(admin: Browser, planted: Server) -> None:
    members, content = opened(admin)
    for secret in SECRETS:
        forms = {secret.encode(), json.dumps(secret)[1:-1].encode()}
        for name, text in {**members, "the zip itself": content}.items():
            assert not [form for form in forms if form in text], f"{secret} is in {name}"
    assert b"planted%20database" not in b"".join(members.values())


def test_no_name_of_a_document_or_matter_is_in_it(admin: Browser, planted: Server) -> None:
    whole = b"".join(opened(admin)[0].values())
    for name in (DOCUMENT, MATTER, "Lena Ford"):
        assert name.encode() not in whole


def test_the_secrets_were_really_there(
    admin: Browser, planted: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the second safeguard they are in what checks reported: the test above can fail."""
    monkeypatch.setattr("services.operations.support_bundle._secrets", lambda settings: iter(()))
    report = opened(admin)[0]["report.txt"]
    for secret in (ACCESS, REFRESH, CLOUD, KEY, SMTP, STORAGE, PROXY):
        assert secret.encode() in report
    assert IN_URL.encode() not in report


def test_what_helps_is_in_it(admin: Browser, planted: Server) -> None:
    members, _ = opened(admin)
    read = {name: json.loads(text) for name, text in members.items() if name.endswith(".json")}
    assert set(members) == {
        "README.txt",
        "report.txt",
        "report.json",
        "health.json",
        "servers.json",
        "errors.json",
        "settings.json",
        "versions.json",
        "installation.json",
    }
    assert "iManage Work answers" in members["report.txt"].decode()
    assert read["report.json"][0]["results"][0]["code"] == "api.not_imanage"
    assert read["health.json"]["London DMS"]["checks"][0]["state"] == "failing"
    assert read["servers.json"][0]["url"] == planted.url
    assert (read["servers.json"][0]["route"], read["servers.json"][0]["uses_proxy"]) == ("default", True)
    assert read["settings.json"]["outbound_proxy"] == "http://127.0.0.1:9"
    assert read["settings.json"]["outbound_proxy_signs_in"] is True
    assert b"proxyuser" not in b"".join(members.values())
    assert read["servers.json"][0]["has_client_secret"] is True
    assert read["errors.json"]["items"][0]["code"] == "imanage.rejected"
    assert read["errors.json"]["items"][0]["count"] == 1
    assert read["errors.json"]["pauses"][0]["code"] == "imanage.unreachable.silent"
    assert read["settings.json"]["database"] == {"scheme": "postgresql+psycopg", "host": "db.firm.test:5433"}
    assert read["settings.json"]["smtp"] == {"scheme": "smtps", "host": "mail.firm.test:465"}
    assert read["settings.json"]["imanage_networks"] == ["127.0.0.0/8"]
    assert read["versions.json"]["counterpart"] == VERSION
    assert "SQLAlchemy" in read["versions.json"]["libraries"]
    assert {check["name"] for check in read["installation.json"]} >= {"database", "migrations", "storage"}


def test_an_empty_installation_has_one_too_and_it_is_on_record(admin: Browser, app: Flask) -> None:
    members, _ = opened(admin)
    assert b"No server has been checked yet." in members["report.txt"]
    session().rollback()
    assert session().scalars(select(AuditEvent.action)).all() == ["support_bundle.downloaded"]


def test_head_is_handed_nothing_and_leaves_no_record(admin: Browser) -> None:
    for url in (URL, URL.replace("support-bundle.zip", f"removed/{uuid.uuid4()}/links.csv")):
        answer = admin.client.head(url)
        assert (answer.status_code, answer.data) == (405, b""), url
        assert "GET" in answer.headers["Allow"]
    session().rollback()
    assert not session().scalars(select(AuditEvent.action)).all()


def test_the_version_is_the_projects() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["version"] == VERSION
