"""All that a server's page shows of it, read together."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from services import (
    check_runs,
    checklist,
    health_days,
    health_states,
    own_ca,
    restriction,
    server_pauses,
    server_views,
)
from services.actor import Actor
from services.servers import require_server


@dataclass(frozen=True)
class ServerPage:
    """Each part as its own service gives it. `run` is the newest check, None where there was none."""

    server: server_views.ServerView
    checklist: checklist.Checklist
    health: health_states.HealthView
    days: tuple[health_days.Day, ...]
    pause: server_pauses.Pause | None
    authorities: tuple[own_ca.Authority, ...]
    run: check_runs.RunView | None
    kept: restriction.RestrictionView


def of(actor: Actor, server_id: uuid.UUID) -> ServerPage:
    # Held to the end: a session forgets a row that nobody holds, and each part would read it again.
    row = require_server(actor, server_id)
    return ServerPage(
        server=server_views.server(actor, row.id),
        checklist=checklist.checklist(actor, row.id),
        health=health_states.health(actor, row.id),
        days=health_days.strip(actor, row.id),
        pause=server_pauses.paused_now().get(row.id),
        authorities=own_ca.authorities(actor, row.id),
        run=check_runs.latest(actor, row.id),
        kept=restriction.restriction(actor, row.id),
    )
