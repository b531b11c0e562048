"""A file on its way to iManage: a multipart body of known length, made block by block and never held whole."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

from .errors import SourceFailedError, StoppedError
from .proofs import BLOCK, proof_of


class Content(Protocol):
    """Bytes to be read once. Where they lie in a file on this machine, a `file` of theirs is that, open."""

    def readinto(self, room: memoryview, /) -> int: ...


@dataclass(frozen=True)
class Upload:
    """What to store. `open` gives the bytes once; `sha256` and `size` are theirs and are checked while sending."""

    name: str
    extension: str
    size: int
    sha256: str
    open: Callable[[], AbstractContextManager[Content]] | Content
    comment: str | None = None
    keep_locked: bool = False
    on_progress: Callable[[int], None] | None = None
    should_stop: Callable[[], bool] | None = None

    @property
    def file_name(self) -> str:
        """The name with its extension."""
        return f"{self.name}.{self.extension}" if self.extension else self.name

    def opened(self) -> AbstractContextManager[Content]:
        """The content, to be read once."""
        return self.open() if callable(self.open) else nullcontext(self.open)


class Multipart:
    """The two parts that iManage wants, `profile` and `file`, as a sized iterable for one sending.

    The last bytes are held back until size and SHA-256 are known to be right: a body that breaks off early cannot
    be stored, so a source that changed under our hands never becomes a document.
    """

    def __init__(self, profile: Mapping[str, Any], upload: Upload) -> None:
        boundary = f"counterpart-{secrets.token_hex(16)}"
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self.started = False
        self._upload = upload
        self._prefix = (
            f"--{boundary}\r\n"
            'Content-Disposition: form-data; name="profile"\r\n'
            "Content-Type: application/json\r\n\r\n"
            f"{json.dumps(profile)}\r\n"
            f"--{boundary}\r\n"
            f'Content-Disposition: form-data; name="file"; filename="{escaped(upload.file_name)}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode()
        self._suffix = f"\r\n--{boundary}--\r\n".encode()

    def __len__(self) -> int:
        return len(self._prefix) + self._upload.size + len(self._suffix)

    def __iter__(self) -> Iterator[bytes | memoryview]:
        """The body, block by block. A block is good until the next is asked for."""
        upload = self._upload
        self.started = True
        if upload.size <= BLOCK:
            yield self._in_one_piece()
            if upload.on_progress is not None:
                upload.on_progress(upload.size)
            return
        sent = 0
        with _content(upload) as content, proof_of(getattr(content, "file", None)) as proof:
            for block in _blocks(content):
                if upload.should_stop is not None and upload.should_stop():
                    raise StoppedError
                sent += len(block)
                if sent > upload.size:
                    raise SourceFailedError
                proof.note(block)
                # The heading leaves with the first bytes of the file. A server that finds it beside the request's head
                # writes all that follows off its pages, which can cost it twice the time.
                yield self._prefix + block if sent == len(block) else block
                if upload.on_progress is not None:
                    upload.on_progress(sent)
            if sent != upload.size or proof.sha256() != upload.sha256.lower():
                raise SourceFailedError
        yield self._suffix

    def _in_one_piece(self) -> memoryview:
        """The whole body: each piece costs its way to the line, and of many small documents that is the most."""
        upload, start = self._upload, len(self._prefix)
        body = memoryview(bytearray(len(self)))
        body[:start] = self._prefix
        if upload.should_stop is not None and upload.should_stop():
            raise StoppedError
        with _content(upload) as content:
            # One byte more than was announced would show that there is more.
            filled = _filled(content, body[start : start + upload.size + 1])
        if len(filled) != upload.size or hashlib.sha256(filled).hexdigest() != upload.sha256.lower():
            raise SourceFailedError
        body[start + upload.size :] = self._suffix
        return body


def escaped(name: str) -> str:
    """A file name for a part's header, as browsers write it (RFC 7578): no quote and no control can get out."""
    plain = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A").replace("\\", "_")
    kept = "".join(sign if sign.isprintable() else "_" for sign in plain)
    return kept.encode("utf-8", "replace").decode()


@contextmanager
def _content(upload: Upload) -> Iterator[Content]:
    with _own_faults(), upload.opened() as content:
        yield content


def _blocks(content: Content) -> Iterator[memoryview]:
    """In two rooms by turns, so that a block is there until the next but one is asked for."""
    rooms = deque(memoryview(bytearray(BLOCK)) for _ in range(2))
    while block := _filled(content, rooms[0]):
        yield block
        rooms.rotate()


def _filled(content: Content, room: memoryview) -> memoryview:
    filled = 0
    with _own_faults():
        while filled < len(room) and (came := content.readinto(room[filled:])):
            filled += came
    return room[:filled]


@contextmanager
def _own_faults() -> Iterator[None]:
    """Our own disk's OSError must not look like a fault of the line."""
    try:
        yield
    except OSError as error:
        raise SourceFailedError(retry="later") from error
