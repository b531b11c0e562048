"""Scans every incoming file for viruses before it is published, if a scanner is configured.

Infected files are discarded. Without a clear reply nothing is accepted: an upload is refused, a get waits.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any, Protocol

import structlog

from copying.errors import RejectedError, TransferError
from services.core import audit
from services.core.actor import Who
from services.core.runtime import runtime
from services.core.unit_of_work import release, unit_of_work
from services.scanning.scanners import ScannerUnavailableError, TooLargeToScanError, scan

log = structlog.get_logger()


class IncomingFile(Protocol):
    """A complete file that is not yet published."""

    @property
    def size(self) -> int: ...

    @property
    def sha256(self) -> str: ...

    def pieces(self) -> Iterable[bytes]: ...


class InfectedFileError(RejectedError):
    """The scanner found something. The file is discarded."""

    code = "scan.infected"

    def __init__(self, found: str) -> None:
        self.found = found
        super().__init__(found)


class NotScannedError(TransferError):
    """The scanner gave no clear reply. The file is kept, unpublished, for the next attempt."""

    code = "scan.away"
    retry = "space"


class TooLargeError(RejectedError):
    """The scanner does not accept files of this size."""

    code = "scan.too_large"


def inspect(who: Who, file: IncomingFile, name: str, matter_id: uuid.UUID, **more: Any) -> None:
    """Scan a file; no transaction is open meanwhile. Raises InfectedFileError, TooLargeError or NotScannedError."""
    url = runtime().settings.scan
    if not url:
        return
    release()
    try:
        found = scan(url, file.pieces(), file.size)
    except TooLargeToScanError as error:
        _audit(who, file, name, matter_id, "file.not_scanned", reason="too large", **more)
        raise TooLargeError from error
    except ScannerUnavailableError as error:
        log.warning("scan.unavailable", reason=str(error))
        raise NotScannedError from error
    if found is not None:
        _audit(who, file, name, matter_id, "file.infected", found=found, **more)
        raise InfectedFileError(found)


def _audit(who: Who, file: IncomingFile, name: str, matter_id: uuid.UUID, action: str, **more: Any) -> None:
    with unit_of_work():
        audit.record(
            who,
            action,
            name,
            matter_id=matter_id,
            outcome="refused",
            size=file.size,
            sha256=file.sha256,
            **more,
        )
