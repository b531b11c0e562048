"""Gunicorn's defaults for Counterpart; its command line overrides them."""

import os
import sys
from importlib import import_module
from pathlib import Path

from gunicorn.config import Config
from gunicorn.glogging import Logger

sys.path.insert(0, str(Path(__file__).resolve().parent))
_host = os.environ.get("COUNTERPART_HOST", "").strip() or "127.0.0.1"
_port = os.environ.get("COUNTERPART_PORT", "").strip() or "8000"


class JsonLogger(Logger):
    """Gunicorn's own lines as JSON like all others, also before the application is loaded."""

    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        import_module("logs").configure()


bind = [f"[{_host}]:{_port}" if ":" in _host else f"{_host}:{_port}"]
worker_class = "commands.gunicorn_worker.Worker"
logger_class = JsonLogger
threads = 16
graceful_timeout = 35
