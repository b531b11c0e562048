"""Storage errors: each has a code, whose words are in services/guidance, and a retry policy."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

Retry = Literal["later", "no", "space"]
"""`space`: retry without limit, until space has been freed."""

_OUT_OF_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class StorageError(Exception):
    """The base class. The cause is chained for the log."""

    code = "storage.failed"
    retry: Retry = "later"
    wait_seconds: float | None = None

    def __str__(self) -> str:
        return self.code


class StorageFullError(StorageError):
    """The disk is full, or a quota is used up. The work resumes when space has been freed."""

    code = "storage.full"
    retry: Retry = "space"


class StorageFailedError(StorageError):
    """The disk or the object store failed, perhaps temporarily."""


class BlobMissingError(StorageError):
    """There is no such blob."""

    code = "storage.missing"
    retry: Retry = "no"


class BlobDamagedError(StorageError):
    """The content of a blob does not match its address."""

    code = "storage.damaged"
    retry: Retry = "no"


class PartialBusyError(StorageError):
    """Another process is writing the same partial file."""

    code = "storage.busy"


@contextmanager
def disk_errors() -> Iterator[None]:
    """Translate OSError into StorageFullError or StorageFailedError."""
    try:
        yield
    except OSError as error:
        if error.errno in _OUT_OF_SPACE:
            raise StorageFullError from error
        raise StorageFailedError from error
