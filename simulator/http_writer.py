"""Writes responses to the connection and applies the faults that interrupt, stall or slow them."""

from __future__ import annotations

import socket
from collections.abc import Iterator

from simulator.faults import CallFaults, Fault
from simulator.responses import Answer
from simulator.state import Entry, State


class BrokenError(Exception):
    """The connection is to be ended by a fault; `how` is reset or close."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how or "reset"


class ResponseWriter:
    """Writes one response, joining small pieces, and interrupts, stalls or slows it if a fault says so."""

    def __init__(
        self,
        connection: socket.socket,
        state: State,
        call_faults: CallFaults,
        entry: Entry | None,
        answer: Answer,
    ) -> None:
        self.connection, self.state, self.entry, self.answer = connection, state, entry, answer
        self.length = answer.length
        self.headless, self.slow_head = call_faults.get("cut_headers"), call_faults.get("trickle_headers")
        self.positions = sorted(
            (fault.position(self.length), fault.kind, fault)
            for fault in (call_faults.get("cut"), call_faults.get("stall"), call_faults.get("trickle"))
            if fault
        )
        self.slow: Fault | None = None
        self.waiting: list[bytes] = []
        self.sent = 0

    def head(self, top: bytes) -> None:
        if fault := self.headless:
            self.connection.sendall(top[: max(12, len(top) // 2)])
            raise BrokenError(fault.how)
        if fault := self.slow_head:
            for piece, pause in _steps(top, fault.rate):
                self.connection.sendall(piece)
                self._pause(pause)
            return
        self.waiting.append(top)

    def block(self, data: bytes) -> None:
        while self.positions and self.positions[0][0] <= self.sent + len(data):
            position, kind, fault = self.positions.pop(0)
            if kind == "trickle":
                position = fault.at or 0
            here = max(0, position - self.sent)
            self._body(data[:here])
            data = data[here:]
            self.flush()
            if kind == "cut":
                raise BrokenError(fault.how)
            if kind == "stall":
                self.state.stopping.wait(fault.seconds)
            else:
                self.slow = fault
        self._body(data)

    def end(self) -> None:
        if self.answer.chunked and self.answer.last_chunk:
            self.waiting.append(b"0\r\n\r\n")
        if self.answer.extra:
            self.waiting.append(self.answer.extra)
        if self.positions and self.positions[0][1] == "cut":
            self.flush()
            raise BrokenError(self.positions[0][2].how)

    def flush(self) -> None:
        if self.waiting:
            self.connection.sendall(b"".join(self.waiting))
            self.waiting.clear()

    def _body(self, data: bytes) -> None:
        if not data:
            return
        self.sent += len(data)
        if self.entry:
            self.entry.bytes_out = self.sent
        if self.slow:
            self._trickle(data, self.slow.rate)
            return
        self.waiting += [b"%x\r\n" % len(data), data, b"\r\n"] if self.answer.chunked else [data]
        if sum(map(len, self.waiting)) > 1 << 16:
            self.flush()

    def _trickle(self, data: bytes, rate: int) -> None:
        for piece, pause in _steps(data, rate):
            self.waiting += [b"%x\r\n" % len(piece), piece, b"\r\n"] if self.answer.chunked else [piece]
            self.flush()
            self._pause(pause)

    def _pause(self, seconds: float) -> None:
        if self.state.stopping.wait(seconds):
            raise BrokenError("reset")


def _steps(data: bytes, rate: int) -> Iterator[tuple[bytes, float]]:
    """The data in small pieces, each with the seconds to wait after it."""
    step = max(1, rate // 10)
    for start in range(0, len(data), step):
        piece = data[start : start + step]
        yield piece, len(piece) / rate
