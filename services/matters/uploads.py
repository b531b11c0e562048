"""Bytes that somebody sends: copied into the store piece by piece, with no transaction open while they travel."""

from __future__ import annotations

import os
import uuid
from typing import IO

from services.access import rate_limits
from services.core.actor import Actor
from services.core.errors import InvalidError, RefusedError
from services.core.runtime import runtime
from services.core.unit_of_work import session
from services.matters import quotas
from services.scanning import scan
from storage import CHUNK, Blob, StorageError

EMPTY = "This file is empty, so it was not added."


def receive(
    actor: Actor, stream: IO[bytes], matter_id: uuid.UUID, file_name: str, field: str = "file"
) -> Blob:
    """Publish the stream's bytes under their SHA-256, for this matter and of this member.

    What is empty or too large, passes a limit or is not let in by the virus scanner is refused at `field`.
    """
    rate_limits.require(actor.id, rate_limits.UPLOADS)
    size = _size_of(stream)
    if size is not None:
        require_room(matter_id, actor.id, size, field)
    session().rollback()
    largest = runtime().settings.max_document_bytes
    try:
        with runtime().blobs.writer(size) as writer:
            while piece := stream.read(CHUNK):
                writer.write(piece)
                if writer.size > largest:
                    raise InvalidError(
                        {field: f"This file is larger than the limit of {_in_words(largest)}."}
                    )
            if not writer.size:
                raise InvalidError({field: EMPTY})
            if size is None:
                require_room(matter_id, actor.id, writer.size, field)
                session().rollback()
            scan.inspect(actor, writer, file_name, matter_id)
            return writer.publish()
    except (scan.InfectedFileError, scan.TooLargeError) as error:
        raise InvalidError({field: f"{error.sentence} {error.next_step}"}) from error
    except scan.NotScannedError as error:
        sentence = (
            f"{error.sentence} Try again in a few minutes. If it happens again, tell your System Admin."
        )
        raise InvalidError({field: sentence}) from error
    except StorageError as error:
        raise store_refusal(error) from error


def require_room(matter_id: uuid.UUID, member_id: uuid.UUID, size: int, field: str = "file") -> None:
    """Raises InvalidError at `field` where so many bytes would pass a limit."""
    try:
        quotas.require_room(matter_id, member_id, size)
    except quotas.QuotaReachedError as reached:
        raise InvalidError({field: reached.sentence}) from reached


def take_room(matter_id: uuid.UUID, member_id: uuid.UUID, size: int, field: str = "file") -> None:
    """In the unit in which they become a version, before any document is held: others may have come meanwhile.

    Raises InvalidError at `field` where so many bytes would pass a limit.
    """
    (reached,) = quotas.landing([quotas.Landing(matter_id, member_id, size)])
    if reached is not None:
        raise InvalidError({field: reached.sentence}) from reached
    quotas.note_landed(size)


def _size_of(stream: IO[bytes]) -> int | None:
    """What is left of a stream that can say it."""
    if not stream.seekable():
        return None
    here = stream.tell()
    end = stream.seek(0, os.SEEK_END)
    stream.seek(here)
    return end - here


def store_refusal(error: StorageError) -> RefusedError:
    """What the store said, as a refusal: its sentence already names the next step."""
    return RefusedError(error.sentence, code=error.code, owner="your System Admin")


def _in_words(size: int) -> str:
    return f"{size / 1024**3:.3g} GiB" if size >= 1024**3 else f"{size / 1024**2:.3g} MiB"
