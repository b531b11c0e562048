"""The scheduler of one worker: claims items that are due, carries each out in a thread, and watches over leases.

The rows are the only record of who does what: an item is this worker's while its `worker_id` says so and the worker's
heartbeats come. Nothing has to be remembered anywhere else to survive a crash.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

import structlog

from jobs.slots import Slots, server_of
from models import utcnow
from services.connections import tokens
from services.core.writer_process import run_in_writer
from services.execution import queue, steps
from services.execution.item_run import Claim, ItemRun
from services.execution.queue import Due
from services.operations import worker_heartbeats
from services.servers import concurrency

log = structlog.get_logger()

Scope = Callable[[], AbstractContextManager[object]]
InFlight = Mapping[str, Counter[uuid.UUID]]

EXPIRY_SECONDS = 10.0
"""How long a heartbeat may not change before its worker's claims are released."""
LOOK_AHEAD = 128
"""How many due items are read at a time."""
PREFETCH = 4
"""At most this many times the slots are claimed: the next item must be there when a slot becomes free."""
FEW = 2
"""With fewer than this many times the slots in flight, the queue is read at once."""
MOST_THREADS = 512


class Scheduler:
    """Claims and carries out items. `wanting` is set while some server has few in flight."""

    def __init__(self, worker_id: str, scope: Scope) -> None:
        self.slots = Slots()
        self.wanting = threading.Event()
        self._worker_id = worker_id
        self._scope = scope
        self._observer = concurrency.Observer()
        self._heartbeats = worker_heartbeats.LivenessTracker(EXPIRY_SECONDS)
        self._threads = ThreadPoolExecutor(MOST_THREADS, thread_name_prefix="item")
        self._lock = threading.Lock()
        self._running: dict[Claim, ItemRun] = {}
        self._failed: set[Claim] = set()
        self._unknown: set[Claim] = set()

    def take_due(self) -> int:
        """Claim what is due and begin to carry it out. Returns the number of items."""
        self.wanting.clear()
        due = queue.due(LOOK_AHEAD)
        for server, at_once in {item.server: item.at_once for item in due}.items():
            self.slots.adjust(server, at_once)
        chosen = choose(due, self._in_flight(), self.slots)
        if not chosen:
            return 0
        claimed = run_in_writer(
            queue.claim,
            self._worker_id,
            [item.id for item in chosen if item.pace is None],
            [item for item in chosen if item.pace is not None],
        )
        runs = steps.begin(claimed, self.slots)
        with self._lock:
            self._running |= {run.claim: run for run, _step in runs}
        for run, step in runs:
            self._threads.submit(self._carry_out, run, step)
        return len(runs)

    def adapt(self) -> None:
        """Follow the servers' answers: more slots, or fewer."""
        seen = tokens.take_answers()
        if not seen:
            return
        for server_id, (ceiling, before) in concurrency.limits(seen).items():
            server = str(server_id)
            observed = self._observer.observe(
                server_id,
                seen[server_id],
                is_short=self.slots.are_short(server),
                workers=self.slots.workers,
                clock=time.monotonic(),
            )
            limit = before or concurrency.first(utcnow())
            after = concurrency.following(limit, observed, ceiling, utcnow())
            if after is not before:
                run_in_writer(concurrency.change, server_id, before, after)
                if after.reason != limit.reason:
                    log.info("server.concurrency", server=server, at_once=after.at_once, reason=after.reason)
            self.slots.adjust(server, min(after.at_once, ceiling))

    def check_leases(self) -> int:
        """Release claims of workers whose heartbeats have stopped, and of this one those that no thread carries out.

        Returns the number of items. A new claim has no thread yet for a moment, so it is released
        only when two checks in a row found none.
        """
        seen = worker_heartbeats.last_seen()
        living = self._heartbeats.living(seen, time.monotonic()) | {self._worker_id}
        self.slots.workers = len(living)
        released = run_in_writer(queue.release_expired, seen.keys() - living)
        if released:
            log.warning("worker.leases_expired", items=released)
        held = {Claim(item_id, token) for item_id, token in queue.held_by(self._worker_id).items()}
        with self._lock:
            unknown, failed = held - self._running.keys() - self._failed, set(self._failed)
        for claim in unknown & self._unknown:
            run_in_writer(queue.release, claim.item_id, claim.fencing_token)
            released += 1
        self._unknown = unknown
        if failed:
            steps.retry_or_fail(failed)
            with self._lock:
                self._failed -= failed
        return released

    def running(self) -> list[uuid.UUID]:
        """The items that threads of this process carry out."""
        with self._lock:
            return [claim.item_id for claim in self._running]

    def wait(self, seconds: float) -> bool:
        """Wait until no thread runs any more; False where it takes longer."""
        until = time.monotonic() + seconds
        while self.running() and time.monotonic() < until:
            time.sleep(0.05)
        return not self.running()

    def _carry_out(self, run: ItemRun, step: str) -> None:
        try:
            with self._scope():
                steps.carry_out(run, step)
        except Exception:
            log.exception("worker.run_failed", item=str(run.item_id))
            with self._lock:
                self._failed.add(run.claim)
        finally:
            with self._lock:
                del self._running[run.claim]
                server = server_of(run.task)
                left = sum(server_of(each.task) == server for each in self._running.values())
            if left < FEW * self.slots.share_of(run.task):
                self.wanting.set()

    def _in_flight(self) -> dict[str, Counter[uuid.UUID]]:
        counts: defaultdict[str, Counter[uuid.UUID]] = defaultdict(Counter)
        with self._lock:
            for run in self._running.values():
                counts[server_of(run.task)][run.task.member_id] += 1
        return counts


def choose(due: Sequence[Due], in_flight: InFlight, slots: Slots) -> list[Due]:
    """The items to claim of those that are due, in their order.

    Free slots are filled, and a member with less than half of them in flight may have more. Only
    items that no other worker has a slot for are prefetched, so that a few large documents spread over all workers.
    """
    servers: defaultdict[str, list[Due]] = defaultdict(list)
    for item in due:
        servers[item.server].append(item)
    return [
        item
        for server, items in servers.items()
        for item in _chosen(items, Counter(in_flight.get(server, Counter())), slots)
    ]


def _chosen(items: Sequence[Due], members: Counter[uuid.UUID], slots: Slots) -> Iterable[Due]:
    at_once, workers = items[0].at_once, slots.workers
    share, half = slots.share(at_once), slots.half(at_once)
    waiting = Counter(item.member for item in items)
    others = at_once // len(waiting.keys() | +members) if workers > 1 else 0
    spare = Counter({member: max(0, number - others) // workers for member, number in waiting.items()})
    for item in items:
        total, member = members.total(), item.member
        if total >= share and members[member] >= half:
            if spare[member] <= 0 or total >= PREFETCH * share:
                continue
            spare[member] -= 1
        members[member] += 1
        yield item
