"""The practice iManage for tests from end to end: a server row for it, and people who sign in there."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

import requests

from models import Server
from services.core import runtime
from services.core.text.normalise import fold
from services.core.unit_of_work import unit_of_work
from services.servers import transport
from simulator import Settings, Simulator, World, practice_password, practice_world
from tests.support.pages import Browser

CLIENT_ID = "counterpart-practice"
CALLBACK = "/auth/v0/oauth2/authorized"


@contextmanager
def practice_imanage() -> Iterator[Simulator]:
    with Simulator() as running:
        yield running


@contextmanager
def reached(practice: Simulator) -> Iterator[Simulator]:
    """The same world without faults, every dial where it starts, and our rules naming the port that it got."""
    practice.faults.clear()
    practice.settings.update(Settings().as_dict())
    practice.forget_requests()
    usual = runtime.runtime()
    ports = usual.settings.imanage_ports | {practice.port}
    runtime.bind(replace(usual, settings=replace(usual.settings, imanage_ports=ports)))
    try:
        yield practice
    finally:
        runtime.bind(usual)


def moved_world(renamed: dict[str, str]) -> World:
    """The practice world after a move to another server: the same numbers in libraries with other names."""
    before = practice_world()
    users = [
        replace(each, preferred_library=renamed.get(each.preferred_library, each.preferred_library))
        for each in before.users
    ]
    after = World(users, before.apps)
    for library in before.libraries():
        name = renamed.get(library.id, library.id)
        after.add_library(replace(library, id=name))
        for container in before.containers(library.id):
            after.put_container(replace(container, library=name))
        for document in before.documents(library.id):
            after.put_document(replace(document, library=name))
    return after


class Practice(Protocol):
    """The practice iManage, in this process or in one of its own."""

    @property
    def url(self) -> str: ...


def practice_server(practice: Practice, name: str = "London", **more: object) -> Server:
    """A server row that leads to the practice iManage, switched on."""
    server_id = uuid.uuid4()
    with unit_of_work() as writing:
        server = Server(
            id=server_id,
            kind="on_premise",
            name=name,
            name_key=fold(name),
            url=practice.url,
            api_url=practice.url,
            client_id=CLIENT_ID,
            client_secret=transport.seal_secret(server_id, practice_password(CLIENT_ID)),
            is_enabled=True,
        )
        for column, value in more.items():
            setattr(server, column, value)
        writing.add(server)
    return server


def begin(browser: Browser, server_id: uuid.UUID, return_to: str = "/account") -> str:
    """Press the button; returns the address of iManage's sign-in page that the browser is sent to."""
    response = browser.post(f"/connect/{server_id}", {"return_to": return_to}, htmx=True)
    assert response.status_code == 204
    return response.headers["HX-Redirect"]


def decide(address: str, user: str = "ALICE", decision: str = "allow", password: str = "") -> str:
    """Allow access on iManage's page; returns the path that the browser is redirected to."""
    form = {"username": user, "password": password or practice_password(user), "decision": decision}
    answer = requests.post(address, data=form, allow_redirects=False, timeout=10)
    assert answer.status_code == 302, answer.text
    back = urlsplit(answer.headers["Location"])
    return f"{back.path}?{back.query}"


def state_in(address: str) -> str:
    return parse_qs(urlsplit(address).query)["state"][0]


def sign_in_to_imanage(browser: Browser, server_id: uuid.UUID, user: str = "ALICE") -> None:
    """The whole way there and back."""
    response = browser.get(decide(begin(browser, server_id), user))
    assert response.status_code == 303, response.get_data(as_text=True)
