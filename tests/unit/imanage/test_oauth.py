"""OAuth: requests, tokens, and unexpected responses of the token endpoint."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import responses

from imanage import errors, oauth
from imanage.guard import build_session
from imanage.networks import AddressRules
from imanage.types import TokenSet
from tests.unit.imanage.support import CREDENTIALS, ENDPOINTS, HOST, TOKEN

TOKEN_URL = f"{HOST}/auth/oauth2/token"
REDIRECT = "https://counterpart.firm.com/auth/v0/oauth2/authorized"
GOOD = {
    "access_token": TOKEN,
    "expires_in": 1800,
    "token_type": "Bearer",
    "scope": "user",
    "refresh_token": "r1",
}


def exchange() -> TokenSet:
    session = build_session(AddressRules())
    return oauth.exchange(session, ENDPOINTS, CREDENTIALS, REDIRECT, "the-code", "v" * 43)


def refresh() -> TokenSet:
    return oauth.refresh(build_session(AddressRules()), ENDPOINTS, CREDENTIALS, "old-refresh")


def sent() -> dict[str, str]:
    body = responses.calls[0].request.body
    text = body.decode() if isinstance(body, bytes) else str(body)
    return {name: values[0] for name, values in parse_qs(text).items()}


def test_the_browser_is_sent_to_the_browser_facing_host_with_pkce() -> None:
    start = oauth.begin(ENDPOINTS, CREDENTIALS, REDIRECT)
    parts = urlsplit(start.url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    digest = hashlib.sha256(start.verifier.encode()).digest()
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{ENDPOINTS.browser}/auth/oauth2/authorize"
    assert query == {
        "response_type": "code",
        "client_id": CREDENTIALS.client_id,
        "redirect_uri": REDIRECT,
        "scope": "user",
        "state": start.state,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    assert 43 <= len(start.verifier) <= 128
    assert len(start.state) >= 43
    assert CREDENTIALS.client_secret not in start.url


def test_every_sign_in_has_its_own_state_and_verifier() -> None:
    starts = [oauth.begin(ENDPOINTS, CREDENTIALS, REDIRECT) for _ in range(20)]
    assert len({start.state for start in starts}) == len({start.verifier for start in starts}) == 20


@responses.activate
def test_the_code_is_exchanged_on_the_api_host_with_the_secret_in_the_body() -> None:
    responses.post(TOKEN_URL, json=GOOD)
    before = datetime.now(UTC)
    tokens = exchange()
    assert sent() == {
        "grant_type": "authorization_code",
        "code": "the-code",
        "redirect_uri": REDIRECT,
        "code_verifier": "v" * 43,
        "client_id": CREDENTIALS.client_id,
        "client_secret": CREDENTIALS.client_secret,
    }
    headers = responses.calls[0].request.headers
    assert "Authorization" not in headers
    assert headers["Content-Type"].startswith("application/x-www-form-urlencoded")
    assert (tokens.access_token, tokens.refresh_token, tokens.scope) == (TOKEN, "r1", "user")
    assert tokens.expires_at is not None
    assert timedelta(0) <= tokens.expires_at - before - timedelta(seconds=1800) < timedelta(seconds=10)


@responses.activate
def test_a_refresh_sends_the_credentials_too() -> None:
    responses.post(TOKEN_URL, json={**GOOD, "refresh_token": "r2"})
    assert refresh().refresh_token == "r2"
    assert sent() == {
        "grant_type": "refresh_token",
        "refresh_token": "old-refresh",
        "client_id": CREDENTIALS.client_id,
        "client_secret": CREDENTIALS.client_secret,
    }


@pytest.mark.parametrize("given", [{}, {"refresh_token": None}, {"refresh_token": ""}, {"refresh_token": 7}])
@responses.activate
def test_no_new_refresh_token_is_none(given: dict[str, Any]) -> None:
    responses.post(TOKEN_URL, json={"access_token": TOKEN, **given})
    assert refresh().refresh_token is None


@pytest.mark.parametrize(
    ("expires_in", "seconds"),
    [
        ("1800", 1800),
        (1800.0, 1800),
        (None, None),
        (0, None),
        (-5, None),
        ("soon", None),
        ("nan", None),
        (True, None),
        ([], None),
        (10**12, 400 * 86400),
        (10**400, None),
    ],
)
@responses.activate
def test_every_kind_of_expiry(expires_in: Any, seconds: int | None) -> None:
    responses.post(TOKEN_URL, json={"access_token": TOKEN, "expires_in": expires_in})
    expires_at = exchange().expires_at
    if seconds is None:
        assert expires_at is None
    else:
        assert expires_at is not None
        assert abs((expires_at - datetime.now(UTC)).total_seconds() - seconds) < 10


@pytest.mark.parametrize(
    ("status", "body", "kind", "remote"),
    [
        (401, {"error": {"code": "LoginFailed", "message": "No."}}, errors.SignInRefusedError, "LoginFailed"),
        (400, {"error": "invalid_grant"}, errors.SignInRefusedError, "invalid_grant"),
        (403, {"message": "No."}, errors.SignInRefusedError, None),
        (200, {"error": "invalid_grant"}, errors.SignInRefusedError, "invalid_grant"),
        (200, {"error": {"code": "LoginFailed"}}, errors.SignInRefusedError, "LoginFailed"),
        (200, {}, errors.NotIManageError, None),
        (200, [], errors.NotIManageError, None),
        (200, {"access_token": ""}, errors.NotIManageError, None),
        (200, {"access_token": {"x": 1}}, errors.NotIManageError, None),
        (200, {"access_token": "a\r\nX-Evil: 1"}, errors.NotIManageError, None),
        (200, {"access_token": "é€"}, errors.NotIManageError, None),
        (200, "<html>", errors.NotIManageError, None),
        (404, "<html>", errors.NotIManageError, None),
        (302, "", errors.NotIManageError, None),
        (429, {}, errors.ThrottledError, None),
        (500, "<html>", errors.ServerFaultError, None),
        (503, {"error": "x"}, errors.ServerFaultError, "x"),
    ],
)
@responses.activate
def test_every_kind_of_refusal(
    status: int, body: Any, kind: type[errors.ImanageError], remote: str | None
) -> None:
    content = {"body": body} if isinstance(body, str) else {"json": body}
    responses.post(TOKEN_URL, status=status, headers={"Location": f"{HOST}/elsewhere"}, **content)
    for act in (exchange, refresh):
        with pytest.raises(errors.ImanageError) as caught:
            act()
        assert type(caught.value) is kind
        assert caught.value.remote_code == remote
    assert len(responses.calls) == 2


@pytest.mark.parametrize("secret", [CREDENTIALS.client_secret, "the-code", "v" * 43])
@responses.activate
def test_an_echoed_secret_is_not_repeated(secret: str) -> None:
    responses.post(TOKEN_URL, status=400, json={"error": secret, "error_description": f"bad {secret}!"})
    with pytest.raises(errors.SignInRefusedError) as caught:
        exchange()
    assert secret not in f"{caught.value} {caught.value!r} {caught.value.remote_message}"


@responses.activate
def test_a_token_endpoint_that_cannot_be_reached() -> None:
    responses.post(TOKEN_URL, body=requests.exceptions.ReadTimeout())
    with pytest.raises(errors.UnreachableError):
        refresh()


@responses.activate
def test_signing_out_is_best_effort() -> None:
    session = build_session(AddressRules())
    responses.get(f"{HOST}/login/terminate", status=302, headers={"Location": "/login"})
    oauth.sign_out(session, ENDPOINTS, TOKEN)
    assert responses.calls[0].request.headers["X-Auth-Token"] == TOKEN
    responses.replace(responses.GET, f"{HOST}/login/terminate", body=requests.exceptions.ConnectionError())
    oauth.sign_out(session, ENDPOINTS, TOKEN)
    assert len(responses.calls) == 2


def test_secrets_and_tokens_do_not_show() -> None:
    shown = repr(
        (
            CREDENTIALS,
            TokenSet(TOKEN, "refresh-secret"),
            oauth.AuthorizationStart("u", "state-x", "verifier-x"),
        )
    )
    for secret in (CREDENTIALS.client_secret, TOKEN, "refresh-secret", "state-x", "verifier-x"):
        assert secret not in shown
