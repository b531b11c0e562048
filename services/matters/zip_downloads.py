"""Documents of a matter as one zip file, which is written while it is sent and never held in memory.

The files are stored, not compressed: office files and PDFs are compressed already, and the length is known beforehand.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass

from sqlalchemy import func, select
from zipstream import ZipStream

from models import Document, Version
from services.access import permissions, rate_limits
from services.core import audit
from services.core.actor import Actor
from services.core.bulkhead import WEB_THREADS, Slots
from services.core.errors import NotFoundError, RefusedError, TooManyError
from services.core.runtime import runtime
from services.core.text.file_names import adapt, free_of, same_name_key
from services.core.unit_of_work import session, unit_of_work
from services.guidance.refusals import refusal
from services.matters import visibility
from services.matters.versions import name_of
from storage import CHUNK

MOST = 5000
sending = Slots(total=WEB_THREADS // 4, each=2, waiting=0)
"""A zip file occupies a web thread until it has been sent."""


@dataclass(frozen=True)
class ZipDownload:
    """`close` is to be called once, also when not all chunks were sent."""

    name: str
    size: int
    chunks: Iterable[bytes]
    close: Callable[[], None]


def of_documents(actor: Actor, matter_id: uuid.UUID, ids: Collection[uuid.UUID] = ()) -> ZipDownload:
    """The current versions of these documents, or of all in the matter, as the actor sees them.

    Audits each as a download. Raises NotFoundError if there are none to see, and RefusedError over a limit.
    """
    matter, _ = permissions.require_matter(actor, matter_id)
    rate_limits.require(actor.person_id, rate_limits.ZIPS)
    shown = [Document.matter_id == matter_id, visibility.documents_of_matter(actor)]
    if ids:
        shown.append(Document.id.in_(ids))
    count = session().scalar(select(func.count()).select_from(Document).where(*shown)) or 0
    if not count:
        raise NotFoundError("There are no documents to download.")
    if count > MOST:
        raise refusal(RefusedError, "zip.too_many", count=count, most=MOST)
    rows = session().execute(
        select(Document.id, Document.name, Version.number, Version.file_name, Version.sha256, Version.size)
        .join(Version, Version.id == visibility.current_version_id(actor))
        .where(*shown)
        .order_by(Document.name_key, Document.id)
    )
    archive, events, taken = ZipStream(sized=True), [], set[str]()
    for document_id, document_name, number, file_name, sha256, size in rows:
        name = free_of(name_of(document_name, file_name), taken)
        taken.add(same_name_key(name))
        archive.add(_Content(sha256), name, size=size)
        events.append(
            audit.event(
                actor,
                "version.downloaded",
                document_name,
                subject_id=document_id,
                matter_id=matter_id,
                version=number,
                sha256=sha256,
                zip=f"{count} documents" if count > 1 else "1 document",
            )
        )
    if not sending.acquire(actor.person_id):
        raise refusal(TooManyError, "zip.busy")
    try:
        name = adapt(f"{matter.name}.zip").full
        with unit_of_work():
            audit.record_all(events)
    except BaseException:
        sending.release(actor.person_id)
        raise
    return ZipDownload(name, len(archive), archive, lambda: sending.release(actor.person_id))


@dataclass(frozen=True)
class _Content:
    """The bytes of a blob, opened when the zip file has come to it."""

    sha256: str

    def __iter__(self) -> Iterator[bytes]:
        with closing(runtime().blobs.stream(self.sha256)) as stream:
            while chunk := stream.read(CHUNK):
                yield chunk
