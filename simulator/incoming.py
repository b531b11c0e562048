"""Uploads in progress: streamed to disk under a temporary name and hashed meanwhile."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

from flask import Request
from werkzeug.formparser import FormDataParser

from simulator.contents import OnDisk
from simulator.forms import FormReader
from simulator.settings import Settings


class Incoming:
    """A file-like object for the form parser, deleted on close unless published."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / f"incoming-{secrets.token_hex(12)}"
        self._file: IO[bytes] = self.path.open("w+b")
        self._digest = hashlib.sha256()
        self.length = 0
        self.published = False

    def write(self, data: bytes) -> int:
        self._digest.update(data)
        self.length += len(data)
        return self._file.write(data)

    def seek(self, position: int, whence: int = 0) -> int:
        return self._file.seek(position, whence)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)

    def readline(self, size: int = -1) -> bytes:
        return self._file.readline(size)

    def __iter__(self) -> Iterable[bytes]:
        return iter(self._file)

    def publish(self) -> OnDisk:
        """Give the file its permanent name, for use by a version.

        It survives a killed server but, like the row that refers to it, not necessarily a power cut.
        """
        self._file.flush()
        lasting = self.path.with_name(f"file-{secrets.token_hex(12)}")
        self.path.rename(lasting)
        self.published = True
        return OnDisk(lasting, self.length, self._digest.hexdigest())

    def close(self) -> None:
        self._file.close()
        if not self.published:
            self.path.unlink(missing_ok=True)


class UploadRequest(Request):
    """A request whose files are streamed to the practice server's folder."""

    files_folder: Path
    settings: Settings
    form_data_parser_class = FormReader

    def make_form_data_parser(self) -> FormDataParser:
        parser = super().make_form_data_parser()
        if isinstance(parser, FormReader):
            parser.lenient = self.settings.lenient
        return parser

    def _get_file_stream(self, *_args: Any, **_named: Any) -> Any:
        stream = Incoming(self.files_folder)
        self.environ.setdefault("simulator.incoming", []).append(stream)
        return stream


def discard(environ: dict[str, Any]) -> None:
    """Delete what was uploaded and not published, also after an aborted upload."""
    for stream in environ.get("simulator.incoming", ()):
        stream.close()
