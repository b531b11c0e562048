"""Wakes a worker when the database is written to, so that an idle one need not poll.

SQLite: inotify tells when the write-ahead log grows. PostgreSQL: LISTEN, and triggers notify (migration 0019). Where
neither works (not on Linux, or behind PgBouncer), the event is set every POLL_SECONDS instead.
"""

from __future__ import annotations

import ctypes
import os
import select
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import structlog

from config import libpq_url, sqlite_file

CHANNEL = "counterpart_work"
POLL_SECONDS = 0.2
LEAST_SECONDS = 0.05
"""Changes within this time after one wake the worker once."""
RECONNECT_SECONDS = 5.0
IN_MODIFY = 0x2
EVENT_BYTES = 16
"""The length of an inotify_event without its name; the last four bytes are the length of the name."""
BUFFER = 64 * 1024

log = structlog.get_logger()


def start(database_url: str, stop: threading.Event, changed: threading.Event) -> None:
    """Set `changed` after each change, until `stop` is set, in a thread of its own."""
    threading.Thread(target=_watch, args=(database_url, stop, changed), name="wake", daemon=True).start()


def _watch(database_url: str, stop: threading.Event, changed: threading.Event) -> None:
    while not stop.is_set():
        try:
            for _ in _changes(database_url):
                changed.set()
                if stop.wait(LEAST_SECONDS):
                    return
        except _UnavailableError as error:
            log.info("worker.polls", reason=str(error))
            _poll(stop, changed)
        except Exception:  # the database is away
            _poll(stop, changed, RECONNECT_SECONDS)


def _poll(stop: threading.Event, changed: threading.Event, seconds: float = float("inf")) -> None:
    left = seconds
    while left > 0 and not stop.wait(POLL_SECONDS):
        left -= POLL_SECONDS
        changed.set()


class _UnavailableError(Exception):
    """This system or database does not notify of changes."""


def _changes(database_url: str) -> Iterator[None]:
    file = sqlite_file(database_url)
    return _notified(libpq_url(database_url)) if file is None else _written(file)


def _written(file: Path) -> Iterator[None]:
    """Whenever the write-ahead log of this SQLite file is written."""
    log_name = os.fsencode(f"{file.name}-wal")
    descriptor = _inotify(file.parent)
    try:
        while True:
            select.select([descriptor], [], [])
            if log_name in _names(os.read(descriptor, BUFFER)):
                yield
    finally:
        os.close(descriptor)


def _inotify(folder: Path) -> int:
    try:
        library = ctypes.CDLL(None, use_errno=True)
        descriptor: int = library.inotify_init1(os.O_CLOEXEC)
        watch: Callable[..., int] = library.inotify_add_watch
    except AttributeError:
        raise _UnavailableError("no inotify") from None
    if descriptor < 0 or watch(descriptor, os.fsencode(folder), IN_MODIFY) < 0:
        raise _UnavailableError(os.strerror(ctypes.get_errno()))
    return descriptor


def _names(events: bytes) -> set[bytes]:
    names, at = set(), 0
    while at < len(events):
        length = int.from_bytes(events[at + EVENT_BYTES - 4 : at + EVENT_BYTES], sys.byteorder)
        at += EVENT_BYTES
        names.add(events[at : at + length].rstrip(b"\0"))
        at += length
    return names


def _notified(url: str) -> Iterator[None]:
    """Whenever a transaction that notified has been committed, and once at the beginning."""
    import psycopg

    with closing(psycopg.connect(url, autocommit=True, application_name="counterpart")) as connection:
        row = connection.execute("SELECT pg_backend_pid()").fetchone()
        if row is None or row[0] != connection.info.backend_pid:
            raise _UnavailableError("a connection pooler")
        connection.execute(f"LISTEN {CHANNEL}")
        yield
        while True:
            # Not connection.notifies() alone: without a timeout it polls ten times a second.
            select.select([connection], [], [])
            if any(connection.notifies(timeout=0)):
                yield
