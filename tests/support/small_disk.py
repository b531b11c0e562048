"""A disk that reports a small size: its free space is the size less the blocks that the folder really uses."""

from __future__ import annotations

from collections import namedtuple
from pathlib import Path

import pytest

Usage = namedtuple("Usage", "total used free")
BLOCK = 512


class SmallDisk:
    """`size` may be changed while it is used. A file with two names is counted once."""

    def __init__(self, folder: Path, size: int) -> None:
        self.folder = folder
        self.size = size

    @property
    def used(self) -> int:
        files = [path.stat() for path in self.folder.rglob("*") if path.is_file()]
        return sum({each.st_ino: each.st_blocks * BLOCK for each in files}.values())

    def usage(self, _folder: object) -> Usage:
        used = self.used
        return Usage(self.size, used, max(0, self.size - used))


def make_small_disk(monkeypatch: pytest.MonkeyPatch, folder: Path, size: int) -> SmallDisk:
    disk = SmallDisk(folder, size)
    monkeypatch.setattr("storage.space.shutil.disk_usage", disk.usage)
    return disk
