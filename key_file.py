"""The file with this installation's keys: one a line, newest first, readable by its owner alone.

It is always there whole or not at all: written under another name, flushed to the disk, and then given its own.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

NAME = "secret.keys"
SHORTEST_KEY = 32


class KeyFileError(Exception):
    """The file cannot serve; the message says why and what to do, and holds no key."""


def new_key() -> str:
    return secrets.token_urlsafe(48)


def read(path: Path) -> tuple[str, ...]:
    """The keys, newest first. Raises KeyFileError where the file is not there or holds none."""
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        raise KeyFileError(f"{path} is not there.") from None
    except OSError as error:
        raise KeyFileError(f"{path} cannot be read: {error.strerror}. {_GIVE_IT}") from None
    except UnicodeDecodeError:
        raise KeyFileError(f"{path} is not a file of keys. {_RESTORE}") from None
    keys = tuple(line.strip() for line in lines if line.strip())
    if not keys:
        raise KeyFileError(f"{path} is empty. {_RESTORE}")
    if any(len(key) < SHORTEST_KEY for key in keys):
        raise KeyFileError(f"{path} has a key of fewer than {SHORTEST_KEY} characters. {_RESTORE}")
    return keys


def read_or_make(path: Path) -> tuple[str, ...]:
    """The keys; made where there is no file. Of several processes that start together one makes it and all read it."""
    if not path.exists():
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft = _draft(path, (new_key(),))
            try:
                path.hardlink_to(draft)
            except FileExistsError:
                pass  # another process was first
            finally:
                draft.unlink()
            _flush_folder(path.parent)
        except OSError as error:
            raise KeyFileError(f"{path} cannot be made: {error.strerror}. {_GIVE_IT}") from None
    return read(path)


def replace(path: Path, keys: tuple[str, ...]) -> None:
    """Other keys in place of those that it holds, for whoever reads it from now on. Raises KeyFileError."""
    try:
        _draft(path, keys).replace(path)
        _flush_folder(path.parent)
    except OSError as error:
        raise KeyFileError(f"{path} cannot be written: {error.strerror}. {_GIVE_IT}") from None


_GIVE_IT = "Give its folder to the user that runs Counterpart."
_RESTORE = (
    "Put it back from your copy. If there is none, remove the file: a new one is made, and every sign-in to iManage "
    "and every Client Secret has to be entered anew."
)


def _draft(path: Path, keys: tuple[str, ...]) -> Path:
    draft = path.with_name(f".{path.name}-{os.getpid()}-{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write("".join(f"{key}\n" for key in keys))
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        draft.unlink()
        raise
    return draft


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
