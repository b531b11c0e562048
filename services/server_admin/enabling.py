"""Switching a server on and off: what is known of it is said before, and what is true is said after."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from services.access import permissions
from services.core.actor import Actor
from services.core.errors import RefusedError
from services.monitoring import check_runs
from services.monitoring import state as monitoring_state
from services.servers import circuit_breaker, registry, restriction
from services.servers.removal import running_transfers
from services.servers.views import ServerView, server

NEVER, OLD, FAILED, PAUSED = "never", "old", "failed", "paused"


@dataclass(frozen=True)
class Doubt:
    """Why it is not known that a server works. `reason`: never checked, an old check, a failed one, or paused."""

    reason: str
    health: monitoring_state.HealthView
    is_checking: bool = False


class UnprovenServerError(RefusedError):
    """The admin decides, knowing this. `doubt` before switching on, `running` transfers before switching off."""

    code = "server.unsure"

    def __init__(self, *, doubt: Doubt | None = None, running: tuple[str, ...] = (), count: int = 0) -> None:
        super().__init__("Look at what is known of this server, then decide.")
        self.doubt = doubt
        self.running = running
        self.count = count


def switch(actor: Actor, server_id: uuid.UUID, on: bool, *, is_sure: bool = False) -> bool:
    """Switch a server on or off; False where it was so already.

    Raises UnprovenServerError where something speaks against it.
    """
    view = server(actor, server_id)
    if view.is_enabled != on and not is_sure and (not on or view.has_credentials):
        if on and (doubt := doubt_about(actor, view)):
            raise UnprovenServerError(doubt=doubt)
        if not on and view.usage.running:
            raise UnprovenServerError(running=running_transfers(actor, server_id), count=view.usage.running)
    return registry.set_enabled(actor, server_id, on)


def doubt_about(actor: Actor, view: ServerView) -> Doubt | None:
    """None where the last check passed not long ago. A practice server answers only once it is on: no doubt there."""
    permissions.require_admin(actor)
    if view.is_practice:
        return None
    health = monitoring_state.health(actor, view.id)
    reason = _reason(health, is_paused=view.id in circuit_breaker.open_circuits())
    if not reason:
        return None
    run = check_runs.latest(actor, view.id)
    return Doubt(reason, health, is_checking=run is not None and run.is_running)


def said_after(actor: Actor, view: ServerView) -> tuple[str, str]:
    """Tone and sentence for the admin who has just switched it: only what is so."""
    name = f"“{view.name}”"
    if not view.is_enabled:
        return (
            "success",
            f"{name} is off. Nobody can get or save; transfers under way stop at their next step.",
        )
    kept = restriction.restriction(actor, view.id)
    if kept.is_restricted and not kept.listed:
        return "warning", f"{name} is on. It is restricted and nobody is listed, so nobody can use it."
    doubt = doubt_about(actor, view)
    if doubt is None:
        who = "The members listed" if kept.is_restricted else "Members who may use it"
        return "success", f"{name} is on. {who} can get and save documents now."
    if doubt.reason == FAILED:
        return (
            "warning",
            f"{name} is on, and its last check failed: {doubt.health.sentence} Members cannot get or save "
            "until that is mended.",
        )
    if doubt.reason == PAUSED:
        return "warning", f"{name} is on. Calls to it are paused, because it failed again and again."
    when = "for a while" if doubt.reason == OLD else "yet"
    return (
        "warning",
        f"{name} is on. It has not been checked {when}, so nobody knows whether members can get and save "
        "documents. Press Check connection.",
    )


def _reason(health: monitoring_state.HealthView, *, is_paused: bool) -> str:
    if health.state == monitoring_state.FAILING:
        return FAILED
    if health.state == monitoring_state.NOT_CHECKED:
        return OLD if health.checked_at else NEVER
    return PAUSED if is_paused else ""
