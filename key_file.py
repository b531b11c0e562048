"""The file with this installation's keys: one per line, newest first, readable only by its owner.

Written atomically: to a temporary name, flushed, then renamed.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

NAME = "secret.keys"
SHORTEST_KEY = 32


class KeyFileError(Exception):
    """The file cannot be used; the message says why and what to do, and contains no key."""


def new_key() -> str:
    return secrets.token_urlsafe(48)


def read(path: Path) -> tuple[str, ...]:
    """The keys, newest first. Raises KeyFileError if the file is missing or has none."""
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        raise KeyFileError(f"{path} does not exist.") from None
    except OSError as error:
        raise KeyFileError(f"{path} cannot be read: {error.strerror}. {_GIVE_IT}") from None
    except UnicodeDecodeError:
        raise KeyFileError(f"{path} is not a key file. {_RESTORE}") from None
    keys = tuple(line.strip() for line in lines if line.strip())
    if not keys:
        raise KeyFileError(f"{path} is empty. {_RESTORE}")
    if any(len(key) < SHORTEST_KEY for key in keys):
        raise KeyFileError(f"{path} has a key with fewer than {SHORTEST_KEY} characters. {_RESTORE}")
    return keys


def read_or_make(path: Path) -> tuple[str, ...]:
    """The keys; the file is created if missing. If several processes start at once, one creates it and all read it."""
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
            raise KeyFileError(f"{path} cannot be created: {error.strerror}. {_GIVE_IT}") from None
    return read(path)


def replace(path: Path, keys: tuple[str, ...]) -> None:
    """Replace the keys. Raises KeyFileError."""
    try:
        _draft(path, keys).replace(path)
        _flush_folder(path.parent)
    except OSError as error:
        raise KeyFileError(f"{path} cannot be written: {error.strerror}. {_GIVE_IT}") from None


_GIVE_IT = "Make the user that runs Counterpart the owner of its folder."
_RESTORE = (
    "Restore it from a backup. If there is none, delete the file: a new one is created, and every iManage sign-in and "
    "every Client Secret has to be entered again."
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
