"""Closes the gap between our rows and the engine: takes what is due, and what nobody carries any more."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime, timedelta

import structlog
from dbos import DBOS, WorkflowStatus

from jobs import workflows
from jobs.engine import APPLICATION_VERSION, QUEUE
from jobs.hand import choose, hand
from jobs.places import places
from services.core.writer_process import record
from services.execution import queue, steps
from services.operations import worker_heartbeats

log = structlog.get_logger()

DEAD_AFTER_SECONDS = 10.0
LIVE = {"PENDING", "ENQUEUED", "DELAYED"}
QUEUED = {"ENQUEUED", "DELAYED"}
OVER = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
SEEN = 128
BATCH = 500
KEPT = timedelta(days=2)


class Reconciler:
    """What one worker process knows of itself and of its siblings while it looks after the rows."""

    def __init__(self, executor_id: str) -> None:
        self._executor_id = executor_id
        self._watch = worker_heartbeats.LivenessTracker(DEAD_AFTER_SECONDS)
        self._adrift: set[str] = set()
        self._lost: set[uuid.UUID] = set()

    def take_due(self) -> int:
        """Take what is due to hand, and start to carry it. Says how many loads."""
        hand.look()
        chosen = choose(queue.due(SEEN), hand.counts(), places.workers)
        if not chosen:
            return 0
        loads = {uuid.uuid4(): items for items in chosen}
        wanted = {batch_id: [item.id for item in items] for batch_id, items in loads.items()}
        mine = record(queue.form_all, wanted)
        for batch_id in mine:
            workflows.start(batch_id, loads[batch_id])
        return len(mine)

    def let_go_of_lost(self) -> int:
        """Loads that no live workflow carries are nobody's: their items are due again. Says how many loads.

        Between being taken and being started a load is lost for a moment; seen so twice it is.
        """
        loads = {load for load in queue.loads() if str(load) not in workflows.carried()}
        known = {}
        if loads:
            ids = [str(load) for load in loads]
            found = DBOS.list_workflows(workflow_ids=ids, load_input=False, load_output=False)
            known = {uuid.UUID(status.workflow_id): status for status in found}
        lost = {load for load in loads if not _is_carried(known.get(load))}
        fallen = {load for load in lost if (status := known.get(load)) and status.status == "ERROR"}
        for load in fallen:
            steps.fell_over(load)
        gone = (lost & self._lost) - fallen
        if gone:
            queue.let_go(gone)
        self._lost = lost - fallen - gone
        return len(gone)

    def count_living(self) -> frozenset[str]:
        """The workers that are alive, this one among them: they share each server's places."""
        living = self._watch.living(worker_heartbeats.last_seen(), time.monotonic()) | {self._executor_id}
        places.workers = len(living)
        return living

    def take_over(self) -> int:
        """Hand on the running workflows that nobody runs any more. One reaper at a time, and none while all is well."""
        left = self._left_behind()
        if not left:
            return 0
        taken = 0
        with worker_heartbeats.takeover_lock() as mine:
            for status in _pending(list(left)) if mine else ():
                if status.executor_id == left[status.workflow_id]:
                    log.warning("worker.taken_over", workflow=status.workflow_id, worker=status.executor_id)
                    _hand_on(status)
                    taken += 1
        return taken

    def _left_behind(self) -> dict[str, str | None]:
        """The running workflows that nobody runs, each with whose it was.

        Between being taken from the queue and being begun a workflow is adrift for a moment; twice is lost.
        """
        living = self.count_living()
        left, adrift = {}, set()
        for status in _pending():
            ours = status.executor_id == self._executor_id
            if ours and status.workflow_id not in workflows.carried():
                adrift.add(status.workflow_id)
            if status.executor_id not in living or status.workflow_id in adrift & self._adrift:
                left[status.workflow_id] = status.executor_id
        self._adrift = adrift
        return left


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


def _pending(ids: list[str] | None = None) -> list[WorkflowStatus]:
    return DBOS.list_workflows(status="PENDING", workflow_ids=ids, load_input=False, load_output=False)


def _is_carried(status: WorkflowStatus | None) -> bool:
    if status is not None and status.status in QUEUED and _is_older(status):
        DBOS.cancel_workflow(status.workflow_id)
        return False
    return status is not None and status.status in LIVE


def _hand_on(status: WorkflowStatus) -> None:
    """Another worker goes on with it; where its steps were those of an older release, in a new load."""
    if _is_older(status):
        DBOS.cancel_workflow(status.workflow_id)
    else:
        DBOS.resume_workflow(status.workflow_id, queue_name=QUEUE)


def _is_older(status: WorkflowStatus) -> bool:
    """No worker of this release takes it from the queue, and those of the older one may never come back."""
    return int(status.app_version or 0) < int(APPLICATION_VERSION)
