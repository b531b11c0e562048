"""DNS lookups with a timeout. The system resolver has none and cannot be cancelled.

Each lookup therefore runs in a thread, and the caller stops waiting in time. A lookup that hangs keeps its thread until
the resolver gives up; when `MAX_LOOKUPS` threads are busy, further lookups fail at once.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from ipaddress import ip_address
from typing import Any, TypeVar

from .deadlines import current, time_left

MAX_LOOKUPS = 32
SECONDS = 10.0

Answers = Sequence[tuple[int, int, int, str, tuple[Any, ...]]]

T = TypeVar("T")

_free = threading.BoundedSemaphore(MAX_LOOKUPS)


def addresses(host: str, port: int, seconds: float = SECONDS) -> Answers:
    """getaddrinfo within `seconds` and the deadline of the call. Raises socket.gaierror."""
    host = host.strip("[]")

    def lookup() -> Answers:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)

    return lookup() if _is_address(host) else with_timeout(lookup, seconds)


def with_timeout(lookup: Callable[[], T], seconds: float = SECONDS) -> T:
    """Run a lookup in a thread. A timeout raises socket.gaierror with EAI_AGAIN."""
    try:
        deadline = current()
        seconds = min(seconds, deadline.left() if deadline else time_left())
    except TimeoutError:
        seconds = 0
    free = _free
    if seconds <= 0 or not free.acquire(blocking=False):
        raise _timed_out()
    answer: Future[T] = Future()
    try:
        threading.Thread(target=_run_lookup, args=(free, answer, lookup), name="lookup", daemon=True).start()
    except RuntimeError as error:  # the system has no more threads
        free.release()
        raise _timed_out() from error
    try:
        return answer.result(seconds)
    except TimeoutError as error:
        raise _timed_out() from error


def _run_lookup(free: threading.BoundedSemaphore, answer: Future[T], lookup: Callable[[], T]) -> None:
    try:
        answer.set_result(lookup())
    except Exception as error:
        answer.set_exception(error)
    finally:
        free.release()


def _timed_out() -> socket.gaierror:
    return socket.gaierror(socket.EAI_AGAIN, "the name server did not answer in time")


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
