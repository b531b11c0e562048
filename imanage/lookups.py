"""Names looked up within a time. The machine's resolver takes as long as it likes, and cannot be called back.

So a thread asks it, and whoever waits for the answer waits only so long. A lookup that hangs keeps its thread until the
resolver gives up; when there are too many of those, the next is refused at once.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from ipaddress import ip_address
from typing import Any, TypeVar

from .deadlines import current, time_left

MOST = 32
SECONDS = 10.0

Answers = Sequence[tuple[int, int, int, str, tuple[Any, ...]]]

T = TypeVar("T")

_free = threading.BoundedSemaphore(MOST)


def addresses(host: str, port: int, seconds: float = SECONDS) -> Answers:
    """What getaddrinfo says of a name, within this time and what is left of the call. Raises socket.gaierror."""
    host = host.strip("[]")

    def ask() -> Answers:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)

    return ask() if _is_address(host) else within_time(ask, seconds)


def within_time(ask: Callable[[], T], seconds: float = SECONDS) -> T:
    """What the resolver answers. One that takes too long is a name server that does not answer: EAI_AGAIN."""
    try:
        deadline = current()
        seconds = min(seconds, deadline.left() if deadline else time_left())
    except TimeoutError:
        seconds = 0
    free = _free
    if seconds <= 0 or not free.acquire(blocking=False):
        raise _late()
    answer: Future[T] = Future()
    try:
        threading.Thread(target=_answer, args=(free, answer, ask), name="lookup", daemon=True).start()
    except RuntimeError as error:  # the system gives no more threads
        free.release()
        raise _late() from error
    try:
        return answer.result(seconds)
    except TimeoutError as error:
        raise _late() from error


def _answer(free: threading.BoundedSemaphore, answer: Future[T], ask: Callable[[], T]) -> None:
    try:
        answer.set_result(ask())
    except Exception as error:
        answer.set_exception(error)
    finally:
        free.release()


def _late() -> socket.gaierror:
    return socket.gaierror(socket.EAI_AGAIN, "the name server did not answer in time")


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
