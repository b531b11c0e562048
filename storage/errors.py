"""Storage errors: each has a code, a sentence for the user and a retry policy."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

Retry = Literal["later", "no", "space"]
"""`space`: retry without limit, until space has been freed."""

_OUT_OF_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class StorageError(Exception):
    """The base class. The sentence can be shown to the user; the cause is chained for the log."""

    code = "storage.failed"
    sentence = "The document store is not available at the moment."
    next_step = "Try again. If it happens again, tell your System Admin."
    retry: Retry = "later"
    wait_seconds: float | None = None

    def __init__(self, sentence: str | None = None) -> None:
        if sentence is not None:
            self.sentence = sentence
        super().__init__(self.sentence)


class StorageFullError(StorageError):
    """The disk is full, or a quota is used up. The work resumes when space has been freed."""

    code = "storage.full"
    sentence = "The document store is full. Ask your System Admin to free some space."
    next_step = "Transfers wait, and resume automatically when there is space."
    retry: Retry = "space"


class StorageFailedError(StorageError):
    """The disk or the object store failed, perhaps temporarily."""


class BlobMissingError(StorageError):
    """There is no such blob."""

    code = "storage.missing"
    sentence = (
        "The file is missing from the document store. Ask your System Admin to restore it from a backup."
    )
    next_step = "Try again once it has been restored."
    retry: Retry = "no"


class BlobDamagedError(StorageError):
    """The content of a blob does not match its address."""

    code = "storage.damaged"
    sentence = "The file in the document store is damaged. Ask your System Admin to restore it from a backup."
    next_step = "Try again once it has been restored."
    retry: Retry = "no"


class PartialBusyError(StorageError):
    """Another process is writing the same partial file."""

    code = "storage.busy"
    sentence = "This file is already being copied."


@contextmanager
def disk_errors() -> Iterator[None]:
    """Translate OSError into StorageFullError or StorageFailedError."""
    try:
        yield
    except OSError as error:
        if error.errno in _OUT_OF_SPACE:
            raise StorageFullError from error
        raise StorageFailedError from error
