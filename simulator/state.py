"""The shared state of one practice server."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from simulator.faults import FaultRules
from simulator.settings import Settings
from simulator.store import Store
from simulator.tokens import Tokens
from simulator.world import World


@dataclass(frozen=True)
class Request:
    """One logged call. Status 0: no response was sent. `client` is the address that it came from."""

    method: str
    path: str
    query: str
    status: int
    user: str
    at: float
    seconds: float
    bytes_in: int
    bytes_out: int
    faults: tuple[str, ...]
    client: str


@dataclass
class Entry:
    """A call in progress, logged as a `Request`."""

    method: str
    path: str
    query: str
    user: str
    at: float = field(default_factory=time.time)
    status: int = 0
    seconds: float = 0.0
    bytes_in: int = 0
    bytes_out: int = 0
    faults: tuple[str, ...] = ()
    client: str = ""

    def finished(self) -> Request:
        return Request(**vars(self))


@dataclass
class State:
    world: World
    settings: Settings
    faults: FaultRules
    tokens: Tokens
    store: Store
    files: Path
    control_token: str = ""
    quiet: bool = False
    stopping: threading.Event = field(default_factory=threading.Event)
    log: deque[Entry] = field(default_factory=lambda: deque(maxlen=100_000))

    @property
    def requests(self) -> list[Request]:
        """All calls so far, in order of arrival."""
        return [entry.finished() for entry in list(self.log)]
