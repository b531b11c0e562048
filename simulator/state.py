"""What one practice server consists of, handed to every part of it."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from simulator.faults import FaultBook
from simulator.keeper import Keeper
from simulator.settings import Settings
from simulator.tokens import Tokens
from simulator.world import World


@dataclass(frozen=True)
class Request:
    """One call as it was seen at the door. Status 0: no answer was sent."""

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


@dataclass
class Entry:
    """A call under way; `Request` is its finished look."""

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

    def seen(self) -> Request:
        return Request(
            self.method,
            self.path,
            self.query,
            self.status,
            self.user,
            self.at,
            self.seconds,
            self.bytes_in,
            self.bytes_out,
            self.faults,
        )


@dataclass
class State:
    world: World
    settings: Settings
    faults: FaultBook
    tokens: Tokens
    keeper: Keeper
    files: Path
    control_token: str = ""
    quiet: bool = False
    stopping: threading.Event = field(default_factory=threading.Event)
    log: deque[Entry] = field(default_factory=lambda: deque(maxlen=100_000))

    @property
    def requests(self) -> list[Request]:
        """Every call so far, in the order of arrival."""
        return [entry.seen() for entry in list(self.log)]
