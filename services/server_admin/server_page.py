"""Everything that a server's page shows, read together."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from services.core.actor import Actor
from services.monitoring import check_runs, history
from services.monitoring import state as monitoring_state
from services.server_admin import onboarding, repoint
from services.servers import certificate_authorities, circuit_breaker, restriction, server_facts
from services.servers import views as server_views
from services.servers.registry import require_server


@dataclass(frozen=True)
class ServerPage:
    """`circuit` is set while it is open; `run` is the newest check, None where there was none;
    `repointed` is set while it can be undone."""

    server: server_views.ServerView
    checklist: onboarding.Checklist
    health: monitoring_state.HealthView
    days: tuple[history.Day, ...]
    circuit: circuit_breaker.OpenCircuit | None
    authorities: tuple[certificate_authorities.Authority, ...]
    run: check_runs.RunView | None
    kept: restriction.RestrictionView
    fact_counts: server_facts.Counts
    repointed: repoint.RepointView | None


def of(actor: Actor, server_id: uuid.UUID) -> ServerPage:
    # Referenced to the end: the session only keeps rows that are, and each part would read it again.
    row = require_server(actor, server_id)
    return ServerPage(
        server=server_views.server(actor, row.id),
        checklist=onboarding.checklist(actor, row.id),
        health=monitoring_state.health(actor, row.id),
        days=history.strip(actor, row.id),
        circuit=circuit_breaker.open_circuits().get(row.id),
        authorities=certificate_authorities.authorities(actor, row.id),
        run=check_runs.latest(actor, row.id),
        kept=restriction.restriction(actor, row.id),
        fact_counts=server_facts.counts(row),
        repointed=repoint.latest(actor, row.id),
    )
