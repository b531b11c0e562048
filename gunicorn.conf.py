"""What gunicorn is told where its command line says nothing else."""

import os

_host = os.environ.get("COUNTERPART_HOST", "").strip() or "127.0.0.1"
_port = os.environ.get("COUNTERPART_PORT", "").strip() or "8000"

bind = [f"[{_host}]:{_port}" if ":" in _host else f"{_host}:{_port}"]
worker_class = "commands.gunicorn_worker.Worker"
threads = 16
graceful_timeout = 35
