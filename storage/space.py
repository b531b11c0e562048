"""Room on a disk, set aside for a file before its first byte is there."""

import ctypes
import errno
import os
import shutil
from pathlib import Path

from storage.errors import StorageFullError, disk_errors

KEPT_FREE = 64 << 20
KEPT_PART = 50
"""The database may lie on the same disk: of a small one a fiftieth stays free, of a large one 64 MiB."""
_BLOCK = 512
_KEEP_SIZE = 1
_CANNOT = frozenset({errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL})
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_libc = ctypes.CDLL(None, use_errno=True)


def reserve(folder: Path, descriptor: int, size: int) -> None:
    """Set room aside so that the open file can grow to `size` bytes; its size stays. StorageFullError where there
    is none.

    The file system keeps the room for as long as the file is there, whichever process holds it. One that sets nothing
    aside (NFS, say) is asked how much is free.
    """
    with disk_errors():
        there = os.fstat(descriptor)
        missing = size - max(there.st_size, there.st_blocks * _BLOCK)
        if missing <= 0:
            return
        usage = shutil.disk_usage(folder)
        if missing > usage.free - min(KEPT_FREE, usage.total // KEPT_PART):
            raise StorageFullError
        _allocate(descriptor, there.st_size, size - there.st_size)


def _allocate(descriptor: int, start: int, length: int) -> None:
    """fallocate(2): what posix_fallocate cannot do is to leave the size alone, by which we know what has come."""
    outcome = _libc.fallocate(
        ctypes.c_int(descriptor), ctypes.c_int(_KEEP_SIZE), ctypes.c_int64(start), ctypes.c_int64(length)
    )
    number = ctypes.get_errno() if outcome else 0
    if number in _NO_ROOM:
        raise StorageFullError
    if number and number not in _CANNOT:
        raise OSError(number, os.strerror(number))
