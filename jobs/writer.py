"""The process that writes for a worker on SQLite. See services/core/writer_process.py for its purpose.

Each worker has its own. When the worker ends, for any reason, it finishes the write that it has begun and ends too. A
worker that loses its writer ends at once: only the rows tell which of the last writes were committed, and the next
worker reads them.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from multiprocessing.connection import Connection
from typing import Any

import structlog

from jobs import gc_tuning
from jobs.scheduler import Scope
from services.core import writer_process
from services.core.unit_of_work import disconnect, has_single_writer

log = structlog.get_logger()

END_SECONDS = 3.0
COLLECT_EVERY = 50
"""Writes between two garbage collections, which happen between two requests and never during one."""


@contextmanager
def beside(scope: Scope) -> Iterator[None]:
    """Start the writer process where the database has a single writer. Call it before there are threads."""
    with scope():
        needed = has_single_writer()
        disconnect()
    if not needed:
        yield
        return
    processes = multiprocessing.get_context("fork")
    ours, theirs = processes.Pipe()
    process = processes.Process(target=_begin, args=(theirs, ours, scope), name="writer")
    process.start()
    theirs.close()
    writer_process.bind(WriterClient(ours))
    try:
        yield
    finally:
        writer_process.bind(None)
        ours.close()
        process.join(END_SECONDS)
        process.kill()


class WriterClient:
    """Sends the writes of the worker's threads to the writer process, one at a time."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()

    def __call__(self, write: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        with self._lock:
            try:
                self._pipe.send((write, arguments))
                error, found = self._pipe.recv()
            except (EOFError, OSError):
                log.critical("worker.writer_lost")
                os._exit(1)
        if error is not None:
            raise error
        return found


def serve(pipe: Connection, scope: Scope) -> None:
    """Carry out requests one after the other, until the connection ends."""
    with suppress(EOFError, ConnectionError):
        for number in count(1):
            write, arguments = pipe.recv()
            error, found = _call(scope, write, arguments)
            try:
                pipe.send((error, found))
            except ConnectionError:
                raise
            except Exception as unsent:
                pipe.send((RuntimeError(f"{error or found!r} cannot be sent: {unsent}"), None))
            if number % COLLECT_EVERY == 0:
                gc_tuning.freeze()


def _begin(pipe: Connection, others_end: Connection, scope: Scope) -> None:
    others_end.close()  # or the connection would not end with the worker
    # A session of its own: pages wait for it, so it is neither niced with its worker nor stopped before it.
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    gc_tuning.freeze()
    gc.disable()
    serve(pipe, scope)


def _call(
    scope: Scope, write: Callable[..., Any], arguments: tuple[Any, ...]
) -> tuple[Exception | None, Any]:
    try:
        with scope():
            return None, write(*arguments)
    except Exception as error:
        return error, None
