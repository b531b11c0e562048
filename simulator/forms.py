"""A multipart parser that streams files.

Werkzeug's parser compiles two patterns per boundary, which would dominate the cost of a small upload here; benchmarks
against this server are meant to measure the client.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from werkzeug.datastructures import FileStorage, Headers
from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

PIECE = 1 << 16
FILE_PARTS = ("file", "myFile")


class FormReader(FormDataParser):
    """Parses multipart forms and leaves others to Werkzeug. An incomplete form is empty.

    A part without a file name is text; if `lenient`, the parts that hold the content are files even then.
    """

    lenient = False

    def parse(
        self, stream: Any, mimetype: str, content_length: int | None, options: dict[str, str] | None = None
    ) -> Any:
        boundary = (options or {}).get("boundary", "")
        if mimetype != "multipart/form-data" or not boundary:
            return super().parse(stream, mimetype, content_length, options)
        form: list[tuple[str, str]] = []
        files: list[tuple[str, FileStorage]] = []
        try:
            for headers, pieces in _parts(stream, boundary.encode("ascii")):
                _, said = parse_options_header(headers["content-disposition"])
                name, file_name = said["name"], said.get("filename")
                if file_name is None and self.lenient and name in FILE_PARTS:
                    file_name = ""
                if file_name is None:
                    form.append((name, b"".join(pieces).decode(errors="replace")))
                else:
                    files.append((name, self._file(name, file_name, headers, pieces)))
        except (ValueError, KeyError):
            return stream, self.cls(), self.cls()
        return stream, self.cls(form), self.cls(files)

    def _file(
        self, name: str, file_name: str, headers: dict[str, str], pieces: Iterator[bytes]
    ) -> FileStorage:
        container = self.stream_factory(None, headers.get("content-type"), file_name, None)
        for piece in pieces:
            container.write(piece)
        container.seek(0)
        return FileStorage(container, file_name, name, headers=Headers(list(headers.items())))


def _parts(stream: Any, boundary: bytes) -> Iterator[tuple[dict[str, str], Iterator[bytes]]]:
    """Each part's headers, with lower-case names, and its bytes, which must be read before the next part."""
    reader, mark = _Reader(stream), b"\r\n--" + boundary
    for _ in reader.until(mark):
        continue
    while not reader.ends():
        reader.line()
        headers = {}
        while line := reader.line():
            name, _, value = line.decode().partition(":")
            headers[name.strip().lower()] = value.strip()
        yield headers, reader.until(mark)


class _Reader:
    """A stream that is read up to a delimiter."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._held = bytearray(b"\r\n")  # so that the first boundary is like the others

    def until(self, mark: bytes) -> Iterator[bytes]:
        """The bytes before the delimiter, in pieces. The delimiter itself is consumed."""
        while (position := self._held.find(mark)) < 0:
            if (sure := len(self._held) - len(mark) + 1) > 0:
                yield bytes(self._held[:sure])
                del self._held[:sure]
            self._more()
        yield bytes(self._held[:position])
        del self._held[: position + len(mark)]

    def line(self) -> bytes:
        return b"".join(self.until(b"\r\n"))

    def ends(self) -> bool:
        """Whether the boundary just read was the last."""
        while len(self._held) < 2:
            self._more()
        return self._held.startswith(b"--")

    def _more(self) -> None:
        piece = self._stream.read(PIECE)
        if not piece:
            raise ValueError("The form ends early.")
        self._held += piece
