"""Closes the gap between our rows and the engine: starts what has no live workflow, takes over from dead workers."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import structlog
from dbos import DBOS, WorkflowStatus

from jobs import workflows
from jobs.engine import APPLICATION_VERSION, QUEUE, enqueueing, workflow_id
from jobs.places import places
from services import transfer_turns, transfer_work, workers

log = structlog.get_logger()

DEAD_AFTER_SECONDS = 10.0
LIVE = {"PENDING", "ENQUEUED", "DELAYED"}
QUEUED = {"ENQUEUED", "DELAYED"}
OVER = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
BATCH = 500
KEPT = timedelta(days=2)


class Reconciler:
    """What one worker process knows of itself and of its siblings while it looks after the rows."""

    def __init__(self, executor_id: str) -> None:
        self._executor_id = executor_id
        self._watch = workers.Watch(DEAD_AFTER_SECONDS)
        self._adrift: set[str] = set()

    def start_due(self) -> int:
        """Start every item that is due and that no workflow carries. Returns how many were started."""
        due = transfer_turns.due(BATCH)
        if not due:
            return 0
        known = {
            status.workflow_id: status
            for status in DBOS.list_workflows(
                workflow_ids=[workflow_id(str(item.id), item.run) for item in due],
                load_input=False,
                load_output=False,
            )
        }
        started = 0
        for item in due:
            run = _run_to_start(item, known.get(workflow_id(str(item.id), item.run)))
            if run is not None:
                _enqueue(item, run)
                started += 1
        return started

    def take_over(self) -> int:
        """Hand on the running workflows that nobody runs any more. One reaper at a time."""
        taken = 0
        with workers.only_one() as mine:
            if not mine:
                return 0
            living = self._watch.living(workers.beats(), time.monotonic()) | {self._executor_id}
            places.workers = len(living)
            adrift = set()
            for status in DBOS.list_workflows(status="PENDING", load_input=False, load_output=False):
                ours = status.executor_id == self._executor_id
                if ours and status.workflow_id not in workflows.carried():
                    adrift.add(status.workflow_id)
                # Between being taken from the queue and being begun a workflow is adrift for a moment; twice is lost.
                if status.executor_id not in living or status.workflow_id in adrift & self._adrift:
                    log.warning("worker.taken_over", workflow=status.workflow_id, worker=status.executor_id)
                    _hand_on(status)
                    taken += 1
            self._adrift = adrift
        return taken


def forget_finished(rounds: int = 20) -> int:
    """The engine's own memory of finished workflows is of no use to anybody after a while: the rows are the truth."""
    before = (datetime.now(UTC) - KEPT).isoformat()
    forgotten = 0
    for _ in range(rounds):
        ids = [
            status.workflow_id
            for status in DBOS.list_workflows(
                status=OVER, completed_before=before, limit=BATCH, load_input=False, load_output=False
            )
        ]
        DBOS.delete_workflows(ids)
        forgotten += len(ids)
        if len(ids) < BATCH:
            break
    return forgotten


def _run_to_start(item: transfer_turns.Due, status: WorkflowStatus | None) -> int | None:
    """The number of the run that has to be started, None where one is under way or the item has to rest."""
    if status is None:
        return item.run
    if status.status in QUEUED and _is_older(status):
        DBOS.cancel_workflow(status.workflow_id)
    elif status.status in LIVE:
        return None
    elif status.status == "ERROR":
        transfer_work.fell_over(item.id, item.run)
        return None
    return transfer_turns.next_run(item.id, item.run)


def _hand_on(status: WorkflowStatus) -> None:
    """Another worker goes on with it; where its steps were those of an older release, in a run of its own."""
    if _is_older(status):
        DBOS.cancel_workflow(status.workflow_id)
    else:
        DBOS.resume_workflow(status.workflow_id, queue_name=QUEUE)


def _is_older(status: WorkflowStatus) -> bool:
    """No worker of this release takes it from the queue, and those of the older one may never come back."""
    return int(status.app_version or 0) < int(APPLICATION_VERSION)


def _enqueue(item: transfer_turns.Due, run: int) -> None:
    DBOS.enqueue_workflow_with_options(enqueueing(item, run), str(item.id))
