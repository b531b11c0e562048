"""iManage Work's OAuth: the sign-in page with Allow and Deny, and the token endpoint with its nested errors."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, make_response, redirect, render_template, request

from simulator.tokens import Code
from simulator.values import App, User
from simulator.web import call_faults, caller_token, json_answer, state

blueprint = Blueprint("oauth", __name__)
COOKIE = "practice_imanage"


@blueprint.get("/auth/oauth2/authorize")
def authorize() -> Response | tuple[str, int]:
    app, wrong = _authorization_request()
    if app is None:
        return render_template("mismatch.html", reason=wrong, asked=request.args.get("redirect_uri", "")), 400
    if wrong:
        return _redirect_back({"error": wrong})
    return make_response(_page(app, "", ""))


@blueprint.post("/auth/oauth2/authorize")
def decide() -> Response | tuple[str, int]:
    app, wrong = _authorization_request()
    if app is None:
        return render_template("mismatch.html", reason=wrong, asked=request.args.get("redirect_uri", "")), 400
    if wrong:
        return _redirect_back({"error": wrong})
    if request.form.get("decision") != "allow":
        return _redirect_back({"error": "access_denied", "error_description": "The user denied the request"})
    name = request.form.get("username", "").strip()
    user = sign_in(name, request.form.get("password", ""))
    if user is None:
        return _page(app, name, "User ID or Password is incorrect"), 401
    args = request.args
    code = state().tokens.new_code(
        user.id,
        app.client_id,
        args["redirect_uri"],
        args.get("scope", "user"),
        args.get("code_challenge", ""),
    )
    answer = _redirect_back({"code": code})
    remember(answer, user)
    return answer


def _page(app: App, name: str, problem: str) -> str:
    users = [] if state().quiet else state().world.users
    return render_template("authorize.html", app=app, users=users, name=name, problem=problem)


def _authorization_request() -> tuple[App | None, str]:
    """The application of an authorization request and its error, if any.

    Without an application and one of its registered redirect URIs there is no safe target for a redirect.
    """
    args = request.args
    app = state().world.app(args.get("client_id", ""))
    if app is None:
        return None, "This application is not registered."
    if args.get("redirect_uri") not in app.redirect_uris:
        return None, "Mismatch redirect URL: it is not the one registered for the application."
    if args.get("response_type") != "code":
        return app, "unsupported_response_type"
    if args.get("scope", "user") not in ("user", "admin"):
        return app, "invalid_scope"
    challenge, method = args.get("code_challenge", ""), args.get("code_challenge_method", "S256")
    if {"required": not challenge, "refused": bool(challenge)}.get(state().settings.pkce):
        return app, "invalid_request"
    if challenge and (method != "S256" or not 43 <= len(challenge) <= 128):
        return app, "invalid_request"
    return app, ""


def _redirect_back(values: dict[str, str]) -> Response:
    if state_value := request.args.get("state"):
        values["state"] = state_value
    if issuer := state().settings.issuer:
        values["iss"] = issuer
    uri = request.args["redirect_uri"]
    glue = "&" if urlsplit(uri).query else "?"
    return make_response(redirect(f"{uri}{glue}{urlencode(values)}", 302))


def sign_in(name: str, password: str) -> User | None:
    user = state().world.user(name) if name else None
    if user and user.allow_logon and hmac.compare_digest(user.password.encode(), password.encode()):
        return user
    return None


def remember(answer: Response, user: User) -> None:
    """Sign the browser in to the practice server's own pages."""
    text = state().tokens.issue("browser", user.id)
    answer.set_cookie(COOKIE, text, httponly=True, samesite="Lax", path="/")


# -- the token endpoint -----------------------------------------------------------------------------------


@blueprint.post("/auth/oauth2/token")
def token() -> Response:
    form = request.form
    match form.get("grant_type"):
        case "authorization_code":
            return _by_code()
        case "refresh_token":
            return _by_refresh()
        case "password":
            return _by_password()
    return _refuse(400, "UnsupportedGrantType", "unsupported_grant_type", "The grant type is not supported")


def _refuse(status: int, code: str, flat: str, text: str) -> Response:
    if state().settings.oauth_error_shape == "flat":
        return json_answer({"error": flat, "error_description": text}, status)
    return json_answer({"error": {"code": code, "message": text}}, status)


def _client() -> App | None:
    """The application that the request proves to be; a public one has no secret to prove it with."""
    dial, form, basic = state().settings.client_auth, request.form, request.authorization
    given = ("", "")
    if dial != "body" and basic and basic.type == "basic":
        given = (basic.username or "", basic.password or "")
    elif dial != "basic":
        given = (form.get("client_id", ""), form.get("client_secret", ""))
    app = state().world.app(given[0])
    if app is None or (app.public and not given[1]):
        return app
    return app if hmac.compare_digest(app.client_secret.encode(), given[1].encode()) else None


def _by_code() -> Response:
    app, form = _client(), request.form
    if app is None:
        return _refuse(401, "InvalidClient", "invalid_client", "Client ID or Client Secret is incorrect")
    code = state().tokens.use_code(form.get("code", ""))
    if code is None or code.client_id != app.client_id or code.redirect_uri != form.get("redirect_uri"):
        return _refuse(400, "InvalidGrant", "invalid_grant", "The code is invalid, used or expired")
    if not _verifier_matches(code, form.get("code_verifier", "")):
        return _refuse(400, "InvalidGrant", "invalid_grant", "The code verifier does not match")
    return _issue(app, code.user, code.scope)


def _verifier_matches(code: Code, verifier: str) -> bool:
    if not code.challenge:
        return True
    digest = hashlib.sha256(verifier.encode()).digest()
    return hmac.compare_digest(base64.urlsafe_b64encode(digest).rstrip(b"=").decode(), code.challenge)


def _by_refresh() -> Response:
    form, tokens, settings = request.form, state().tokens, state().settings
    named = bool(form.get("client_id") or form.get("client_secret"))
    app = _client()
    if app is None and (named or settings.refresh_needs_client):
        return _refuse(401, "InvalidClient", "invalid_client", "Client ID or Client Secret is incorrect")
    text = form.get("refresh_token", "")
    found = tokens.find("refresh", text)
    app = app or (state().world.app(found.client_id) if found else None)
    if found is None or app is None or found.client_id != app.client_id or "refuse_refresh" in call_faults():
        return _refuse(400, "InvalidGrant", "invalid_grant", "The refresh token is invalid or expired")
    if settings.refresh_rotation or "rotate_refresh" in call_faults():
        tokens.forget(text)
        return _issue(app, found.user, found.scope, found.family)
    return _issue(app, found.user, found.scope, found.family, with_refresh=False)


def _by_password() -> Response:
    app = _client()
    if app is None:
        return _refuse(401, "InvalidClient", "invalid_client", "Client ID or Client Secret is incorrect")
    user = sign_in(request.form.get("username", ""), request.form.get("password", ""))
    if user is None:
        return _refuse(401, "LoginFailed", "invalid_grant", "User ID or Password is incorrect")
    return _issue(app, user.id, request.form.get("scope", "user"))


def _issue(app: App, user: str, scope: str, family: str = "", with_refresh: bool = True) -> Response:
    tokens, settings = state().tokens, state().settings
    family = family or secrets.token_hex(8)
    access = tokens.issue("access", user, app.client_id, scope, family)
    body: dict[str, Any] = {"access_token": access, "token_type": "Bearer", "scope": scope}
    if settings.expires_in == "true":
        body["expires_in"] = int(settings.access_idle_seconds)
    elif settings.expires_in != "absent":
        body["expires_in"] = settings.expires_in
    allowed = app.refresh_allowed if settings.refresh_allowed is None else settings.refresh_allowed
    if with_refresh and allowed and "no_refresh_token" not in call_faults():
        body["refresh_token"] = tokens.issue("refresh", user, app.client_id, scope, family)
    answer = json_answer(body)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.get("/login/terminate")
def sign_out() -> Response:
    """Revoke all tokens of the caller's sign-in, and sign the browser out."""
    tokens, found = state().tokens, caller_token(use=False)
    if found:
        tokens.forget_all("access", family=found.family)
        tokens.forget_all("refresh", family=found.family)
    if cookie := request.cookies.get(COOKIE):
        tokens.forget(cookie)
    answer = json_answer({"data": {"auth_status": "unauthenticated"}}, 200 if found or cookie else 401)
    answer.delete_cookie(COOKIE)
    return answer
