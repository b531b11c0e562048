"""Signing a person in: authorization code with PKCE S256, the secret in the body, no redirect followed.

One Authlib session is built per call. Refreshing twice at once is not prevented here: whoever keeps the tokens holds
the lock.
"""

from __future__ import annotations

import contextlib
import math
import re
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from authlib.integrations.requests_client import OAuth2Session

from .answers import line_fault, read_json, refusal, words
from .client import auth_headers
from .errors import ImanageError, NotIManageError, SignInRefusedError
from .guard import limits_of
from .types import AppCredentials, Endpoints, TokenSet

_AUTHORIZE = "/auth/oauth2/authorize"
_EXCHANGE = "/auth/oauth2/token"
_TERMINATE = "/login/terminate"
_HEADER_SAFE = re.compile(r"[\x21-\x7e]+")
_IN_BODY = "client_secret_post"
_LONGEST_LIFE = timedelta(days=400)


@dataclass(frozen=True)
class AuthorizationStart:
    """Where to send the browser, and what to keep until it comes back."""

    url: str
    state: str = field(repr=False)
    verifier: str = field(repr=False)


def begin(
    endpoints: Endpoints, credentials: AppCredentials, redirect_uri: str, scope: str = "user"
) -> AuthorizationStart:
    """Start a sign-in. State and verifier are fresh, 256 bits and more."""
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(64)
    oauth = _oauth(credentials, redirect_uri=redirect_uri, scope=scope)
    url, _ = oauth.create_authorization_url(
        f"{endpoints.browser}{_AUTHORIZE}", state=state, code_verifier=verifier
    )
    return AuthorizationStart(str(url), state, verifier)


def exchange(
    session: requests.Session,
    endpoints: Endpoints,
    credentials: AppCredentials,
    redirect_uri: str,
    code: str,
    verifier: str,
) -> TokenSet:
    """Trade the code that the browser brought back for tokens."""
    call = _TokenCall(session, endpoints, credentials, (code, verifier), redirect_uri)
    return call.fetch(grant_type="authorization_code", code=code, code_verifier=verifier)


def refresh(
    session: requests.Session, endpoints: Endpoints, credentials: AppCredentials, refresh_token: str
) -> TokenSet:
    """Get a new access token. `refresh_token` is None where the server sent no new one: the old one stays good."""
    call = _TokenCall(session, endpoints, credentials, (refresh_token,))
    return call.fetch(grant_type="refresh_token", refresh_token=refresh_token)


def sign_out(session: requests.Session, endpoints: Endpoints, access_token: str) -> None:
    """Tell the server that we are done with a token. If it cannot be told, the token ends by itself."""
    with contextlib.suppress(requests.RequestException, ImanageError):
        session.get(
            f"{endpoints.api}{_TERMINATE}",
            headers=auth_headers(access_token),
            allow_redirects=False,
            stream=True,
        ).close()


def _oauth(credentials: AppCredentials, **options: Any) -> OAuth2Session:
    return OAuth2Session(
        credentials.client_id,
        credentials.client_secret,
        token_endpoint_auth_method=_IN_BODY,
        code_challenge_method="S256",
        **options,
    )


class _TokenCall:
    """One call of the token endpoint: Authlib makes the request, the guarded session's adapter carries it."""

    def __init__(
        self,
        session: requests.Session,
        endpoints: Endpoints,
        credentials: AppCredentials,
        private: tuple[str, ...],
        redirect_uri: str | None = None,
    ) -> None:
        self._limits = limits_of(session)
        self._url = f"{endpoints.api}{_EXCHANGE}"
        self._secrets = (*private, credentials.client_secret)
        self._payload: dict[str, Any] = {}
        self._oauth = _oauth(credentials, redirect_uri=redirect_uri)
        self._oauth.trust_env = False
        self._oauth.headers.update(session.headers)
        self._oauth.adapters = session.adapters
        self._oauth.register_compliance_hook("access_token_response", self._judge)

    def fetch(self, **form: str) -> TokenSet:
        asked_at = datetime.now(UTC)
        try:
            self._oauth.fetch_token(self._url, allow_redirects=False, stream=True, **form)
        except requests.RequestException as error:
            raise line_fault(error) from None
        return TokenSet(
            access_token=self._payload["access_token"],
            refresh_token=_word(self._payload.get("refresh_token")),
            expires_at=_expiry(self._payload.get("expires_in"), asked_at),
            scope=_word(self._payload.get("scope")),
        )

    def _judge(self, response: requests.Response) -> _Answer:
        """Read the answer ourselves: iManage nests its errors, and any program may stand behind the address."""
        if not 200 <= response.status_code < 300:
            raise self._refused(refusal(response, self._limits, self._secrets))
        payload = read_json(response, self._limits, self._limits.token)
        if not isinstance(payload, dict):
            raise NotIManageError(status=response.status_code)
        if not _word(payload.get("access_token")):
            code, message, _ = words(payload, self._secrets)
            if "error" in payload:
                raise SignInRefusedError(
                    status=response.status_code, remote_code=code, remote_message=message
                )
            raise NotIManageError(status=response.status_code)
        if not _HEADER_SAFE.fullmatch(payload["access_token"]):
            raise NotIManageError(status=response.status_code)
        self._payload = payload
        return _Answer(response.status_code, payload["access_token"])

    def _refused(self, error: ImanageError) -> ImanageError:
        if error.status in {400, 401, 403}:
            return SignInRefusedError(
                status=error.status, remote_code=error.remote_code, remote_message=error.remote_message
            )
        return NotIManageError(status=error.status) if error.status in {404, 405} else error


@dataclass(frozen=True)
class _Answer:
    """What Authlib needs to see of an answer that has been judged already."""

    status_code: int
    access_token: str = field(repr=False)

    def json(self) -> dict[str, str]:
        return {"access_token": self.access_token, "token_type": "Bearer"}


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _expiry(expires_in: Any, asked_at: datetime) -> datetime | None:
    """When the token ends; None where the server said nothing that can be used."""
    try:
        seconds = float(expires_in)
    except (TypeError, ValueError, OverflowError):
        return None
    if isinstance(expires_in, bool) or not math.isfinite(seconds) or seconds <= 0:
        return None
    return asked_at + min(timedelta(seconds=min(seconds, _LONGEST_LIFE.total_seconds())), _LONGEST_LIFE)
