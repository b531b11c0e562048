"""Our web server as a gunicorn worker: gunicorn runs several of them on the same sockets."""

from __future__ import annotations

import os
from types import FrameType

from gunicorn.workers.base import Worker as BaseWorker

from commands.web_server import STOP_SECONDS, Web
from services.operations import database


class Worker(BaseWorker):
    """One web process: `--threads` requests at once; bodies and files are handled in its loop."""

    web: Web | None = None

    def run(self) -> None:
        if self.cfg.is_ssl:
            raise RuntimeError("TLS belongs in the reverse proxy: this server speaks plain HTTP.")
        with self.wsgi.app_context():
            database.limit_web_process(self.cfg.threads)
        self.web = Web(
            self.wsgi,
            [each.sock for each in self.sockets],
            threads=self.cfg.threads,
            stop_seconds=min(STOP_SECONDS, self.cfg.graceful_timeout),
        )
        self.web.run(self._check)

    def handle_exit(self, _number: int, _frame: FrameType | None) -> None:
        self.alive = False
        if self.web is not None:
            self.web.stop()

    def _check(self) -> None:
        self.notify()
        if self.alive and self.ppid != os.getppid():
            self.alive = False
            self.web.stop() if self.web is not None else None
