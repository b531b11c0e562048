"""The state of one run of checks: what is needed to probe a server, copied from its rows, and the answers so far."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass, field

from sqlalchemy import select

from imanage import oauth
from imanage.certificates import Facts
from imanage.guard import GuardedSession, is_bypassed
from imanage.probes import ProbeResponse, request
from imanage.types import AppCredentials, Endpoints
from models import ApplicationPackage, Connection, Member, Server
from services.core.errors import ConflictError, NotFoundError
from services.core.runtime import runtime
from services.core.unit_of_work import release, session
from services.diagnostics.report import Outcome
from services.guidance.refusals import refusal
from services.servers import transport
from services.servers.packages import keys as packages_keys


@dataclass(frozen=True)
class Finding:
    """The outcome of one check; `code` selects the advice about it, `also` that about further problems."""

    outcome: Outcome
    code: str = ""
    sentence: str = ""
    facts: Facts = ()
    also: tuple[str, ...] = ()


def passed(sentence: str, *facts: tuple[str, str]) -> Finding:
    return Finding("pass", sentence=sentence, facts=facts)


def warned(code: str, *facts: tuple[str, str]) -> Finding:
    return Finding("warn", code, facts=facts)


def failed(code: str, *facts: tuple[str, str]) -> Finding:
    return Finding("fail", code, facts=facts)


def skipped(sentence: str) -> Finding:
    return Finding("skipped", sentence=sentence)


@dataclass(frozen=True)
class LastSignIn:
    """The latest sign-in of any member to this server."""

    member_id: uuid.UUID
    member_name: str
    is_connected: bool
    is_renewable: bool
    reason: str
    earlier_was_renewable: bool = False
    """Whether another sign-in to this server came with a refresh token."""


@dataclass
class Probe:
    """`credentials` is None where there are none, and `lacking` is then the code that says why.

    `is_direct`: no proxy is on the way to the URL.

    `is_of_package`: they come from an application package, and nobody has signed in with them yet. `thorough`: see
    `runner.check`. `knows_client_id`: the server told our Client ID from an unregistered one.
    """

    server_id: uuid.UUID
    endpoints: Endpoints
    outbound: GuardedSession
    is_direct: bool
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
    knows_client_id: bool = False
    authorize_answers: dict[tuple[str, str], ProbeResponse] = field(default_factory=dict)
    api_answers: dict[str, ProbeResponse] = field(default_factory=dict)

    @property
    def is_split(self) -> bool:
        """Whether the API has a host of its own."""
        return self.endpoints.browser != self.endpoints.api

    @property
    def registration(self) -> AppCredentials:
        """The credentials, for checks that only run where there are some."""
        if self.credentials is None:
            raise RuntimeError("There are no credentials to check.")
        return self.credentials

    def authorize(self, client_id: str, redirect_url: str) -> ProbeResponse:
        """What a browser that starts a sign-in gets first; each pair is requested once."""
        key = client_id, redirect_url
        if key not in self.authorize_answers:
            start = oauth.begin(self.endpoints, AppCredentials(client_id, ""), redirect_url)
            self.authorize_answers[key] = request(
                self.outbound, start.url, headers={"Accept": "text/html,*/*"}
            )
        return self.authorize_answers[key]

    def exchange(self, client_secret: str) -> ProbeResponse:
        """The token endpoint's answer to an invalid code with this secret."""
        form = {
            "grant_type": "authorization_code",
            "code": self.no_code,
            "code_verifier": self.no_code,
            "redirect_uri": self.redirect_url,
            "client_id": self.registration.client_id,
            "client_secret": client_secret,
        }
        return request(self.outbound, f"{self.endpoints.api}/auth/oauth2/token", form=form)


def open_probe(server_id: uuid.UUID, credentials: AppCredentials | None, *, thorough: bool) -> Probe:
    """Copy what is needed, so that no database connection is held during calls. Raises NotFoundError."""
    server = session().get(Server, server_id)
    if server is None:
        raise refusal(NotFoundError, "server.gone")
    lacking = ""
    if credentials is None:
        credentials, lacking = _stored_credentials(server)
    settings = runtime().settings
    last_sign_in = _last_sign_in(server.id)
    found = Probe(
        server_id=server.id,
        endpoints=transport.endpoints(server),
        outbound=transport.outbound(server, for_page=True),
        is_direct=False,
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
    found.is_direct = found.outbound.proxy is None or is_bypassed(found.outbound, found.endpoints.browser)
    return found


def _stored_credentials(server: Server) -> tuple[AppCredentials | None, str]:
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


def _has_renewable(latest: Connection) -> bool:
    others = select(Connection.id).where(
        Connection.server_id == latest.server_id,
        Connection.id != latest.id,
        Connection.state == "connected",
        Connection.refresh_token.is_not(None),
    )
    return session().scalar(others.limit(1)) is not None


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
            earlier_was_renewable=_has_renewable(connection),
        )
    return None
