"""The parts of a cell of the fault matrix."""

from __future__ import annotations

from dataclasses import dataclass

GET, NEW_DOCUMENT, NEW_VERSION = "get", "new_document", "new_version"
KINDS = (GET, NEW_DOCUMENT, NEW_VERSION)
SAVES = (NEW_DOCUMENT, NEW_VERSION)
GETS = (GET,)
STEPS, PROCESS, WORKER = "steps", "process", "worker"
"""Run in the test's thread; in a child process that is killed or starved; by a real worker."""

NO_UPLOAD = "a get sends no bytes"
NO_DOWNLOAD = "a save downloads no bytes"


@dataclass(frozen=True)
class Scenario:
    """One way to inject a fault. `besides` says why the other kinds are left out."""

    fault: int
    name: str
    says: str
    family: str
    kinds: tuple[str, ...] = KINDS
    besides: str = ""
    on: str = STEPS
    counts: tuple[str, ...] = ("one", "many")
    database: str = "both"


@dataclass(frozen=True)
class Cell:
    """One cell of the table."""

    scenario: Scenario
    kind: str
    is_many: bool

    @property
    def count(self) -> str:
        return "many" if self.is_many else "one"

    @property
    def is_quick(self) -> bool:
        """Whether it runs in `make test`: if loss or duplication is possible, and one document shows it."""
        return not self.is_many and (self.scenario.fault == 27 or self.scenario.name in QUICK)

    @property
    def id(self) -> str:
        return f"{self.scenario.fault}-{self.scenario.name}-{self.kind}-{self.count}"


QUICK = frozenset(
    {
        "name-rebound",
        "refused",
        "tls-unknown-authority",
        "answer-reset-at-50",
        "upload-reset-at-50",
        "upload-reset-at-end",
        "early-close",
        "proxy-page-on-content",
        "answer-lost",
        "answer-lost-unseen",
        "request-lost",
        "changed-byte-down",
        "changed-byte-up",
        "401-live",
        "wall",
        "checked-out",
        "conflict-on-content",
        "throttled-reset",
        "500",
        "grew-before",
        "grew-between",
        "same-bytes-by-another",
        "no-checksum-answer-lost",
        "same-name",
        "folder-deleted",
        "revoked",
        "idles-out",
        "rotated-and-lost",
        "told-to-stop",
        "two-claim",
        "fenced",
        "server-off",
        "cancel-race",
        "clock-forward-hour",
        "double-start",
        "restarted",
        "disk-full",
        "spool-changed",
        "store-deleted",
        "store-changed",
        "store-put-forgotten",
        "store-read-changed",
        "EIO-fsync-1",
        "EIO-link-1",
    }
)
