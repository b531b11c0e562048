"""Bytes that somebody sends: copied into the store piece by piece, with no transaction open while they travel."""

from __future__ import annotations

import os
import uuid
from typing import IO

from services import quotas
from services.errors import Invalid, Refusal
from services.house import house
from services.text import bytes_in_words
from services.unit import session
from storage import CHUNK, Blob, StorageError

EMPTY = "This file is empty, so it was not added."


def receive(stream: IO[bytes], matter_id: uuid.UUID, member_id: uuid.UUID, field: str = "file") -> Blob:
    """Publish the stream's bytes under their SHA-256, for this matter and of this member.

    What is empty or too large, or passes a limit, is refused at `field`.
    """
    size = _size_of(stream)
    if size is not None:
        require_room(matter_id, member_id, size, field)
    session().rollback()
    largest = house().settings.max_document_bytes
    try:
        with house().blobs.writer(size) as writer:
            while piece := stream.read(CHUNK):
                writer.write(piece)
                if writer.size > largest:
                    raise Invalid(
                        {field: f"This file is larger than {bytes_in_words(largest)}, the most we take."}
                    )
            if not writer.size:
                raise Invalid({field: EMPTY})
            if size is None:
                require_room(matter_id, member_id, writer.size, field)
                session().rollback()
            blob = writer.publish()
            quotas.note_added(blob.size)
            return blob
    except StorageError as error:
        raise store_refusal(error) from error


def require_room(matter_id: uuid.UUID, member_id: uuid.UUID, size: int, field: str = "file") -> None:
    """Raises Invalid at `field` where so many bytes would pass a limit."""
    try:
        quotas.require_room(matter_id, member_id, size)
    except quotas.QuotaReached as reached:
        raise Invalid({field: reached.sentence}) from reached


def _size_of(stream: IO[bytes]) -> int | None:
    """What is left of a stream that can say it."""
    if not stream.seekable():
        return None
    here = stream.tell()
    end = stream.seek(0, os.SEEK_END)
    stream.seek(here)
    return end - here


def store_refusal(error: StorageError) -> Refusal:
    """What the store said, as a refusal: its sentence already names the next step."""
    return Refusal(error.sentence, code=error.code, whose="your System Admin")
