"""R3: sixteen concurrent calls with one expired token, in several processes, cause exactly one refresh."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta

from bench.installation import REPOSITORY, install_bench
from bench.measure import Line, Options
from models import Connection, utcnow
from services.core.unit_of_work import unit_of_work

PROCESSES, THREADS = 4, 4


def run(options: Options) -> list[Line]:
    with install_bench(options.folder) as system:
        person = system.people[0]
        with unit_of_work() as writing:
            for row in writing.query(Connection).filter_by(member_id=person.actor.id):
                row.expires_at = utcnow() - timedelta(minutes=1)
        system.control("POST", "expire", {"user": person.user})
        system.control("DELETE", "requests")
        arguments = [sys.executable, "-m", "bench.asking", str(person.actor.id), str(system.server_id)]
        asking = [
            subprocess.Popen(
                [*arguments, str(THREADS)], cwd=REPOSITORY, env=system.environment, stdout=subprocess.PIPE
            )
            for _ in range(PROCESSES)
        ]
        answered = sum(int(process.communicate(timeout=90)[0].split()[-1]) for process in asking)
        calls = system.control("GET", "requests")
    refreshes = sum(call["path"] == "/auth/oauth2/token" for call in calls)
    everyone = PROCESSES * THREADS
    return [
        Line(
            "R3",
            f"{everyone} callers with one expired token, in {PROCESSES} processes",
            f"{refreshes} refreshes, {answered} answered",
            "",
            f"1 refresh, {everyone} answered",
            refreshes == 1 and answered == everyone,
        )
    ]
