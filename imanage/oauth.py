"""OAuth 2.0: authorization code with PKCE (S256), client secret in the body, no redirects.

One Authlib session per call. Concurrent refreshes are not prevented here: the caller that stores the tokens holds the
lock.
"""

from __future__ import annotations

import contextlib
import math
import re
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import requests

from .client import auth_headers
from .errors import ImanageError, NotIManageError, SignInPageError, SignInRefusedError, UnauthorisedError
from .guard import limits_of
from .refusals import read_refusal
from .responses import connection_fault, error_from_response, read_json
from .types import AppCredentials, Endpoints, TokenSet

if TYPE_CHECKING:
    from authlib.integrations.requests_client import OAuth2Session

_AUTHORIZE_PATH = "/auth/oauth2/authorize"
_EXCHANGE_PATH = "/auth/oauth2/token"
_SIGN_OUT_PATH = "/login/terminate"
_HEADER_SAFE = re.compile(r"[\x21-\x7e]+")
_AUTH_METHOD = "client_secret_post"
_MAX_LIFETIME = timedelta(days=400)


@dataclass(frozen=True)
class AuthorizationStart:
    """The URL to redirect the browser to, and the values to keep until the callback."""

    url: str
    state: str = field(repr=False)
    verifier: str = field(repr=False)


def begin(
    endpoints: Endpoints, credentials: AppCredentials, redirect_uri: str, scope: str = "user"
) -> AuthorizationStart:
    """Start a sign-in with a fresh state and verifier, at least 256 bits each."""
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(64)
    oauth = _oauth(credentials, redirect_uri=redirect_uri, scope=scope)
    url, _ = oauth.create_authorization_url(
        f"{endpoints.browser}{_AUTHORIZE_PATH}", state=state, code_verifier=verifier
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
    """Exchange the authorization code for tokens."""
    call = _TokenCall(session, endpoints, credentials, (code, verifier), redirect_uri)
    return call.fetch(grant_type="authorization_code", code=code, code_verifier=verifier)


def refresh(
    session: requests.Session, endpoints: Endpoints, credentials: AppCredentials, refresh_token: str
) -> TokenSet:
    """Get a new access token. `refresh_token` is None if the server did not rotate it: the old one remains valid."""
    call = _TokenCall(session, endpoints, credentials, (refresh_token,))
    return call.fetch(grant_type="refresh_token", refresh_token=refresh_token)


def sign_out(session: requests.Session, endpoints: Endpoints, access_token: str) -> None:
    """End the session of a token, best effort: without it the token expires by itself."""
    with contextlib.suppress(requests.RequestException, ImanageError):
        session.get(
            f"{endpoints.api}{_SIGN_OUT_PATH}",
            headers=auth_headers(access_token),
            allow_redirects=False,
            stream=True,
        ).close()


def _oauth(credentials: AppCredentials, **options: Any) -> OAuth2Session:
    from authlib.integrations.requests_client import OAuth2Session  # an idle process does without it

    return OAuth2Session(
        credentials.client_id,
        credentials.client_secret,
        token_endpoint_auth_method=_AUTH_METHOD,
        code_challenge_method="S256",
        **options,
    )


class _TokenCall:
    """One call of the token endpoint: Authlib builds the request, the guarded session's adapter sends it."""

    def __init__(
        self,
        session: requests.Session,
        endpoints: Endpoints,
        credentials: AppCredentials,
        private: tuple[str, ...],
        redirect_uri: str | None = None,
    ) -> None:
        self._limits = limits_of(session)
        self._url = f"{endpoints.api}{_EXCHANGE_PATH}"
        self._secrets = (*private, credentials.client_secret)
        self._payload: dict[str, Any] = {}
        self._oauth = _oauth(credentials, redirect_uri=redirect_uri)
        self._oauth.trust_env = False
        self._oauth.headers.update(session.headers)
        self._oauth.adapters = session.adapters
        self._oauth.register_compliance_hook("access_token_response", self._check)

    def fetch(self, **form: str) -> TokenSet:
        requested_at = datetime.now(UTC)
        try:
            self._oauth.fetch_token(self._url, allow_redirects=False, stream=True, **form)
        except requests.RequestException as error:
            raise connection_fault(error) from None
        return TokenSet(
            access_token=self._payload["access_token"],
            refresh_token=_text(self._payload.get("refresh_token")),
            expires_at=_expiry(self._payload.get("expires_in"), requested_at),
            scope=_text(self._payload.get("scope")),
        )

    def _check(self, response: requests.Response) -> _Answer:
        """Read the response here: iManage nests its errors, and another program may be answering."""
        if not 200 <= response.status_code < 300:
            raise self._refused(error_from_response(response, self._limits, self._secrets))
        try:
            payload = read_json(response, self._limits, self._limits.token)
        except UnauthorisedError as error:
            raise SignInPageError(status=error.status) from None
        if not isinstance(payload, dict):
            raise NotIManageError(status=response.status_code)
        if not _text(payload.get("access_token")):
            if "error" in payload:
                refusal = read_refusal(payload, self._secrets)
                raise SignInRefusedError(
                    status=response.status_code, remote_code=refusal.code, remote_message=refusal.message
                )
            raise NotIManageError(status=response.status_code)
        if not _HEADER_SAFE.fullmatch(payload["access_token"]):
            raise NotIManageError(status=response.status_code)
        self._payload = payload
        return _Answer(response.status_code, payload["access_token"])

    def _refused(self, error: ImanageError) -> ImanageError:
        if error.status in {400, 401, 403} and not isinstance(error, SignInPageError):
            return SignInRefusedError(
                status=error.status, remote_code=error.remote_code, remote_message=error.remote_message
            )
        if isinstance(error, UnauthorisedError):
            return SignInPageError(status=error.status)
        return NotIManageError(status=error.status) if error.status in {404, 405} else error


@dataclass(frozen=True)
class _Answer:
    """The part of a checked response that Authlib reads."""

    status_code: int
    access_token: str = field(repr=False)

    def json(self) -> dict[str, str]:
        return {"access_token": self.access_token, "token_type": "Bearer"}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _expiry(expires_in: Any, requested_at: datetime) -> datetime | None:
    """When the token expires; None if the server sent no usable value."""
    try:
        seconds = float(expires_in)
    except (TypeError, ValueError, OverflowError):
        return None
    if isinstance(expires_in, bool) or not math.isfinite(seconds) or seconds <= 0:
        return None
    return requested_at + min(timedelta(seconds=min(seconds, _MAX_LIFETIME.total_seconds())), _MAX_LIFETIME)
