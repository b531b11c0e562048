"""The worker process: launches the engine, beats, reconciles, keeps house, and hands its work back at the end."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType

import structlog
from dbos import DBOS

from config import Settings
from jobs import gc_tuning, workflows, writer
from jobs.engine import launch
from jobs.hand import hand
from jobs.places import places
from jobs.reconciler import Reconciler, forget_finished
from services.core.unit_of_work import checkpoint, has_single_writer
from services.core.writer_process import record
from services.execution import maintenance, steps
from services.execution.progress import ProgressFlusher
from services.mail import smtp
from services.monitoring import schedule
from services.operations import schema, worker_heartbeats
from services.servers.packages import keys as packages_keys

log = structlog.get_logger()

BEAT_SECONDS = 2.0
LOOK_SECONDS = 0.2
LEAST_LOOK_SECONDS = 0.05
LOST_SECONDS = 1.0
SHOW_SECONDS = 1.0
TIDY_SECONDS = 0.25
MAIL_SECONDS = 15.0
HEALTH_SECONDS = 5.0
REAP_SECONDS = 4.0
TABLES_SECONDS = 3.0
FORGET_SECONDS = 3600.0
ERASE_SECONDS = 20.0
SWEEP_SECONDS = 6 * 3600.0
FIRST_SWEEP_SECONDS = 600.0
DUTIES_END_SECONDS = 3.0
GRACE_SECONDS = 5
NICENESS = 10


def run(settings: Settings, scope: workflows.Scope) -> None:
    """Work until SIGINT or SIGTERM."""
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    with writer.beside(scope):
        _work(settings, scope, stop)


def _work(settings: Settings, scope: workflows.Scope, stop: threading.Event) -> None:
    _give_way()
    executor_id = f"{socket.gethostname()[:30]}-{os.getpid()}-{secrets.token_hex(4)}"
    workflows.bind(scope)
    with scope():
        worker_heartbeats.record(executor_id)
        has_log = has_single_writer()
        launch(settings, executor_id)
    gc_tuning.started()
    reconciler = Reconciler(executor_id)

    def look() -> None:
        hand.wanting.wait(LOOK_SECONDS)
        reconciler.take_due()

    def mind_siblings() -> None:
        reconciler.count_living()
        reconciler.let_go_of_lost()

    def reap() -> None:
        maintenance.mind_the_clock()
        reconciler.take_over()
        maintenance.finish_what_is_over()
        maintenance.wake_signed_in()

    def look_at_tables() -> None:
        if (found := schema.mismatch()) is not None:
            log.error("worker.other_tables", sentence=found.sentence, next_step=found.next_step)
            stop.set()

    duties = [
        _every(TABLES_SECONDS, look_at_tables, stop, scope),
        _every(MAIL_SECONDS, smtp.send_due, stop, scope),
        _every(HEALTH_SECONDS, schedule.check_due, stop, scope, first=0.0),
        _every(BEAT_SECONDS, lambda: record(worker_heartbeats.record, executor_id), stop, scope),
        _every(LOST_SECONDS, mind_siblings, stop, scope),
        _every(SHOW_SECONDS, ProgressFlusher().show, stop, scope),
        _every(REAP_SECONDS, reap, stop, scope, first=0.0),
        _every(FORGET_SECONDS, forget_finished, stop, scope),
        _every(ERASE_SECONDS, packages_keys.delete_expired, stop, scope),
        _every(SWEEP_SECONDS, maintenance.sweep_store, stop, scope, first=FIRST_SWEEP_SECONDS),
    ]
    if has_log:
        duties.append(_every(TIDY_SECONDS, checkpoint, stop, scope))
    try:
        _repeat(LEAST_LOOK_SECONDS, look, stop, scope)
    finally:
        # What runs stops at its next chunk and is on record; another worker, or this one's successor, goes on.
        steps.stop_this_process()
        places.open_all()
        latest = time.monotonic() + DUTIES_END_SECONDS
        for duty in duties:
            duty.join(max(0.0, latest - time.monotonic()))
        DBOS.destroy(workflow_completion_timeout_sec=GRACE_SECONDS)
        with scope():
            worker_heartbeats.remove(executor_id)
        if workflows.carried():
            # A step that waits for an answer may wait for minutes. Its item can be taken over already, so that
            # nothing it could still do would count; the process does not stay for it.
            log.warning("worker.left_waiting", workflows=sorted(workflows.carried()))
            log.info("process.stopped", kind="worker", pid=os.getpid())
            sys.stderr.flush()
            os._exit(0)


def _give_way() -> None:
    """Pages come first. Linux weighs sessions before the processes in them: one of our own is niced as a whole."""
    os.nice(NICENESS)
    if os.getsid(0) == os.getpid():
        with suppress(OSError):  # no Linux, or one without groups of sessions
            Path("/proc/self/autogroup").write_text(str(NICENESS))


def _every(
    seconds: float,
    duty: Callable[[], object],
    stop: threading.Event,
    scope: workflows.Scope,
    first: float | None = None,
) -> threading.Thread:
    """A duty in a thread of its own, so that a long one keeps no other waiting."""
    thread = threading.Thread(target=_repeat, args=(seconds, duty, stop, scope, first), daemon=True)
    thread.start()
    return thread


def _repeat(
    seconds: float,
    duty: Callable[[], object],
    stop: threading.Event,
    scope: workflows.Scope,
    first: float | None = None,
) -> None:
    """A fault of the database passes; the worker does not fall with it."""
    wait = seconds if first is None else first
    while not stop.wait(wait):
        wait = seconds
        try:
            with scope():
                duty()
        except Exception:
            log.exception("worker.duty_failed")
