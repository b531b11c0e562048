"""The worker process: heartbeat, scheduler, regular duties, and an orderly end."""

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

from config import Settings
from jobs import gc_tuning, writer
from jobs.scheduler import Scheduler, Scope
from services.core.unit_of_work import checkpoint, has_single_writer
from services.core.writer_process import record
from services.execution import maintenance, steps
from services.execution.progress import ProgressFlusher
from services.mail import smtp
from services.monitoring import schedule
from services.operations import schema, worker_heartbeats
from services.servers.packages import keys as packages_keys

log = structlog.get_logger()

HEARTBEAT_SECONDS = 2.0
LEASE_SECONDS = 1.0
POLL_SECONDS = 0.2
LEAST_POLL_SECONDS = 0.05
PROGRESS_SECONDS = 1.0
CHECKPOINT_SECONDS = 0.25
MAIL_SECONDS = 15.0
HEALTH_SECONDS = 5.0
MAINTENANCE_SECONDS = 4.0
SCHEMA_SECONDS = 3.0
ERASE_SECONDS = 20.0
SWEEP_SECONDS = 6 * 3600.0
FIRST_SWEEP_SECONDS = 600.0
DUTIES_END_SECONDS = 3.0
GRACE_SECONDS = 5
NICENESS = 10


def run(settings: Settings, scope: Scope) -> None:
    """Work until SIGINT or SIGTERM."""
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    with writer.beside(scope):
        _work(settings, scope, stop)


def _work(settings: Settings, scope: Scope, stop: threading.Event) -> None:
    _lower_priority()
    worker_id = f"{socket.gethostname()[:30]}-{os.getpid()}-{secrets.token_hex(4)}"
    with scope():
        worker_heartbeats.record(worker_id)
        has_wal = has_single_writer()
    gc_tuning.freeze()
    scheduler = Scheduler(worker_id, scope)

    def take_due() -> None:
        scheduler.wanting.wait(POLL_SECONDS)
        scheduler.take_due()

    def maintain() -> None:
        maintenance.mind_the_clock()
        maintenance.finish_what_is_over()
        maintenance.wake_signed_in()

    def check_schema() -> None:
        if (found := schema.mismatch()) is not None:
            log.error("worker.schema_mismatch", sentence=found.sentence, next_step=found.next_step)
            stop.set()

    duties = [
        _every(SCHEMA_SECONDS, check_schema, stop, scope),
        _every(MAIL_SECONDS, smtp.send_due, stop, scope),
        _every(HEALTH_SECONDS, schedule.check_due, stop, scope, first=0.0),
        _every(HEARTBEAT_SECONDS, lambda: record(worker_heartbeats.record, worker_id), stop, scope),
        _every(LEASE_SECONDS, scheduler.check_leases, stop, scope),
        _every(PROGRESS_SECONDS, ProgressFlusher().flush, stop, scope),
        _every(MAINTENANCE_SECONDS, maintain, stop, scope, first=0.0),
        _every(ERASE_SECONDS, packages_keys.delete_expired, stop, scope),
        _every(SWEEP_SECONDS, maintenance.sweep_store, stop, scope, first=FIRST_SWEEP_SECONDS),
    ]
    if has_wal:
        duties.append(_every(CHECKPOINT_SECONDS, checkpoint, stop, scope))
    try:
        _repeat(LEAST_POLL_SECONDS, take_due, stop, scope)
    finally:
        # Every run stops at its next chunk, and its item can be resumed by any worker.
        steps.stop_this_process()
        scheduler.slots.open_all()
        latest = time.monotonic() + DUTIES_END_SECONDS
        for duty in duties:
            duty.join(max(0.0, latest - time.monotonic()))
        is_idle = scheduler.wait(GRACE_SECONDS)
        with scope():
            worker_heartbeats.remove(worker_id)
        if not is_idle:
            # A run may wait minutes for an answer from iManage. Its claim is released already, so that nothing it
            # could still do would count, and the process does not wait for it.
            log.warning("worker.left_waiting", items=sorted(map(str, scheduler.running())))
            log.info("process.stopped", kind="worker", pid=os.getpid())
            sys.stderr.flush()
            os._exit(0)


def _lower_priority() -> None:
    """Pages come first. Linux weighs sessions before processes: a session of our own is niced as a whole."""
    os.nice(NICENESS)
    if os.getsid(0) == os.getpid():
        with suppress(OSError):  # not Linux, or without autogroups
            Path("/proc/self/autogroup").write_text(str(NICENESS))


def _every(
    seconds: float,
    duty: Callable[[], object],
    stop: threading.Event,
    scope: Scope,
    first: float | None = None,
) -> threading.Thread:
    """A duty in a thread of its own, so that a long one does not delay the others."""
    thread = threading.Thread(target=_repeat, args=(seconds, duty, stop, scope, first), daemon=True)
    thread.start()
    return thread


def _repeat(
    seconds: float,
    duty: Callable[[], object],
    stop: threading.Event,
    scope: Scope,
    first: float | None = None,
) -> None:
    """Log errors and continue: a fault of the database passes."""
    wait = seconds if first is None else first
    while not stop.wait(wait):
        wait = seconds
        try:
            with scope():
                duty()
        except Exception:
            log.exception("worker.duty_failed")
