"""Health for load balancers and monitors: alive, and ready to work. Public, and without a word of what is inside."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from blueprints.access import needs
from services import health

room = Blueprint("status", __name__, url_prefix="/health")


@room.get("/live")
@needs("public")
def live() -> Response:
    return Response("ok\n", mimetype="text/plain")


@room.get("/ready")
@needs("public")
def ready() -> Response:
    checks = health.readiness()
    is_ready = all(check.state != health.FAIL for check in checks)
    answer = jsonify(ready=is_ready, checks={check.name: check.state for check in checks})
    answer.status_code = 200 if is_ready else 503
    return answer
