"""What can go wrong with the bytes: each has a code, a sentence for the person, and whether to try again."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

Retry = Literal["later", "no", "room"]
"""`room`: for as long as it takes; somebody or something else makes room."""

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class StorageError(Exception):
    """The base of all of them. The sentence is fit to be shown; the cause is chained for the log."""

    code = "storage.failed"
    sentence = "The document store cannot be used at the moment."
    next_step = "Try again. If it happens again, tell your System Admin."
    retry: Retry = "later"
    wait_seconds: float | None = None

    def __init__(self, sentence: str | None = None) -> None:
        if sentence is not None:
            self.sentence = sentence
        super().__init__(self.sentence)


class StorageFullError(StorageError):
    """No room, or a quota is used up. Somebody has to make room; then the same work goes on."""

    code = "storage.full"
    sentence = "There is no room for this file in the document store. Ask your System Admin to make room."
    next_step = "A transfer waits, and goes on by itself when there is room."
    retry: Retry = "room"


class StorageFailedError(StorageError):
    """The disk or the object store refused, for a reason that may pass."""


class BlobMissingError(StorageError):
    """No such blob."""

    code = "storage.missing"
    sentence = "The file is not in the document store. Ask your System Admin to restore it from a backup."
    next_step = "Try again when it has been restored."
    retry: Retry = "no"


class BlobDamagedError(StorageError):
    """The bytes under an address are not the bytes it promises."""

    code = "storage.damaged"
    sentence = (
        "The file in the document store has been damaged. Ask your System Admin to restore it from a backup."
    )
    next_step = "Try again when it has been restored."
    retry: Retry = "no"


class PartialBusyError(StorageError):
    """Another process is writing the same partial at this moment."""

    code = "storage.busy"
    sentence = "This file is being copied already."


@contextmanager
def disk_errors() -> Iterator[None]:
    """Turn what the operating system says into our two words for it."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise StorageFullError from error
        raise StorageFailedError from error
