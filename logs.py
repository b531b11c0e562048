"""Structured logs: one JSON object a line on standard error, newline-safe, and without the values of variables.

Ours, the libraries', warnings and what nobody caught all come out the same way. A traceback names files and lines only.
Values could hold a token, and a log is read by more people than a vault. The same error is written at most once a
minute by a process; how often it came besides is told later.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import structlog

from config import VERSION

Line = MutableMapping[str, Any]
EVERY_SECONDS = 60.0
MOST_APART = 500
FRAMES = 8
"""Of each exception of a chain, the innermost: the others are the same for every request."""
LIBRARIES = ("gunicorn.error", "gunicorn.access")
"""Bring handlers of their own, which write plain lines."""
TELLS_APART = ("logger", "code", "endpoint", "origin", "work", "reason")


def configure(level: str = "info") -> None:
    """By the composition root, for each application that it makes."""
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            once_a_minute,
            without_values,
            _STAMP,
            _JSON,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda *_names: _StandardError(),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    if _HANDLER not in root.handlers:
        root.addHandler(_HANDLER)
    root.setLevel(max(number, logging.WARNING))
    for name in LIBRARIES:
        library = logging.getLogger(name)
        library.handlers, library.propagate = [_HANDLER], False


def install_hooks() -> None:
    """Log uncaught exceptions and Python warnings, too: for processes that serve or work."""
    logging.captureWarnings(True)
    sys.excepthook = _uncaught
    threading.excepthook = lambda args: _uncaught(
        args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback
    )
    sys.unraisablehook = lambda args: _uncaught(
        args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback
    )


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt | SystemExit):
        return
    thread = threading.current_thread().name
    structlog.get_logger().critical("process.uncaught", thread=thread, exc_info=(kind, error, trace))


@dataclass
class _Repeated:
    """When a line was last written, and how many repeats of it were not."""

    since: float
    more: int = 0


class Repeats:
    """What was written within the last minute, and how often it would have been written again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, ...], _Repeated] = {}

    def is_new(self, what: tuple[str, ...], now: float) -> bool:
        with self._lock:
            if len(self._seen) >= MOST_APART:
                what = what[:3]  # somebody sends ever other ones
            seen = self._seen.get(what)
            if seen is not None and now - seen.since < EVERY_SECONDS:
                seen.more += 1
                return False
            self._seen[what] = _Repeated(now)
            return True

    def ended(self, now: float | None) -> Iterator[tuple[tuple[str, ...], int]]:
        """What is over at this moment, or all, with the number of lines that were not written."""
        with self._lock:
            over = [
                (what, seen)
                for what, seen in self._seen.items()
                if now is None or now - seen.since >= EVERY_SECONDS
            ]
            for what, _ in over:
                del self._seen[what]
        for what, seen in over:
            if seen.more:
                yield what, seen.more

    def forget(self) -> None:
        with self._lock:
            self._seen.clear()


repeats = Repeats()


def once_a_minute(_logger: object, level: str, line: Line) -> Line:
    """Drop an error that was written within the last minute, and count it."""
    now = time.monotonic()
    log_repeats(now)
    if level in {"info", "debug"}:
        return line
    if not repeats.is_new((str(line["event"]), level, _kind_of(line), *_apart(line)), now):
        raise structlog.DropEvent
    return line


def log_repeats(now: float | None = None) -> None:
    """How often came what was not written; without a moment, all that is still counted, as at a process's end."""
    for (event, level, kind, *_apart), more in repeats.ended(now):
        _write_line({"event": event, "level": level, "of": kind, "repeated": more})


def _apart(line: Line) -> Iterator[str]:
    return (str(line.get(name, "")) for name in TELLS_APART)


def _kind_of(line: Line) -> str:
    error = _error_of(line.get("exc_info"))
    cause = getattr(error, "orig", None) or error
    return type(cause).__qualname__ if cause is not None else ""


def _error_of(given: object) -> BaseException | None:
    if isinstance(given, BaseException):
        return given
    if isinstance(given, tuple):
        error: BaseException | None = given[1]
        return error
    return sys.exc_info()[1] if given else None


def without_values(_logger: object, _level: str, line: Line) -> Line:
    """The traceback as text: files, lines and what each error says, without what PostgreSQL quotes from the rows."""
    error = _error_of(line.pop("exc_info", None))
    if error is not None:
        text = "".join(traceback.format_exception(type(error), error, error.__traceback__, limit=-FRAMES))
        line["exception"] = "\n".join(
            each
            for each in text.rstrip().split("\n")
            if not each.lstrip().startswith(("DETAIL:", "CONTEXT:"))
        )
    return line


class _Handler(logging.Handler):
    """What libraries log, and what Python warns of."""

    def emit(self, record: logging.LogRecord) -> None:
        level = record.levelname.lower()
        line: Line = {
            "event": record.getMessage(),
            "level": level,
            "logger": record.name,
            "exc_info": record.exc_info,
        }
        try:
            _write_line(without_values(None, level, once_a_minute(None, level, line)))
        except structlog.DropEvent:
            return
        except Exception:
            self.handleError(record)


class _StandardError:
    """Writes to whatever standard error is now, a line at a time."""

    def msg(self, line: str) -> None:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()

    log = debug = info = warning = error = critical = exception = failure = msg


def _write_line(line: Line) -> None:
    level = str(line["level"])
    stamped = _STAMP(None, level, structlog.contextvars.merge_contextvars(None, level, line))
    _StandardError().msg(str(_JSON(None, level, stamped)))


_STAMP = structlog.processors.TimeStamper(fmt="iso", utc=True)
_JSON = structlog.processors.JSONRenderer(ensure_ascii=True, default=str)
_HANDLER = _Handler()


@contextmanager
def process(kind: str, **facts: object) -> Iterator[None]:
    """Around a process that serves or works: a line at its start, and one at its end."""
    install_hooks()
    log, began = structlog.get_logger(), time.monotonic()
    log.info("process.started", kind=kind, pid=os.getpid(), version=VERSION, **facts)
    try:
        yield
    finally:
        log_repeats()
        log.info("process.stopped", kind=kind, pid=os.getpid(), seconds=round(time.monotonic() - began, 1))
