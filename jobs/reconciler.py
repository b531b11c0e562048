"""Closes the gap between our rows and the engine: starts what has no live workflow, takes over from dead workers."""

from __future__ import annotations

from datetime import timedelta

import structlog
from dbos import DBOS

from jobs.engine import APPLICATION_VERSION, CARRY, QUEUE, workflow_id
from services import transfer_work, workers

log = structlog.get_logger()

DEAD_AFTER = timedelta(seconds=10)
LIVE = {"PENDING", "ENQUEUED", "DELAYED"}
BATCH = 500


def start_due() -> int:
    """Start every item that is due and that no workflow carries. Returns how many were started."""
    due = transfer_work.due(BATCH)
    if not due:
        return 0
    known = {
        status.workflow_id: status.status
        for status in DBOS.list_workflows(
            workflow_ids=[workflow_id(str(item.id), item.run) for item in due],
            load_input=False,
            load_output=False,
        )
    }
    started = 0
    for item in due:
        status = known.get(workflow_id(str(item.id), item.run))
        if status in LIVE:
            continue
        run = item.run if status is None else transfer_work.next_run(item.id, item.run)
        if run is not None:
            _enqueue(str(item.id), run)
            started += 1
    return started


def _enqueue(item_id: str, run: int) -> None:
    DBOS.enqueue_workflow_with_options(
        {
            "queue_name": QUEUE,
            "workflow_name": CARRY,
            "workflow_id": workflow_id(item_id, run),
            "app_version": APPLICATION_VERSION,
        },
        item_id,
    )


def take_over() -> int:
    """Hand the running workflows of workers that stopped beating to the living. One reaper at a time."""
    taken = 0
    with workers.only_one() as alive:
        if alive is None:
            return 0
        living = alive(DEAD_AFTER)
        for status in DBOS.list_workflows(status="PENDING", load_input=False, load_output=False):
            if status.executor_id not in living:
                log.warning("worker.taken_over", workflow=status.workflow_id, worker=status.executor_id)
                DBOS.resume_workflow(status.workflow_id, queue_name=QUEUE)
                taken += 1
    return taken
