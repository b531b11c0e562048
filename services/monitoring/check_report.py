"""A run of checks as plain text, for a ticket, an email or a chat."""

from __future__ import annotations

from textwrap import indent, wrap

from services.core.runtime import runtime
from services.monitoring.check_runs import Row, RunView

WIDTH = 100
STATES = {
    "running": "Still running",
    "did_not_finish": "Did not finish",
    "healthy": "Healthy",
    "warning": "Warning",
    "failing": "Failing",
}
MARKS = {"pass": "OK", "warn": "WARNING", "fail": "FAILED", "skipped": "skipped"}


def report_text(run: RunView) -> str:
    """The whole report. Times are UTC."""
    head = [
        f"Check of the iManage server “{run.server_name}”",
        f"State:     {STATES.get(run.state, run.state)}",
        f"Started:   {run.started_at:%Y-%m-%d %H:%M:%S} UTC by {run.started_by}",
        f"URL:       {run.url}",
        *([f"API URL:   {run.api_url}"] if run.api_url != run.url else []),
        f"Checked from {runtime().settings.public_url}",
    ]
    parts = ["\n".join(head)]
    for group, rows in run.groups:
        parts.append("\n".join([group, "-" * len(group), *map(_row, rows)]))
    return "\n\n".join(parts) + "\n"


def _row(row: Row) -> str:
    result = row.result
    if result is None:
        return f"[waiting] {row.title}"
    lines = [f"[{MARKS[result.outcome]}] {result.title} ({result.seconds:.2f} s)"]
    said = [result.sentence]
    if result.outcome in ("warn", "fail"):
        said += [
            _named("Code", result.code),
            _named("What it means", result.cause),
            _named("What to do", result.next_step),
            _named("Who needs to act", row.owner),
        ]
    said += [_named(name, value) for name, value in result.facts]
    lines += [indent("\n".join(wrap(line, WIDTH)), "    ") for line in said if line]
    return "\n".join(lines)


def _named(name: str, value: str) -> str:
    return f"{name}: {value}" if value else ""
