"""The practice iManage as a process: while a practice server is there and switched on, and not a moment else."""

from __future__ import annotations

import json
import secrets
import sys
import time

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from commands.supervise import Child, Running, start, stop_all, supervise
from services.servers import practice

LOOK_EVERY = 1.0
REST_SECONDS = 5.0


class PracticeProcess:
    """Follows the row: started when the practice server is switched on, stopped when it is off or removed."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._next_look = 0.0
        self._rest_until = 0.0
        self._runs: practice.Start | None = None
        self._running: Running | None = None

    def look(self) -> None:
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + LOOK_EVERY
        try:
            with self._app.app_context():
                wanted = practice.to_run()
        except SQLAlchemyError:
            return  # the database is away for a moment: what runs goes on
        if wanted != self._runs:
            self.stop()
        if wanted is not None:
            self._keep_up(wanted)

    def stop(self) -> None:
        if self._running is not None:
            stop_all([self._running])
        self._running = self._runs = None

    def _keep_up(self, wanted: practice.Start) -> None:
        fallen = self._running is not None and self._running.process.poll() is not None
        if fallen:
            self._running, self._rest_until = None, time.monotonic() + REST_SECONDS
        if self._running is None and time.monotonic() >= self._rest_until:
            self._running, self._runs = start(child(wanted)), wanted


def child(wanted: practice.Start) -> Child:
    """Its control endpoints are closed by a token that nobody has."""
    command = [
        *(sys.executable, "-m", "simulator", "--quiet", "--port", str(wanted.port)),
        *("--data-dir", str(wanted.folder), "--public-url", wanted.public_url),
        *("--client-id", wanted.client_id, "--redirect-uri", wanted.redirect_url, "--secrets", "-"),
    ]
    told = {"client_secret": wanted.client_secret, "control_token": secrets.token_hex(16)}
    return Child("practice iManage", command, told=json.dumps(told), ours=False)


def run(app: Flask) -> int:
    """Follow the row until a signal, for whoever runs Counterpart under units of their own."""
    return supervise((), beside=PracticeProcess(app))
