"""Server checks in tests: rows for any address, results by key, and sites with given answers."""

from __future__ import annotations

import re
import socket
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import get_args
from urllib.parse import urlsplit

import pytest

from imanage.guard import Limits
from models import Server, utcnow
from models.connections import Connection
from services import diagnostics
from services.connections.tokens import TABLE
from services.core import encryption, runtime
from services.core.errors import Owner
from services.core.unit_of_work import unit_of_work
from services.diagnostics.report import Report, Result
from tests.support.loopback_servers import Behaviour, ok, read_request
from tests.support.servers import make_server

QUICK = Limits(connect_seconds=0.5, read_seconds=1.5, total_seconds=4)
UNKNOWN_SIGN_IN = b'{"data": {"auth_status": "unauthenticated", "versions": []}}'


@dataclass(frozen=True)
class Checked:
    """A report, read by key."""

    report: Report

    def __getitem__(self, key: str) -> Result:
        return next(result for result in self.report.results if result.key == key)

    def says(self, key: str, outcome: str, code: str = "", owner: str = "") -> bool:
        """Whether a row came to this, and says all that a person needs."""
        found = self[key]
        assert (found.outcome, found.code) == (outcome, code), found
        assert found.sentence
        if code:
            assert found.cause and found.next_step and found.owner in get_args(Owner)
            assert not owner or found.owner == owner, found
        return True

    def fact(self, key: str, name: str) -> str:
        return dict(self[key].facts)[name]


def server_at(url: str, api_url: str = "", **more: object) -> Server:
    """A server row at this address, its ports among those that the installation allows."""
    usual = runtime.runtime()
    ports = {_port(each) for each in (url, api_url or url)}
    runtime.bind(
        replace(usual, settings=replace(usual.settings, imanage_ports=usual.settings.imanage_ports | ports))
    )
    return make_server(f"Server {uuid.uuid4().hex[:6]}", url=url, api_url=api_url or url, **more)


def checked(server: Server, **options: object) -> Checked:
    report = diagnostics.check(server.id, **options)
    assert [row[0] for row in diagnostics.plan(server.id)] == [result.key for result in report.results]
    return Checked(report)


def keep_sign_in(
    server: Server, member_id: uuid.UUID, token: str, refresh_token: str | None = None, **more: object
) -> Connection:
    """A member's sign-in as the product keeps it, with a token that iManage gave."""
    row_id = uuid.uuid4()
    row = Connection(
        id=row_id,
        server_id=server.id,
        member_id=member_id,
        access_token=encryption.seal(token, TABLE, row_id, "access_token"),
        refresh_token=refresh_token and encryption.seal(refresh_token, TABLE, row_id, "refresh_token"),
        imanage_user="ALICE",
        base_url=f"{server.api_url}/work/api/v2/customers/4242",
        connected_at=utcnow(),
    )
    for column, value in more.items():
        setattr(row, column, value)
    with unit_of_work() as writing:
        writing.add(row)
    return row


def site(pages: Mapping[str, bytes], otherwise: bytes = b"") -> Behaviour:
    """A web site: the answer whose pattern is found in the request's first line; else a 404."""
    missing = otherwise or page(b"404 Not Found", b"Not Found")

    def behave(connection: socket.socket) -> None:
        while True:
            head, _ = read_request(connection)
            first = head.split(b"\r\n")[0].decode()
            connection.sendall(
                next((each for path, each in pages.items() if re.search(path, first)), missing)
            )

    return behave


def page(status: bytes, title: bytes, *fields: bytes) -> bytes:
    body = b"<!doctype html><html><title>%b</title><h1>%b</h1></html>" % (title, title)
    return answer(status, body, b"Content-Type: text/html", *fields)


def answer(status: bytes, body: bytes = b"", *fields: bytes) -> bytes:
    return ok(body, *fields).replace(b"200 OK", status, 1)


def eating(target: tuple[str, int], header: bytes) -> Behaviour:
    """A proxy that takes one header out of every request and passes on the rest."""

    def behave(connection: socket.socket) -> None:
        while True:
            head, body = read_request(connection)
            kept = [row for row in head.split(b"\r\n") if not row.lower().startswith(header.lower() + b":")]
            kept.append(b"Connection: close")
            with socket.create_connection(target) as far:
                far.sendall(b"\r\n".join(kept) + b"\r\n\r\n" + body)
                while piece := far.recv(65536):
                    connection.sendall(piece)
            return

    return behave


def names_lead_here(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Make these names lead to loopback; every other is looked up as usual."""
    usual: Callable[..., list[tuple[object, ...]]] = socket.getaddrinfo

    def look_up(host: str, port: int, *rest: object, **more: object) -> list[tuple[object, ...]]:
        return usual("127.0.0.1" if host in names else host, port, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


def _port(origin: str) -> int:
    parts = urlsplit(origin)
    return parts.port or (80 if parts.scheme == "http" else 443)
