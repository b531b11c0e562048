"""Reserves disk space for a file before its first byte is written."""

import ctypes
import errno
import os
import shutil
from pathlib import Path

from storage.errors import StorageFullError, disk_errors

MIN_FREE = 64 << 20
MIN_FREE_FRACTION = 50
"""The database may be on the same disk: the smaller of 64 MiB and a fiftieth of the disk stays free."""
_BLOCK = 512
_KEEP_SIZE = 1
_NOT_SUPPORTED = frozenset({errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL})
_OUT_OF_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_libc = ctypes.CDLL(None, use_errno=True)


def reserve(folder: Path, descriptor: int, size: int) -> None:
    """Reserve space for the open file to grow to `size` bytes, without changing its size. Raises StorageFullError.

    The file system keeps the reservation for as long as the file exists. On one without reservations, such as NFS, only
    the free space is checked.
    """
    with disk_errors():
        there = os.fstat(descriptor)
        missing = size - max(there.st_size, there.st_blocks * _BLOCK)
        if missing <= 0:
            return
        usage = shutil.disk_usage(folder)
        if missing > usage.free - min(MIN_FREE, usage.total // MIN_FREE_FRACTION):
            raise StorageFullError
        _allocate(descriptor, there.st_size, size - there.st_size)


def _allocate(descriptor: int, start: int, length: int) -> None:
    """fallocate(2) with FALLOC_FL_KEEP_SIZE: posix_fallocate would change the size, by which we resume."""
    outcome = _libc.fallocate(
        ctypes.c_int(descriptor), ctypes.c_int(_KEEP_SIZE), ctypes.c_int64(start), ctypes.c_int64(length)
    )
    number = ctypes.get_errno() if outcome else 0
    if number in _OUT_OF_SPACE:
        raise StorageFullError
    if number and number not in _NOT_SUPPORTED:
        raise OSError(number, os.strerror(number))
