"""Planted secrets are looked for everywhere that something is shown, kept or logged, and must not be there."""

from __future__ import annotations

import io
import uuid
import zipfile
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from models import Connection, db
from services.connections import tokens
from services.core import encryption
from services.core.runtime import runtime
from services.core.unit_of_work import session, unit_of_work
from services.transfers import control, requests
from services.transfers.requests import GetCommand, sources_of
from simulator import Fault
from tests.support.pages import Browser
from tests.support.people import make_member
from tests.support.practice import sign_in_to_imanage
from tests.support.transfers import Desk, carry_all

PASSWORD = "planted-password-4711"


def planted(desk: Desk) -> set[str]:
    """Every secret there is: the server's, the member's tokens, the password typed, the installation's own keys."""
    session().rollback()
    row = session().scalars(select(Connection)).one()
    refresh = encryption.unseal(row.refresh_token or "", "connection", row.id, "refresh_token")
    secret = encryption.unseal(desk.server.client_secret, "server", desk.server.id, "client_secret")
    return {tokens.decrypted_token(row) or "", refresh, secret, PASSWORD, *runtime().settings.secret_keys}


def every_value_in_the_database() -> str:
    session().rollback()
    found = []
    for table in db.metadata.sorted_tables:
        found += [repr(tuple(row)) for row in session().execute(select(table))]
    return "\n".join(found)


def pages(app: Flask, browser: Browser, desk: Desk, transfer_id: uuid.UUID) -> Iterator[tuple[str, str]]:
    """Every page and fragment that can be got with the ids of this desk, with its headers."""
    ids = {
        "server_id": desk.server.id,
        "matter_id": desk.matter_id,
        "transfer_id": transfer_id,
        "document_id": uuid.uuid4(),
        "member_id": desk.actor.id,
    }
    with app.test_request_context():
        for rule in app.url_map.iter_rules():
            values = {name: ids.get(name, uuid.uuid4()) for name in rule.arguments}
            if "GET" in (rule.methods or ()) and rule.endpoint != "static":
                yield rule.endpoint, app.url_for(rule.endpoint, _external=False, **values)


def unpacked(content: bytes) -> str:
    """What a person would read in it, a zip's members included. The bytes of a PDF are kept as they are."""
    if not zipfile.is_zipfile(io.BytesIO(content)):
        return content.decode(errors="replace")
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        return "\n".join(file.read(name).decode() for name in file.namelist())


def test_no_secret_is_shown_kept_or_logged(
    app: Flask, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    secrets = planted(desk)
    assert all(len(secret) >= 16 for secret in secrets)
    echo = " and ".join(secrets - {PASSWORD, *runtime().settings.secret_keys})  # what iManage knows of them
    for place, status in enumerate((400, 403)):
        said = f"bad {echo}"
        desk.practice.faults.add(
            Fault("status", path="/documents/", status=status, message=said, after=place, times=1)
        )
    command = GetCommand(
        uuid.uuid4(), desk.matter_id, desk.server.id, sources_of(["Active!1.1", "Active!2.1"])
    )
    transfer_id = requests.start_get(desk.actor, command)
    carry_all(transfer_id)
    control.retry_failed(desk.actor, transfer_id, uuid.uuid4())
    desk.browser.post("/sign-in", {"email": desk.actor.email, "password": PASSWORD})
    seen: list[str] = []
    admin = Browser(app).sign_in(make_member("Ada", is_admin=True))
    for browser in (desk.browser, admin):
        for endpoint, url in pages(app, browser, desk, transfer_id):
            for htmx in (False, True):
                response = browser.get(url, htmx=htmx, buffered=True)
                assert response.status_code != 500, endpoint
                seen.append(f"{endpoint} {response.headers} {unpacked(response.get_data())}")
    with unit_of_work():
        rows = every_value_in_the_database()
    logged = capsys.readouterr()
    for secret in secrets:
        assert not [
            text[max(0, text.index(secret) - 60) : text.index(secret) + 60] for text in seen if secret in text
        ]
        assert secret not in rows
        assert secret not in logged.out + logged.err


def test_signing_in_leaves_no_token_in_an_address(desk: Desk) -> None:
    sign_in_to_imanage(desk.browser, desk.server.id)
    secrets = planted(desk)
    assert not [call for call in desk.practice.requests if any(s in call.path + call.query for s in secrets)]
