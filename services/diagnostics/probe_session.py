"""One visit to a server: what is needed to look at it, copied from the rows, and what was seen on the way."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass, field

from sqlalchemy import select

from imanage import oauth
from imanage.certificates import Facts
from imanage.guard import GuardedSession
from imanage.probes import ProbeResponse, request
from imanage.types import AppCredentials, Endpoints
from models import ApplicationPackage, Connection, Member, Server
from services.core.errors import ConflictError, NotFoundError
from services.core.runtime import runtime
from services.core.unit_of_work import release, session
from services.diagnostics.report import Outcome
from services.servers import transport
from services.servers.packages import keys as packages_keys


@dataclass(frozen=True)
class Found:
    """What one check came to. Where it is not a plain pass, `code` leads to the words for it, and `also` to those of
    what is wrong beside it."""

    outcome: Outcome
    code: str = ""
    sentence: str = ""
    facts: Facts = ()
    also: tuple[str, ...] = ()


def passed(sentence: str, *facts: tuple[str, str]) -> Found:
    return Found("pass", sentence=sentence, facts=facts)


def warned(code: str, *facts: tuple[str, str]) -> Found:
    return Found("warn", code, facts=facts)


def failed(code: str, *facts: tuple[str, str]) -> Found:
    return Found("fail", code, facts=facts)


def skipped(sentence: str) -> Found:
    return Found("skipped", sentence=sentence)


@dataclass(frozen=True)
class LastSignIn:
    """The newest sign-in of anybody to this server."""

    member_id: uuid.UUID
    member_name: str
    is_connected: bool
    is_renewable: bool
    reason: str


@dataclass
class Visit:
    """`credentials` is None where there are none to look at, and `lacking` is then the code of why.

    `is_of_package`: they were made here, in a package for iManage, and nobody has signed in with them yet.
    """

    server_id: uuid.UUID
    endpoints: Endpoints
    outbound: GuardedSession
    ca_pem: str | None
    redirect_url: str
    our_hosts: tuple[str, ...]
    credentials: AppCredentials | None
    lacking: str
    last_sign_in: LastSignIn | None
    is_of_package: bool
    thorough: bool
    no_code: str = field(default_factory=lambda: f"connection-check-{secrets.token_hex(24)}")
    token: str = field(default="", repr=False)
    asked: dict[tuple[str, str], ProbeResponse] = field(default_factory=dict)
    answers: dict[str, ProbeResponse] = field(default_factory=dict)

    @property
    def is_split(self) -> bool:
        """Whether the API has a host of its own."""
        return self.endpoints.browser != self.endpoints.api

    @property
    def registration(self) -> AppCredentials:
        """Only asked for by checks that come after the one that there are credentials."""
        if self.credentials is None:
            raise RuntimeError("There are no credentials to look at.")
        return self.credentials

    def authorize(self, client_id: str, redirect_url: str) -> ProbeResponse:
        """The first answer to a browser that begins a sign-in, once for each question."""
        key = client_id, redirect_url
        if key not in self.asked:
            start = oauth.begin(self.endpoints, AppCredentials(client_id, ""), redirect_url)
            self.asked[key] = request(self.outbound, start.url, headers={"Accept": "text/html,*/*"})
        return self.asked[key]

    def exchange(self, client_secret: str) -> ProbeResponse:
        """The token endpoint's answer to a code that nobody gave, with this secret."""
        form = {
            "grant_type": "authorization_code",
            "code": self.no_code,
            "code_verifier": self.no_code,
            "redirect_uri": self.redirect_url,
            "client_id": self.registration.client_id,
            "client_secret": client_secret,
        }
        return request(self.outbound, f"{self.endpoints.api}/auth/oauth2/token", form=form)


def visit(server_id: uuid.UUID, credentials: AppCredentials | None, *, thorough: bool) -> Visit:
    """Copy what is needed, so that no row is held while the server is asked. Raises NotFoundError."""
    server = session().get(Server, server_id)
    if server is None:
        raise NotFoundError("We could not find this server.", next_step="It may have been removed.")
    lacking = ""
    if credentials is None:
        credentials, lacking = _own(server)
    settings = runtime().settings
    last_sign_in = _last_sign_in(server.id)
    found = Visit(
        server_id=server.id,
        endpoints=transport.endpoints(server),
        outbound=transport.outbound(server, for_page=True),
        ca_pem=server.ca_pem,
        redirect_url=settings.redirect_url,
        our_hosts=(settings.public_url, settings.api_url),
        credentials=credentials,
        lacking=lacking,
        last_sign_in=last_sign_in,
        is_of_package=last_sign_in is None and credentials is not None and _is_of_package(credentials),
        thorough=thorough,
    )
    release()
    return found


def _own(server: Server) -> tuple[AppCredentials | None, str]:
    try:
        credentials = transport.credentials(server)
    except ConflictError:
        return None, "client.secret_lost"
    if not (credentials.client_id and credentials.client_secret):
        return None, "client.missing"
    return credentials, ""


def _is_of_package(credentials: AppCredentials) -> bool:
    made_here = ApplicationPackage.key_hash == packages_keys.hash_of(credentials.client_id)
    return session().scalar(select(ApplicationPackage.id).where(made_here)) is not None


def _last_sign_in(server_id: uuid.UUID) -> LastSignIn | None:
    row = session().execute(
        select(Connection, Member.name)
        .join(Member, Member.id == Connection.member_id)
        .where(Connection.server_id == server_id)
        .order_by((Connection.state == "connected").desc(), Connection.connected_at.desc())
        .limit(1)
    )
    for connection, name in row:
        return LastSignIn(
            member_id=connection.member_id,
            member_name=name,
            is_connected=connection.state == "connected",
            is_renewable=connection.refresh_token is not None,
            reason=connection.reason,
        )
    return None
