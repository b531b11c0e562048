"""Processes of this machine, read from /proc."""

from __future__ import annotations

from pathlib import Path


def is_alive(pid: int) -> bool:
    """Whether it runs: one that has ended and waits for its parent to notice does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def process_list(root: int) -> dict[int, tuple[bytes, bytes]]:
    """Command line and environment of a process and all its descendants."""
    parents = {
        int(path.name): int((path / "stat").read_text().rpartition(")")[2].split()[1])
        for path in Path("/proc").iterdir()
        if path.name.isdecimal() and (path / "stat").exists()
    }
    family = {root}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    return {
        each: (Path(f"/proc/{each}/cmdline").read_bytes(), Path(f"/proc/{each}/environ").read_bytes())
        for each in family
    }
