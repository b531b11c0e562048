"""Structured logs: one JSON object a line on standard error, newline-safe, and without the values of variables.

Ours, those of libraries, warnings and uncaught exceptions have the same form. A traceback names files and lines only:
a value could be a token, and more people read logs than may read secrets. A process writes the same error at most once
a minute, and later how often it was repeated.
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
REPEAT_SECONDS = 60.0
MAX_DISTINCT = 500
FRAMES = 8
"""The innermost ones of each exception in a chain: the others are the same for every request."""
LIBRARIES = ("gunicorn.error", "gunicorn.access")
"""They have handlers of their own, which write plain lines."""
DISTINGUISHED_BY = ("logger", "code", "endpoint", "origin", "work", "reason")


def configure(level: str = "info") -> None:
    """Called by the composition root for each application."""
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
    threading.excepthook = sys.unraisablehook = _uncaught_elsewhere


def _uncaught_elsewhere(args: Any) -> None:
    """In a thread, or in a finaliser."""
    _uncaught(args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback)


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
    """The lines written within the last minute, and how often each was repeated."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, ...], _Repeated] = {}

    def is_new(self, what: tuple[str, ...], now: float) -> bool:
        with self._lock:
            if len(self._seen) >= MAX_DISTINCT:
                what = what[:3]  # an unlimited number of different ones
            seen = self._seen.get(what)
            if seen is not None and now - seen.since < REPEAT_SECONDS:
                seen.more += 1
                return False
            self._seen[what] = _Repeated(now)
            return True

    def ended(self, now: float | None) -> Iterator[tuple[tuple[str, ...], int]]:
        """The lines whose minute is over, or all, with the number of repeats that were not written."""
        with self._lock:
            over = [
                (what, seen)
                for what, seen in self._seen.items()
                if now is None or now - seen.since >= REPEAT_SECONDS
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
    """Drop a line that was written within the last minute, and count it."""
    now = time.monotonic()
    log_repeats(now)
    if level in {"info", "debug"}:
        return line
    if not repeats.is_new((str(line["event"]), level, _kind_of(line), *_distinguishing(line)), now):
        raise structlog.DropEvent
    return line


def log_repeats(now: float | None = None) -> None:
    """Log how often lines were repeated: those whose minute is over, or without `now` all, as when a process ends."""
    for (event, level, kind, *_more), more in repeats.ended(now):
        _write_line({"event": event, "level": level, "of": kind, "repeated": more})


def _distinguishing(line: Line) -> Iterator[str]:
    return (str(line.get(name, "")) for name in DISTINGUISHED_BY)


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
    """The traceback as text: files, lines and messages, without what PostgreSQL quotes from the rows."""
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
    """Records of libraries, and Python warnings."""

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
    """Writes to the current standard error, a line at a time."""

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
    """Logs the start and the end of a web process or worker."""
    install_hooks()
    log, began = structlog.get_logger(), time.monotonic()
    log.info("process.started", kind=kind, pid=os.getpid(), version=VERSION, **facts)
    try:
        yield
    finally:
        log_repeats()
        log.info("process.stopped", kind=kind, pid=os.getpid(), seconds=round(time.monotonic() - began, 1))
