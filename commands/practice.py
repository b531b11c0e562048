"""The practice iManage as a process, which runs while a practice server is switched on."""

from __future__ import annotations

import json
import secrets
import sys
import time
from typing import TYPE_CHECKING, Any

from commands.database import Reader, UnreachableError
from commands.supervise import Child, Running, start, stop_all
from config import Settings

if TYPE_CHECKING:
    from services.servers import practice

CHECK_SECONDS = 1.0
RESTART_SECONDS = 5.0
SWITCHED_ON = "SELECT id, url, api_url, client_id, redirect_url FROM server WHERE is_practice AND is_enabled"


class PracticeProcess:
    """Started when the practice server is switched on, stopped when it is switched off or removed."""

    def __init__(self, settings: Settings) -> None:
        self._reader = Reader(settings)
        self._next_check = 0.0
        self._restart_at = 0.0
        self._wanted: list[tuple[Any, ...]] = []
        self._runs: list[tuple[Any, ...]] = []
        self._running: Running | None = None

    def check(self) -> None:
        if time.monotonic() < self._next_check:
            return
        self._next_check = time.monotonic() + CHECK_SECONDS
        try:
            if self._reader.has_changed():
                self._wanted = self._reader.rows(SWITCHED_ON)
        except UnreachableError:
            return  # what runs keeps running
        if self._wanted != self._runs:
            self.stop()
        if self._wanted:
            self._keep_up()

    def stop(self) -> None:
        if self._running is not None:
            stop_all([self._running])
        self._running, self._runs = None, []

    def _keep_up(self) -> None:
        if self._running is not None and self._running.process.poll() is not None:
            self._running, self._restart_at = None, time.monotonic() + RESTART_SECONDS
        if self._running is None and time.monotonic() >= self._restart_at:
            command = [sys.executable, "-m", "flask", "--app", "app", "practice-imanage"]
            self._running, self._runs = start(Child("practice iManage", command)), self._wanted


def child(wanted: practice.Start) -> Child:
    """Its control endpoints are closed by a token that nobody has."""
    command = [
        *(sys.executable, "-m", "simulator", "--quiet", "--port", str(wanted.port)),
        *("--data-dir", str(wanted.folder), "--public-url", wanted.public_url),
        *("--client-id", wanted.client_id, "--redirect-uri", wanted.redirect_url, "--secrets", "-"),
    ]
    told = {"client_secret": wanted.client_secret, "control_token": secrets.token_hex(16)}
    return Child("practice iManage", command, told=json.dumps(told), ours=False)
