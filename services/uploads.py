"""Bytes that somebody sends: copied into the store piece by piece, with no transaction open while they travel."""

from __future__ import annotations

from typing import IO

from services.errors import Invalid, Refusal
from services.house import house
from services.unit import session
from storage import CHUNK, Blob, StorageError

EMPTY = "This file is empty, so it was not added."


def receive(stream: IO[bytes], field: str = "file") -> Blob:
    """Publish the stream's bytes under their SHA-256. Empty and oversized files are refused at `field`."""
    session().rollback()
    largest = house().settings.max_document_bytes
    try:
        with house().blobs.writer() as writer:
            while piece := stream.read(CHUNK):
                writer.write(piece)
                if writer.size > largest:
                    raise Invalid(
                        {field: f"This file is larger than {_in_words(largest)}, the most we take."}
                    )
            if not writer.size:
                raise Invalid({field: EMPTY})
            return writer.publish()
    except StorageError as error:
        raise store_refusal(error) from error


def store_refusal(error: StorageError) -> Refusal:
    """What the store said, as a refusal: its sentence already names the next step."""
    return Refusal(error.sentence, code=error.code, whose="your System Admin")


def _in_words(size: int) -> str:
    return f"{size / 1024**3:.3g} GiB" if size >= 1024**3 else f"{size / 1024**2:.3g} MiB"
