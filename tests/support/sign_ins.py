"""A sign-in to the practice iManage."""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from flask import Flask
from sqlalchemy import select

from imanage.client import Client
from imanage.errors import ImanageError
from models import Connection, Member, Server, utcnow
from services.connections import accounts, tokens
from services.core.actor import Actor
from services.core.errors import RemoteRefusedError, SignInNeededError
from services.core.unit_of_work import session, unit_of_work
from simulator import Simulator
from tests.support.pages import Browser, read

TOKEN = "/auth/oauth2/token"


@dataclass(frozen=True)
class SignIn:
    app: Flask
    practice: Simulator
    member_id: uuid.UUID
    server_id: uuid.UUID

    def row(self) -> Connection:
        session().rollback()
        return session().scalars(select(Connection)).one()

    def change(self, **values: object) -> None:
        with unit_of_work() as writing:
            row = writing.scalars(select(Connection)).one()
            for name, value in values.items():
                setattr(row, name, value)

    def run_out(self) -> None:
        self.change(expires_at=utcnow() - timedelta(minutes=1))

    def ask(self) -> object:
        return tokens.with_client(self.member_id, self.server_id, libraries)

    def refreshes(self) -> int:
        return len([call for call in self.practice.requests if call.path == TOKEN])

    def in_threads(self, count: int) -> list[object]:
        """Ask from so many threads at once, each with a session of its own, as tabs and workers do."""
        start = threading.Barrier(count)

        def one() -> object:
            with self.app.app_context():
                start.wait(10)
                try:
                    return self.ask()
                except (ImanageError, SignInNeededError, RemoteRefusedError) as error:
                    return error

        with ThreadPoolExecutor(count) as pool:
            return [future.result(60) for future in [pool.submit(one) for _ in range(count)]]


def libraries(client: Client) -> int:
    return len(client.lists("GET", "libraries").rows)


def lines_of(signed_in: SignIn) -> tuple[accounts.ConnectedAccount, ...]:
    member = session().get_one(Member, signed_in.member_id)
    return accounts.of_member(Actor(member.id, member.name, member.email))


def connection() -> Connection | None:
    session().rollback()
    return session().scalar(select(Connection))


def refused(browser: Browser, path: str, heading: str, status: int = 400) -> str:
    """The page of an answer that made no sign-in: its own heading, a next step, and no connection left behind."""
    response = browser.get(path)
    assert response.status_code == status
    page = read(response, whole=True)
    assert heading in page.text
    assert "What to do:" in page.text
    assert connection() is None
    return page.text


def change_server(server_id: uuid.UUID, **values: object) -> None:
    with unit_of_work() as writing:
        row = writing.get_one(Server, server_id)
        for name, value in values.items():
            setattr(row, name, value)
