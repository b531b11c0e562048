"""`GET /api`: the user of the token and the URL of the API; also works unauthenticated."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from simulator.web import base_url, caller_token, json_answer, no_session, require_call, state

blueprint = Blueprint("discovery", __name__)


@blueprint.get("/api")
@blueprint.get("/work/api")
def discovery() -> Response:
    require_call()
    settings, world = state().settings, state().world
    token = caller_token()
    user = world.user(token.user) if token else None
    if user is None and settings.discovery_needs_token:
        raise no_session()
    versions = [
        {"name": name, "url": _url(name), "version": f"{name.removeprefix('v')}.1.1094"}
        for name in settings.api_versions
    ]
    data: dict[str, Any] = {
        "auth_status": "authenticated" if user else "unauthenticated",
        "capabilities": ["oauth"],
        "dms_version": settings.dms_version,
        "versions": versions,
    }
    if user and token:
        libraries = world.libraries(user)
        data |= {
            "app": {"id": token.client_id},
            "user": {
                "anonymous_id": str(100000000000000000 + user.number),
                "customer_id": str(settings.customer_id)
                if settings.customer_id_text
                else settings.customer_id,
                "email": user.email,
                "id": user.id,
                "name": user.id,
                "ssid": str(100000000000000000 + user.number),
                "user_type": "enterprise",
            },
            "work": {
                "libraries": [
                    {
                        "alias": one.id,
                        "attributes": {"knowledge": False},
                        "is_classic_client_compatible": False,
                        "status": "ready",
                        "type": "worksite",
                    }
                    for one in libraries
                ],
                "preferred_library": user.preferred_library or (libraries[0].id if libraries else ""),
            },
        }
    data |= settings.discovery_extra
    for name in settings.discovery_without:
        _drop(data, name.split("."))
    return json_answer({"data": data})


def _url(name: str) -> str:
    return (name == "v2" and state().settings.api_url) or f"{base_url()}/work/api/{name}"


def _drop(data: dict[str, Any], names: list[str]) -> None:
    for name in names[:-1]:
        data = data.get(name, {})
    data.pop(names[-1], None)
