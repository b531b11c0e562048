"""Mix-up (RFC 9700, 4.4): a server that lies sends the person's browser on to an honest one and hopes for its answer.

Where iManage names itself in the answer (`iss`), nothing is sent to anybody. Where it does not, the answer counts for
the server that the sign-in was begun at, and this shows all that a lying server then has: docs/operations.md tells it.
"""

from __future__ import annotations

import socket
import uuid
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qs

import pytest
import requests

from models import Server
from services.core import runtime
from services.servers import transport
from simulator import Simulator, practice_password
from tests.architecture.sources import text_of
from tests.support.loopback_servers import Line, line, read_request
from tests.support.pages import Browser
from tests.support.people import make_member
from tests.support.practice import CLIENT_ID, begin, decide, practice_server
from tests.support.server_checks import answer
from tests.support.sign_ins import connection, refused

ALICE = "alice@practice.example"
NO = answer(b"400 Bad Request", b'{"error": "invalid_grant"}', b"Content-Type: application/json")


class Liar:
    """A false iManage that a System Admin was tricked into adding; it stores what it is sent."""

    def __init__(self) -> None:
        self.told: list[bytes] = []

    def behave(self, connection: socket.socket) -> None:
        while True:
            _, body = read_request(connection)
            self.told.append(body)
            connection.sendall(NO)


@pytest.fixture
def liar() -> Liar:
    return Liar()


@pytest.fixture
def lying_line(liar: Liar, practice: Simulator) -> Iterator[Line]:
    with line(liar.behave) as there:
        known = runtime.runtime()
        ports = known.settings.imanage_ports | {there.port}
        runtime.bind(replace(known, settings=replace(known.settings, imanage_ports=ports)))
        yield there


@pytest.fixture
def lying(lying_line: Line, practice: Simulator) -> Server:
    url = f"http://127.0.0.1:{lying_line.port}"
    practice_server(practice, "Honest")
    server_id = uuid.uuid4()
    secret = transport.seal_secret(server_id, "what the liar was given")
    own = {"id": server_id, "url": url, "api_url": url, "client_id": "liar", "client_secret": secret}
    return practice_server(practice, "Lying", **own)


@pytest.fixture
def alice(browser: Browser) -> Browser:
    return browser.sign_in(make_member("Alice Archer", email=ALICE))


def sent_on(alice: Browser, lying: Server, practice: Simulator) -> str:
    """The sign-in is begun at the liar, who sends the browser on with our state and challenge; Alice says yes there."""
    address = begin(alice, lying.id)
    there = address.replace(lying.url, practice.url).replace("client_id=liar", f"client_id={CLIENT_ID}")
    practice.forget_requests()
    return decide(there)


def test_where_imanage_names_itself_nothing_is_sent_to_anybody(
    alice: Browser, lying: Server, liar: Liar, practice: Simulator
) -> None:
    practice.settings.update({"issuer": practice.url})
    refused(alice, sent_on(alice, lying, practice), "Another server answered")
    assert liar.told == []


def test_where_it_does_not_the_liar_has_a_code_that_it_cannot_use(
    alice: Browser, lying: Server, liar: Liar, practice: Simulator
) -> None:
    assert alice.get(sent_on(alice, lying, practice)).status_code != 303
    assert connection() is None
    assert not [call for call in practice.requests if call.path.endswith("/token")], (
        "no code went to the honest one"
    )
    (told,) = liar.told
    form = {name: values[0] for name, values in parse_qs(told.decode()).items()}
    assert practice_password(CLIENT_ID).encode() not in told, "nor its Client Secret to the liar"
    form["client_id"] = CLIENT_ID
    for secret in (form["client_secret"], "", "guess"):
        spent = requests.post(
            f"{practice.url}/auth/oauth2/token", data=form | {"client_secret": secret}, timeout=10
        )
        assert spent.status_code in {400, 401} and "access_token" not in spent.text


def test_the_risk_that_is_left_is_told() -> None:
    told = text_of("docs/operations.md")
    assert "## Known limitations" in told and "`iss`" in told and "its own Client Secret" in told
