"""Uploads: streamed into the store in chunks, with no transaction open meanwhile."""

from __future__ import annotations

import os
import uuid
from typing import IO

from services.access import rate_limits
from services.core.actor import Actor
from services.core.errors import InvalidError, RefusedError
from services.core.runtime import runtime
from services.core.unit_of_work import session
from services.guidance.refusals import refusal, worded
from services.matters import quotas
from services.scanning import scan
from storage import CHUNK, Blob, StorageError

EMPTY = "This file is empty, so it was not added."


def receive(
    actor: Actor, stream: IO[bytes], matter_id: uuid.UUID, file_name: str, field: str = "file"
) -> Blob:
    """Publish the stream's bytes under their SHA-256.

    Raises InvalidError at `field` for a file that is empty, too large, over a limit or refused by the virus scanner.
    """
    rate_limits.require(actor.id, rate_limits.UPLOADS)
    size = _size_of(stream)
    if size is not None:
        require_space(actor, matter_id, size, field)
    session().rollback()
    largest = runtime().settings.max_document_bytes
    try:
        with runtime().blobs.writer(size) as writer:
            while chunk := stream.read(CHUNK):
                writer.write(chunk)
                if writer.size > largest:
                    raise InvalidError(
                        {field: f"This file is larger than the limit of {_in_words(largest)}."}
                    )
            if not writer.size:
                raise InvalidError({field: EMPTY})
            if size is None:
                require_space(actor, matter_id, writer.size, field)
                session().rollback()
            scan.inspect(actor, writer, file_name, matter_id)
            return writer.publish()
    except (scan.InfectedFileError, scan.TooLargeError, scan.NotScannedError) as error:
        refused = refusal(RefusedError, error.code, "upload", **vars(error))
        raise InvalidError({field: refused.text}) from error
    except StorageError as error:
        raise refusal(RefusedError, error.code, "upload") from error


def require_space(actor: Actor, matter_id: uuid.UUID, size: int, field: str = "file") -> None:
    """Raises InvalidError at `field` if `size` bytes would exceed a limit."""
    try:
        quotas.require_space(matter_id, actor.id, size)
    except quotas.QuotaReachedError as reached:
        raise _too_large(actor, field, reached) from reached


def reserve_space(actor: Actor, matter_id: uuid.UUID, size: int, field: str = "file") -> None:
    """Check the limits again in the unit of work that adds the version, before any document is locked.

    Raises InvalidError at `field` if `size` bytes would exceed a limit.
    """
    (reached,) = quotas.admit([quotas.IncomingFile(matter_id, actor.id, size)])
    if reached is not None:
        raise _too_large(actor, field, reached) from reached
    quotas.note_added(size)


def _too_large(actor: Actor, field: str, reached: quotas.QuotaReachedError) -> InvalidError:
    """Guests do not learn how much is stored, since that counts what they may not see."""
    return InvalidError({field: worded("quota.guest")["sentence"] if actor.is_guest else reached.text})


def _size_of(stream: IO[bytes]) -> int | None:
    """The number of bytes left in a seekable stream; None for others."""
    if not stream.seekable():
        return None
    here = stream.tell()
    end = stream.seek(0, os.SEEK_END)
    stream.seek(here)
    return end - here


def _in_words(size: int) -> str:
    return f"{size / 1024**3:.3g} GiB" if size >= 1024**3 else f"{size / 1024**2:.3g} MiB"
