"""The links of a matter as CSV: one row for each twin, with its state and when it was checked."""

from __future__ import annotations

import uuid

from services.core.actor import Actor
from services.core.text.csv import csv_text
from services.drift import board

HEADER = (
    "document",
    "version here",
    "server",
    "library",
    "number",
    "version",
    "name in iManage",
    "direction",
    "by",
    "at",
    "latest version there",
    "state",
    "sentence",
    "checked at",
    "decision",
    "reason",
    "decided by",
    "url",
)


def as_csv(actor: Actor, matter_id: uuid.UUID) -> str:
    """For members of the firm in the matter, with the twins on the servers that they can use."""
    found = board.twins(actor, matter_id)
    titles = board.names(matter_id, found.statuses.keys())
    rows = []
    for document_id, statuses in found.statuses.items():
        for status in statuses:
            twin, facts = status.twin, status.facts
            decision = found.decision(document_id, status)
            rows.append(
                (
                    titles[document_id][0],
                    facts.here,
                    twin.server_label,
                    twin.library,
                    twin.number,
                    twin.version,
                    twin.name,
                    twin.direction,
                    twin.by,
                    twin.at.isoformat(timespec="seconds"),
                    facts.latest,
                    status.state.label,
                    status.sentence,
                    status.checked_at.isoformat(timespec="seconds"),
                    decision.choice if decision else "",
                    decision.reason if decision else "",
                    decision.by if decision else "",
                    twin.url,
                )
            )
    rows.sort(key=lambda row: str(row[0]).casefold())
    return csv_text(HEADER, rows)
