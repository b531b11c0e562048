"""Several people at the same time, each with their own database session."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from flask import Flask

T = TypeVar("T")


def at_once(app: Flask, *acts: Callable[[], T]) -> list[T | Exception]:
    """Run the functions at the same time; what each returned or raised."""
    start = Barrier(len(acts))

    def run(act: Callable[[], T]) -> T | Exception:
        with app.app_context():
            start.wait()
            try:
                return act()
            except Exception as error:
                return error

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))
