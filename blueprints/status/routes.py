"""Health checks: liveness and readiness without details for load balancers, and details for System Admins."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from blueprints.authorization import needs
from services.operations import installation_health

bp = Blueprint("status", __name__, url_prefix="/health")


@bp.get("/live")
@needs("public")
def live() -> Response:
    return Response("ok\n", mimetype="text/plain")


@bp.get("/ready")
@needs("public")
def ready() -> Response:
    checks = installation_health.readiness()
    is_ready = installation_health.is_healthy(checks)
    answer = jsonify(ready=is_ready, checks={check.name: check.state for check in checks})
    answer.status_code = 200 if is_ready else 503
    return answer


@bp.get("/details")
@needs("admin")
def details() -> Response:
    """All checks of the doctor command, run by a web process with its own keys, folder and disks."""
    return jsonify(installation_health.report(installation_health.all_checks()))
