"""The control page and its JSON endpoints, for a practice server in a separate process.

Available only from this machine, and only with the control token if one is set.
"""

from __future__ import annotations

import hmac
import ipaddress
from dataclasses import asdict

from flask import Blueprint, Response, abort, render_template, request

from simulator.faults import KINDS, fault_from
from simulator.openapi import description
from simulator.settings import CHOICES, Settings, descriptions
from simulator.unusual_ids import LIBRARY, add_unusual
from simulator.values import App
from simulator.web import Row, body_json, invalid, json_answer, state

blueprint = Blueprint("control", __name__, url_prefix="/_simulator")


@blueprint.before_request
def only_here() -> None:
    if not request.remote_addr or not ipaddress.ip_address(request.remote_addr).is_loopback:
        abort(404)
    wanted = state().control_token
    given = request.headers.get("X-Control-Token") or request.args.get("token", "")
    if wanted and not hmac.compare_digest(wanted.encode(), given.encode()):
        abort(403)
    if request.method != "GET" and request.headers.get("Sec-Fetch-Site", "none") not in (
        "none",
        "same-origin",
    ):
        abort(403)  # cross-site request from a browser on this machine


@blueprint.get("/")
def overview() -> str:
    return render_template(
        "control.html",
        faults=state().faults.list(),
        kinds=KINDS,
        settings=state().settings.as_dict(),
        usual=Settings().as_dict(),
        descriptions=descriptions(),
        choices=CHOICES,
        requests=state().requests[:-101:-1],
    )


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """The description of the API, with the settings as they are by default."""
    return json_answer(description())


@blueprint.get("/faults")
def faults() -> Response:
    rules = state().faults
    return json_answer(
        {"data": [one.as_dict() | {"times_applied": rules.times_applied(one)} for one in rules.list()]}
    )


@blueprint.post("/faults")
def add_fault() -> Response:
    try:
        fault = fault_from(body_json())
    except (ValueError, TypeError) as error:
        raise invalid("fault", str(error)) from error
    state().faults.add(fault)
    return json_answer({"data": fault.as_dict()}, 201)


@blueprint.delete("/faults")
def clear_faults() -> Response:
    state().faults.clear()
    return Response(status=204)


@blueprint.get("/requests")
def requests() -> Response:
    return json_answer({"data": [asdict(one) for one in state().requests]})


@blueprint.delete("/requests")
def clear_requests() -> Response:
    state().log.clear()
    return Response(status=204)


@blueprint.get("/settings")
def settings() -> Response:
    return json_answer({"data": state().settings.as_dict()})


@blueprint.put("/settings")
def change_settings() -> Response:
    try:
        state().settings.update(body_json())
    except ValueError as error:
        raise invalid("settings", str(error)) from error
    state().store.put("settings", "all", state().settings.as_dict())
    return settings()


@blueprint.post("/unusual")
def unusual() -> Response:
    """Add a library and users whose ids contain a space or a backslash."""
    add_unusual(state().world)
    return json_answer({"data": {"library": LIBRARY}}, 201)


@blueprint.post("/applications")
def register() -> Response:
    """Register an application, as Control Center does with an uploaded package: API key, secret and redirect URL."""
    given = body_json()
    app = App(
        _text(given, "api_key"),
        _text(given, "api_secret"),
        (_text(given, "redirect_url"),),
        _text(given, "name"),
        refresh_allowed=given.get("allow_refresh_token") is True,
    )
    state().world.add_app(app)
    state().store.put("app", app.client_id, asdict(app))
    return json_answer({"data": {"client_id": app.client_id}}, 201)


@blueprint.post("/expire")
def expire() -> Response:
    """Expire all access tokens now, or one user's: `{"user": "alice"}`."""
    user = str((request.get_json(silent=True) or {}).get("user", ""))
    return json_answer({"data": {"expired": state().tokens.forget_all("access", user)}})


def _text(given: Row, name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not value:
        raise invalid(name, f"{name} must be text")
    return value
