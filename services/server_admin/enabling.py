"""Switching a server on and off, with a confirmation where it is not known to work or transfers are running."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from services.access import permissions
from services.core.actor import Actor
from services.core.errors import RefusedError
from services.guidance.refusals import worded
from services.monitoring import check_runs
from services.monitoring import state as monitoring_state
from services.servers import circuit_breaker, registry
from services.servers.removal import running_transfers
from services.servers.views import ServerView, server

NEVER, OLD, FAILED, CIRCUIT_OPEN = "never", "old", "failed", "circuit_open"


@dataclass(frozen=True)
class Doubt:
    """Why a server may not work: never checked, not checked recently, last check failed, or circuit open."""

    reason: str
    health: monitoring_state.HealthView
    is_checking: bool = False


class UnprovenServerError(RefusedError):
    """The admin has to confirm: a `doubt` before switching on, `running` transfers before switching off."""

    def __init__(self, *, doubt: Doubt | None = None, running: tuple[str, ...] = (), count: int = 0) -> None:
        super().__init__(**worded("server.unsure"))
        self.doubt = doubt
        self.running = running
        self.count = count


def switch(actor: Actor, server_id: uuid.UUID, on: bool, *, is_sure: bool = False) -> bool:
    """Switch a server on or off; False where it already was. Raises UnprovenServerError unless `is_sure`."""
    view = server(actor, server_id)
    if view.is_enabled != on and not is_sure and (not on or view.has_credentials):
        if on and (doubt := doubt_about(actor, view)):
            raise UnprovenServerError(doubt=doubt)
        if not on and view.usage.running:
            raise UnprovenServerError(running=running_transfers(actor, server_id), count=view.usage.running)
    return registry.set_enabled(actor, server_id, on)


def doubt_about(actor: Actor, view: ServerView) -> Doubt | None:
    """None where a recent check passed, and for a practice server, which only runs while it is on."""
    permissions.require_admin(actor)
    if view.is_practice:
        return None
    health = monitoring_state.health(actor, view.id)
    reason = _reason(health, is_open=view.id in circuit_breaker.open_circuits())
    if not reason:
        return None
    run = check_runs.latest(actor, view.id)
    return Doubt(reason, health, is_checking=run is not None and run.is_running)


def _reason(health: monitoring_state.HealthView, *, is_open: bool) -> str:
    if health.state == monitoring_state.FAILING:
        return FAILED
    if health.state == monitoring_state.NOT_CHECKED:
        return OLD if health.checked_at else NEVER
    return CIRCUIT_OPEN if is_open else ""
