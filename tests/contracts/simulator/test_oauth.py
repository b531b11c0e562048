"""OAuth as publicly documented: pages, codes, PKCE, tokens, refresh and nested errors."""

from __future__ import annotations

import base64
import hashlib
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from simulator import Fault, Simulator, practice_password

REDIRECT = "http://127.0.0.1:8000/auth/v0/oauth2/authorized"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


def ask(sim: Simulator, form: dict[str, str] | None = None, **changes: str) -> requests.Response:
    """Open the sign-in page, or submit it if a form is given."""
    query = {
        "response_type": "code",
        "client_id": sim.world.apps[0].client_id,
        "redirect_uri": REDIRECT,
        "scope": "user",
        "state": "a state & more",
    } | changes
    return requests.request(
        "POST" if form else "GET",
        f"{sim.url}/auth/oauth2/authorize",
        params=query,
        data=form,
        allow_redirects=False,
        timeout=5,
    )


def allow(user: str = "alice") -> dict[str, str]:
    return {"username": user, "password": practice_password(user), "decision": "allow"}


def back(answer: requests.Response) -> dict[str, str]:
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(REDIRECT + "?")
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def token(sim: Simulator, **form: str) -> requests.Response:
    app = sim.world.apps[0]
    fields = {"client_id": app.client_id, "client_secret": app.client_secret} | form
    return requests.post(f"{sim.url}/auth/oauth2/token", data=fields, timeout=5)


def by_code(sim: Simulator, code: str, **changes: str) -> requests.Response:
    fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT}
    return token(sim, **fields | changes)


def signed_in(sim: Simulator, user: str = "alice") -> dict[str, Any]:
    body: dict[str, Any] = by_code(sim, back(ask(sim, allow(user)))["code"]).json()
    return body


def refresh(sim: Simulator, refresh_token: str) -> requests.Response:
    return token(sim, grant_type="refresh_token", refresh_token=refresh_token)


def works(sim: Simulator, access: str, header: str = "X-Auth-Token", before: str = "") -> bool:
    url = f"{sim.url}/work/api/v2/customers/4242/libraries"
    return requests.get(url, headers={header: before + access}, timeout=5).status_code == 200


def test_the_sign_in_page(sim: Simulator) -> None:
    page = ask(sim)
    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")
    for text in ("Allow", "Deny", "Password", "alice-practice", "Practice iManage: not a real system"):
        assert text in page.text


def test_allow_leads_to_tokens(sim: Simulator) -> None:
    given = back(ask(sim, allow()))
    assert given["state"] == "a state & more"
    body = by_code(sim, given["code"]).json()
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 1800
    assert body["scope"] == "user"
    who = requests.get(f"{sim.url}/api", headers={"X-Auth-Token": body["access_token"]}, timeout=5).json()
    assert who["data"]["user"]["id"] == "ALICE"
    assert who["data"]["auth_status"] == "authenticated"


def test_deny_comes_back_as_access_denied(sim: Simulator) -> None:
    given = back(ask(sim, {"decision": "deny"}))
    assert given["error"] == "access_denied"
    assert given["state"] == "a state & more"
    assert "code" not in given


def test_wrong_password_stays_on_the_page(sim: Simulator) -> None:
    page = ask(sim, allow() | {"password": "wrong"})
    assert page.status_code == 401
    assert "User ID or Password is incorrect" in page.text


@pytest.mark.parametrize(
    "redirect_uri",
    [REDIRECT + "/", REDIRECT.upper(), REDIRECT.replace("http:", "https:"), "https://evil.example/", ""],
)
@pytest.mark.parametrize("form", [None, allow()])
def test_a_mismatched_redirect_uri_shows_a_page_and_never_redirects(
    sim: Simulator, redirect_uri: str, form: dict[str, str] | None
) -> None:
    page = ask(sim, form, redirect_uri=redirect_uri)
    assert page.status_code == 400
    assert "Location" not in page.headers
    assert "Mismatch redirect URL" in page.text


def test_unknown_application_is_a_page(sim: Simulator) -> None:
    assert ask(sim, client_id="nobody").status_code == 400


def test_a_code_works_once(sim: Simulator) -> None:
    code = back(ask(sim, allow()))["code"]
    assert by_code(sim, code).status_code == 200
    again = by_code(sim, code)
    assert again.status_code == 400
    assert again.json()["error"]["code"] == "InvalidGrant"


def test_a_code_is_good_for_a_short_time(sim: Simulator) -> None:
    sim.settings.code_seconds = -1
    assert by_code(sim, back(ask(sim, allow()))["code"]).status_code == 400


def test_pkce_is_checked_when_a_challenge_was_given(sim: Simulator) -> None:
    def code() -> str:
        return back(ask(sim, allow(), code_challenge=CHALLENGE, code_challenge_method="S256"))["code"]

    assert by_code(sim, code(), code_verifier=VERIFIER).status_code == 200
    assert by_code(sim, code(), code_verifier="w" * 64).status_code == 400
    assert by_code(sim, code()).status_code == 400
    assert (
        back(ask(sim, code_challenge=CHALLENGE, code_challenge_method="plain"))["error"] == "invalid_request"
    )


def test_wrong_client_secret_is_refused_with_a_nested_error(sim: Simulator) -> None:
    answer = by_code(sim, back(ask(sim, allow()))["code"], client_secret="wrong")
    assert answer.status_code == 401
    assert answer.json() == {
        "error": {"code": "InvalidClient", "message": "Client ID or Client Secret is incorrect"}
    }
    sim.settings.oauth_error_shape = "flat"
    assert by_code(sim, "x", client_secret="wrong").json()["error"] == "invalid_client"


def test_password_grant_and_its_refusal(sim: Simulator) -> None:
    good = token(sim, grant_type="password", username="bram", password=practice_password("bram"))
    assert works(sim, good.json()["access_token"])
    bad = token(sim, grant_type="password", username="bram", password="no")
    assert (bad.status_code, bad.json()["error"]["code"]) == (401, "LoginFailed")


def test_access_tokens_idle_out_and_use_keeps_them_alive(sim: Simulator) -> None:
    access = signed_in(sim)["access_token"]
    sim.settings.access_idle_seconds = 1.5
    for _ in range(4):
        time.sleep(0.5)
        assert works(sim, access), "two seconds after issue, but never idle for long"
    sim.settings.access_idle_seconds = 0.01
    time.sleep(0.05)
    assert not works(sim, access)


def test_refresh_keeps_the_token_unless_rotation_is_on(sim: Simulator) -> None:
    first = signed_in(sim)["refresh_token"]
    plain = refresh(sim, first).json()
    assert works(sim, plain["access_token"])
    assert "refresh_token" not in plain
    sim.settings.refresh_rotation = True
    turned = refresh(sim, first).json()
    assert turned["refresh_token"] != first
    assert refresh(sim, first).status_code == 400
    assert refresh(sim, turned["refresh_token"]).status_code == 200


def test_refresh_may_be_switched_off_and_refused(sim: Simulator) -> None:
    good = signed_in(sim)["refresh_token"]
    sim.faults.add(Fault("refuse_refresh", path="/token$"))
    assert refresh(sim, good).json()["error"]["code"] == "InvalidGrant"
    assert refresh(sim, good).status_code == 200
    sim.faults.add(Fault("no_refresh_token", path="/token$"))
    assert "refresh_token" not in signed_in(sim)
    sim.settings.refresh_allowed = False
    assert "refresh_token" not in signed_in(sim)


@pytest.mark.parametrize(("dial", "seen"), [("absent", None), (0, 0), ("soon", "soon"), (10**12, 10**12)])
def test_expires_in_can_be_anything(sim: Simulator, dial: object, seen: object) -> None:
    sim.settings.expires_in = dial
    assert signed_in(sim).get("expires_in") == seen


def test_the_accepted_token_header_is_a_setting(sim: Simulator) -> None:
    access = signed_in(sim)["access_token"]
    assert works(sim, access) and works(sim, access, "Authorization", "Bearer ")
    sim.settings.auth_header = "bearer"
    assert not works(sim, access) and works(sim, access, "Authorization", "Bearer ")
    sim.settings.auth_header = "x-auth-token"
    assert works(sim, access) and not works(sim, access, "Authorization", "Bearer ")


def test_sign_out_ends_the_tokens(sim: Simulator) -> None:
    body = signed_in(sim)
    out = requests.get(
        f"{sim.url}/login/terminate", headers={"X-Auth-Token": body["access_token"]}, timeout=5
    )
    assert out.status_code == 200
    assert not works(sim, body["access_token"])
    assert refresh(sim, body["refresh_token"]).status_code == 400


def test_tokens_can_be_ended_from_outside(sim: Simulator) -> None:
    first, second = signed_in(sim), signed_in(sim, "bram")
    assert sim.expire_tokens("alice") == 1
    assert not works(sim, first["access_token"])
    assert works(sim, second["access_token"])
    assert refresh(sim, first["refresh_token"]).status_code == 200
    sim.revoke()
    assert refresh(sim, first["refresh_token"]).status_code == 400


def test_no_token_is_401_in_the_envelope(sim: Simulator) -> None:
    answer = requests.get(f"{sim.url}/work/api/v2/customers/4242/libraries", timeout=5)
    assert answer.status_code == 401
    assert answer.json()["error"]["message"] == "X-Auth-Token is invalid or missing"
