"""Uploads: a multipart body of known length, streamed in blocks and never held whole in memory."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Protocol

from .errors import SourceFailedError
from .upload_hashing import BLOCK, running_hash


class Content(Protocol):
    """Bytes that are read once. If they are in a local file, an attribute `file` is that file, open."""

    def readinto(self, buffer: memoryview, /) -> int: ...


@dataclass(frozen=True)
class Upload:
    """What to store. `open` gives the content once; its `sha256` and `size` are verified while sending.

    `profile`: further fields of a new document. `require_not_stopped` is called before each block: what it raises ends
    the upload, and nothing is stored.
    """

    name: str
    extension: str
    size: int
    sha256: str
    open: Callable[[], AbstractContextManager[Content]] | Content
    comment: str | None = None
    profile: Mapping[str, str] = field(default_factory=dict)
    keep_locked: bool = False
    on_progress: Callable[[int], None] | None = None
    require_not_stopped: Callable[[], None] | None = None

    @property
    def file_name(self) -> str:
        """The name with its extension."""
        return f"{self.name}.{self.extension}" if self.extension else self.name

    def opened(self) -> AbstractContextManager[Content]:
        """The content, to be read once."""
        return self.open() if callable(self.open) else nullcontext(self.open)


class Multipart:
    """The parts `profile` and `file` as a sized iterable, for one request.

    The last bytes are held back until size and SHA-256 are verified: a server cannot store an incomplete body, so a
    source that changed meanwhile never becomes a document.
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
            f'Content-Disposition: form-data; name="file"; filename="{escape_filename(upload.file_name)}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode()
        self._suffix = f"\r\n--{boundary}--\r\n".encode()

    def __len__(self) -> int:
        return len(self._prefix) + self._upload.size + len(self._suffix)

    def __iter__(self) -> Iterator[bytes | memoryview]:
        """The body in blocks. A block is valid until the next is requested."""
        upload = self._upload
        self.started = True
        if upload.size <= BLOCK:
            yield self._whole_body()
            if upload.on_progress is not None:
                upload.on_progress(upload.size)
            return
        sent = 0
        with _content(upload) as content, running_hash(getattr(content, "file", None)) as digest:
            for block in _blocks(content):
                if upload.require_not_stopped is not None:
                    upload.require_not_stopped()
                sent += len(block)
                if sent > upload.size:
                    raise SourceFailedError
                digest.update(block)
                # The prefix is sent with the first block. If it arrives with the request's head, the rest of the body
                # is no longer page-aligned in the server's buffer, which can double the time of its writes.
                yield self._prefix + block if sent == len(block) else block
                if upload.on_progress is not None:
                    upload.on_progress(sent)
            if sent != upload.size or digest.sha256() != upload.sha256.lower():
                raise SourceFailedError
        yield self._suffix

    def _whole_body(self) -> memoryview:
        """The whole body in one buffer: for small documents the number of sends dominates."""
        upload, start = self._upload, len(self._prefix)
        body = memoryview(bytearray(len(self)))
        body[:start] = self._prefix
        if upload.require_not_stopped is not None:
            upload.require_not_stopped()
        with _content(upload) as content:
            # One byte more than announced, to notice content that is too long.
            filled = _fill(content, body[start : start + upload.size + 1])
        if len(filled) != upload.size or hashlib.sha256(filled).hexdigest() != upload.sha256.lower():
            raise SourceFailedError
        body[start + upload.size :] = self._suffix
        return body


def escape_filename(name: str) -> str:
    """A file name for a part's header, escaped as browsers do (RFC 7578): quotes and control characters removed."""
    plain = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A").replace("\\", "_")
    kept = "".join(character if character.isprintable() else "_" for character in plain)
    return kept.encode("utf-8", "replace").decode()


@contextmanager
def _content(upload: Upload) -> Iterator[Content]:
    with _source_errors(), upload.opened() as content:
        yield content


def _blocks(content: Content) -> Iterator[memoryview]:
    """Blocks in two alternating buffers: each remains valid until the next but one is requested."""
    buffers = deque(memoryview(bytearray(BLOCK)) for _ in range(2))
    while block := _fill(content, buffers[0]):
        yield block
        buffers.rotate()


def _fill(content: Content, buffer: memoryview) -> memoryview:
    filled = 0
    with _source_errors():
        while filled < len(buffer) and (count := content.readinto(buffer[filled:])):
            filled += count
    return buffer[:filled]


@contextmanager
def _source_errors() -> Iterator[None]:
    """Keep an OSError of the local disk apart from connection faults."""
    try:
        yield
    except OSError as error:
        raise SourceFailedError(retry="later") from error
