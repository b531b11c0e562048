"""The worker process: launches the engine, beats, reconciles, and hands its work back when it is told to stop."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import threading
from types import FrameType

import structlog
from dbos import DBOS

from config import Settings
from jobs import reconciler, workflows
from jobs.engine import launch
from services import transfer_work, workers

log = structlog.get_logger()

BEAT_SECONDS = 2.0
LOOK_SECONDS = 0.5
LOOKS_A_REAP = 8
NICENESS = 5


def run(settings: Settings, scope: workflows.Scope) -> None:
    """Work until SIGINT or SIGTERM."""
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    os.nice(NICENESS)
    executor_id = f"{socket.gethostname()[:30]}-{os.getpid()}-{secrets.token_hex(4)}"
    workflows.bind(scope)
    with scope():
        workers.beat(executor_id)
    launch(settings, executor_id)
    beating = threading.Thread(target=_beat, args=(stop, scope, executor_id), daemon=True)
    beating.start()
    try:
        looks = 0
        while not stop.wait(LOOK_SECONDS):
            _look(scope, reap=looks % LOOKS_A_REAP == 0)
            looks += 1
    finally:
        # What runs stops at its next chunk and is on record; another worker, or this one's successor, goes on.
        transfer_work.stop_this_process()
        beating.join()
        DBOS.destroy(workflow_completion_timeout_sec=5)
        with scope():
            workers.gone(executor_id)


def _look(scope: workflows.Scope, *, reap: bool) -> None:
    """A fault of the database passes; the worker does not fall with it."""
    try:
        with scope():
            if reap:
                reconciler.take_over()
            reconciler.start_due()
    except Exception:
        log.exception("worker.look_failed")


def _beat(stop: threading.Event, scope: workflows.Scope, executor_id: str) -> None:
    while not stop.wait(BEAT_SECONDS):
        try:
            with scope():
                workers.beat(executor_id)
        except Exception:
            log.exception("worker.beat_failed")
