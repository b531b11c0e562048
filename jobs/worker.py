"""The worker process: heartbeat, scheduler, regular duties, and an orderly end."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path

import structlog

from config import Settings
from jobs import gc_tuning, writer
from jobs.duties import Duties
from jobs.scheduler import Scheduler, Scope
from services.core.unit_of_work import checkpoint, has_single_writer
from services.core.writer_process import run_in_writer
from services.drift import losses, watch
from services.execution import maintenance, queue, steps
from services.execution.progress import ProgressFlusher
from services.mail import smtp
from services.matters import end_dates, recycle_bin
from services.monitoring import schedule
from services.operations import schema, worker_heartbeats
from services.server_admin import learning, repoint
from services.servers.packages import keys as packages_keys

log = structlog.get_logger()

RESTING_SECONDS = 10.0
"""How often duties that concern transfers run while there is nothing to transfer."""
HEARTBEAT_SECONDS = 3.0
RESTING_HEARTBEAT_SECONDS = 5.0
LEASE_SECONDS = 1.0
PROGRESS_SECONDS = 1.0
CHECKPOINT_SECONDS = 0.25
ADAPT_SECONDS = 0.25
MAIL_SECONDS = 15.0
HEALTH_SECONDS = 5.0
LEARN_SECONDS = 60.0
TWINS_SECONDS = 10.0
MAINTENANCE_SECONDS = 4.0
SCHEMA_SECONDS = 3.0
ERASE_SECONDS = 20.0
REMIND_SECONDS = 600.0
FIRST_REMINDER_SECONDS = 60.0
BIN_SECONDS = 3600.0
SWEEP_SECONDS = 6 * 3600.0
FIRST_SWEEP_SECONDS = 600.0
DUTIES_END_SECONDS = 3.0
GRACE_SECONDS = 5
NICENESS = 10


def run(settings: Settings, scope: Scope) -> None:
    """Work until SIGINT or SIGTERM."""
    signals = _signals()
    gc_tuning.freeze()  # before the fork: memory that garbage collection leaves alone stays shared
    with writer.beside(scope):
        _work(settings, scope, signals)


def _work(settings: Settings, scope: Scope, signals: int) -> None:
    _lower_priority()
    worker_id = f"{socket.gethostname()[:30]}-{os.getpid()}-{secrets.token_hex(4)}"
    with scope():
        worker_heartbeats.record(worker_id)
        has_wal = has_single_writer()
    gc_tuning.freeze()
    scheduler = Scheduler(worker_id, scope)

    def take_due() -> bool:
        if duties.are_resting:
            if not queue.has_live_items():
                return False
            scheduler.check_leases()  # other workers may have started or stopped meanwhile
        return scheduler.take_due() > 0 or queue.has_live_items()

    def maintain() -> None:
        maintenance.adjust_to_clock()
        maintenance.finish_ended_transfers()
        maintenance.resume_signed_in()

    def watch_twins() -> None:
        watch.check_due()
        losses.tell()

    def prune() -> None:
        learning.prune()
        repoint.prune()

    def check_schema() -> None:
        if (found := schema.mismatch()) is not None:
            log.error("worker.schema_mismatch", sentence=found.sentence, next_step=found.next_step)
            duties.stop()

    def stop_on_signal() -> None:
        os.read(signals, 1)
        duties.stop()

    duties = Duties(settings.database_url, scope)
    threading.Thread(target=stop_on_signal, name="signals", daemon=True).start()
    duties.every(SCHEMA_SECONDS, check_schema, resting=RESTING_SECONDS)
    duties.every(MAIL_SECONDS, smtp.send_due)
    duties.every(TWINS_SECONDS, watch_twins)
    duties.every(LEARN_SECONDS, learning.learn_again)
    duties.every(HEALTH_SECONDS, schedule.check_due, first=0.0, resting=RESTING_SECONDS)
    duties.every(
        HEARTBEAT_SECONDS,
        lambda: run_in_writer(worker_heartbeats.record, worker_id),
        resting=RESTING_HEARTBEAT_SECONDS,
    )
    duties.every(LEASE_SECONDS, scheduler.check_leases, resting=RESTING_SECONDS)
    duties.every(ADAPT_SECONDS, scheduler.adapt, resting=RESTING_SECONDS)
    duties.every(PROGRESS_SECONDS, ProgressFlusher().flush, resting=RESTING_SECONDS)
    duties.every(MAINTENANCE_SECONDS, maintain, first=0.0, resting=RESTING_SECONDS)
    duties.every(ERASE_SECONDS, packages_keys.delete_expired)
    duties.every(REMIND_SECONDS, end_dates.remind_leads, first=FIRST_REMINDER_SECONDS)
    duties.every(BIN_SECONDS, recycle_bin.delete_expired, first=FIRST_SWEEP_SECONDS)
    duties.every(SWEEP_SECONDS, prune, first=FIRST_SWEEP_SECONDS)
    duties.every(SWEEP_SECONDS, maintenance.sweep_store, first=FIRST_SWEEP_SECONDS)
    if has_wal:
        duties.every(CHECKPOINT_SECONDS, checkpoint, resting=RESTING_SECONDS)
    try:
        duties.work(scheduler.wanting, take_due)
    finally:
        # Every run stops at its next chunk, and its item can be resumed by any worker.
        steps.stop_this_process()
        scheduler.slots.open_all()
        duties.join(DUTIES_END_SECONDS)
        is_idle = scheduler.wait(GRACE_SECONDS)
        with scope():
            worker_heartbeats.remove(worker_id)
        if not is_idle:
            # A run may wait minutes for an answer from iManage. Another worker releases its claim once this heartbeat
            # is gone, so the process does not wait for it.
            log.warning("worker.left_waiting", items=sorted(map(str, scheduler.running())))
            log.info("process.stopped", kind="worker", pid=os.getpid())
            sys.stderr.flush()
            os._exit(0)


def _signals() -> int:
    """A file descriptor that can be read after SIGINT or SIGTERM."""
    readable, writable = os.pipe()
    os.set_blocking(writable, False)
    signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: None)  # only a handled signal is written there
    return readable


def _lower_priority() -> None:
    """Pages come first. Linux weighs sessions before processes: a session of our own is niced as a whole."""
    os.nice(NICENESS)
    if os.getsid(0) == os.getpid():
        with suppress(OSError):  # not Linux, or without autogroups
            Path("/proc/self/autogroup").write_text(str(NICENESS))
