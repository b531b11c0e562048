"""Our web server as a worker of gunicorn, which starts several of them on the same sockets and keeps them up."""

from __future__ import annotations

import os
from types import FrameType

from gunicorn.workers.base import Worker as BaseWorker

from commands.web_server import STOP_SECONDS, Web


class Worker(BaseWorker):
    """One web process: `--threads` calls at once, bodies and files in its loop as everywhere."""

    web: Web | None = None

    def run(self) -> None:
        if self.cfg.is_ssl:
            raise RuntimeError("TLS belongs into the proxy in front: this server speaks plain HTTP.")
        self.web = Web(
            self.wsgi,
            [each.sock for each in self.sockets],
            threads=self.cfg.threads,
            stop_seconds=min(STOP_SECONDS, self.cfg.graceful_timeout),
        )
        self.web.run(self._look)

    def handle_exit(self, _number: int, _frame: FrameType | None) -> None:
        self.alive = False
        if self.web is not None:
            self.web.stop()

    def _look(self) -> None:
        self.notify()
        if self.alive and self.ppid != os.getppid():
            self.alive = False
            self.web.stop() if self.web is not None else None
