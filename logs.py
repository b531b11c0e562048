"""Structured logs: one JSON object a line on standard error, newline-safe, and without the values of variables.

A traceback names files and lines only. Values could hold a token, and a log is read by more people than a vault.
"""

from __future__ import annotations

import logging
import sys

import structlog


def configure() -> None:
    """Once a process, by the composition root."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_names: _StandardError(),
        cache_logger_on_first_use=False,
    )


class _StandardError:
    """Writes to whatever standard error is now, a line at a time."""

    def msg(self, line: str) -> None:
        sys.stderr.write(line + "\n")

    log = debug = info = warning = error = critical = exception = failure = msg
