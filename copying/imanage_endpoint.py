"""iManage as a source and as a destination: the one file of the engine that knows it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from hashlib import sha256 as new_hash

from copying.copy import require_not_stopped
from copying.errors import CheckedOutError, MovedOnError, TransferError, UncertainOutcomeError
from copying.outcome import QUIET, SKEW, lacks_comment, lacks_proof, resolve
from copying.ports import OnProgress, ShouldStop, Source, Stream
from copying.values import (
    Absent,
    Intent,
    Known,
    NewDocument,
    NewVersion,
    Present,
    Progress,
    Receipt,
    Replace,
    Resolution,
    SourceFacts,
    Target,
    Undecided,
)
from imanage import documents
from imanage.client import Client
from imanage.downloads import Download
from imanage.errors import ForbiddenError, ImanageError, NotFoundError, OutcomeUnknownError
from imanage.ids import VersionId
from imanage.types import Document, Stored
from imanage.uploads import Upload
from storage import StorageError

_ROUNDS = 3
FOLDER_PAGE = 1000
"""Documents per call when a whole folder is read: each call costs a round trip, and saves wait for it."""


class ImanageSource:
    """One version of a document. `document` is its profile as last read, so that it need not be requested again.

    `listed`, the version as a recent list showed it, is the first description; the second one is read.
    """

    def __init__(self, client: Client, id: VersionId, listed: Document | None = None) -> None:
        self._client = client
        self._id = id
        self._listed = listed
        self.document: Document | None = None

    def describe(self) -> SourceFacts:
        listed, self._listed = self._listed, None
        found = self.document = listed or documents.profile(self._client, self._id)
        return SourceFacts(
            found.name,
            found.extension.lower(),
            found.size,
            found.checksum,
            f"iManage {found.id}",
            is_listed=listed is not None,
        )

    def open(self, offset: int = 0) -> AbstractContextManager[Download]:
        return documents.download(self._client, self._id, offset)


class ImanageDestination:
    """A folder that gets a new document, or a document that gets a new version or other content.

    `document` is the profile of what was stored, where the send has shown it whole.
    """

    def __init__(self, client: Client, target: Target) -> None:
        self._client = client
        self._target = target
        self.document: Document | None = None

    def baseline(self, *, quick: bool = False) -> tuple[Known, ...]:
        """What the target holds now. For many documents into one folder, read it once and announce them all with it.

        A folder that changes during the read is read again, unless it is `quick`: that may miss a document.
        """
        if isinstance(self._target, NewDocument):
            rounds = 1 if quick else _ROUNDS
            found = _read_folder(self._client, self._target.folder_id, rounds).documents
        else:
            found = documents.versions(self._client, self._target.onto).items
        return tuple(Known(each.id, each.checksum, each.comment, each.name) for each in found)

    def check(self, intent: Intent) -> None:
        if isinstance(self._target, NewDocument):
            return
        there = documents.profile(self._client, self._target.onto, latest=True)
        _require_free(there, intent)
        is_replaced = isinstance(self._target, Replace)
        known = next((each for each in intent.baseline if each.id == there.id), None)
        is_another = is_replaced and there.id != self._target.onto
        if known is None or is_another or (there.latest or 0) > there.version:
            raise MovedOnError(intent.baseline[-1].id if intent.baseline else None, there.id)
        if is_replaced and None not in (known.sha256, there.checksum) and known.sha256 != there.checksum:
            raise MovedOnError(None, there.id)

    def send(
        self, intent: Intent, source: Source, *, on_progress: OnProgress, should_stop: ShouldStop
    ) -> Receipt:
        began = False

        @contextmanager
        def content() -> Iterator[Stream]:
            nonlocal began
            began = True
            with source.open() as stream:
                yield stream

        upload = Upload(
            name=intent.name,
            extension=intent.extension,
            size=intent.size,
            sha256=intent.sha256,
            open=content,
            comment=" ".join(filter(None, [intent.comment, intent.mark])) or None,
            profile=intent.profile,
            on_progress=lambda sent: on_progress(Progress(sent, intent.size)),
            require_not_stopped=partial(require_not_stopped, should_stop),
        )
        try:
            stored = self._store(upload)
        except OutcomeUnknownError as error:
            raise UncertainOutcomeError(error) from error
        except (ImanageError, StorageError, TransferError):
            # Refused, not reached, or aborted by us before the last byte: the client holds back the end of the body
            # until the hash matches, so nothing was stored.
            raise
        except Exception as error:
            if began:
                raise UncertainOutcomeError(error) from error
            raise
        return self._receipt(stored)

    def resolve(
        self,
        intent: Intent,
        *,
        now: datetime,
        last_sent_at: datetime | None,
        claimed: Collection[VersionId] = (),
    ) -> Resolution:
        try:
            found = self._present(intent)
        except (NotFoundError, ForbiddenError) as error:
            return Undecided(f"Counterpart could not check what was saved: {error.sentence}")
        present = [
            self._proved(each) if lacks_proof(intent, each, claimed) else each for each in found.present
        ]
        present = [
            self._with_comment(each) if lacks_comment(intent, each, claimed) else each for each in present
        ]
        outcome = resolve(intent, present, now=now, last_sent_at=last_sent_at, claimed=claimed)
        if isinstance(outcome, Absent) and not found.steady:
            return Undecided("The folder keeps changing while it is read.", again_after=QUIET.total_seconds())
        if isinstance(outcome, Absent) and found.unreadable:
            return Undecided(f"Some of what iManage lists there cannot be read ({found.unreadable} items).")
        return outcome

    def _store(self, upload: Upload) -> Stored:
        match self._target:
            case NewDocument(folder_id=folder_id):
                return documents.create(self._client, folder_id, upload)
            case NewVersion(onto=onto):
                return documents.add_version(self._client, onto, upload)
            case Replace(onto=onto):
                return documents.replace(self._client, onto, upload)

    def _receipt(self, stored: Stored) -> Receipt:
        document, facts = stored.document, self._client.facts
        lacks_checksum = facts.checksum == "sha256" and document.checksum is None
        lacks_size = facts.sizes and document.size is None
        if facts.answers_are_whole and not lacks_checksum and not lacks_size:
            self.document = document
        elif document.checksum is None or document.size is None:
            # It is stored already: an error in reading it back must not look like an error in storing it.
            with _ignore_errors():
                document = self.document = documents.profile(self._client, document.id)
        warnings = tuple(f"{each.field}: {each.message}" for each in stored.warnings)
        return Receipt(_present(document), warnings)

    def _present(self, intent: Intent) -> _Candidates:
        match self._target:
            case Replace(onto=onto):
                return _Candidates([_present(documents.profile(self._client, onto))])
            case NewVersion(onto=onto):
                page = documents.versions(self._client, onto)
                return _Candidates([_present(each) for each in page.items], unreadable=page.unreadable)
            case NewDocument(folder_id=folder_id):
                folder = _read_folder(self._client, folder_id)
                return _Candidates(
                    list(self._first_versions(folder.documents, intent)), folder.steady, folder.unreadable
                )

    def _first_versions(self, found: tuple[Document, ...], intent: Intent) -> Iterator[Present]:
        """A folder shows each document's newest version; ours may have got a second one meanwhile."""
        for each in found:
            if each.version > 1 and not (each.created_at and each.created_at < intent.announced_at - SKEW):
                yield from (_present(version) for version in documents.versions(self._client, each.id).items)
            else:
                yield _present(each)

    def _with_comment(self, each: Present) -> Present:
        return replace(each, comment=documents.profile(self._client, each.id).comment)

    def _proved(self, each: Present) -> Present:
        """Read the bytes back where iManage gives no checksum."""
        digest = new_hash()
        with documents.download(self._client, each.id) as stream:
            for chunk in stream.chunks():
                digest.update(chunk)
        return replace(each, sha256=digest.hexdigest())


def _require_free(document: Document, intent: Intent) -> None:
    if not (document.is_checked_out or document.in_use):
        return
    holder = document.in_use_by
    if holder and intent.operator and holder.casefold() == intent.operator.casefold():
        return
    raise CheckedOutError(document.id, document.in_use_by_name or holder, document.checkout_at)


@contextmanager
def _ignore_errors() -> Iterator[None]:
    try:
        yield
    except ImanageError:
        return


def _present(document: Document) -> Present:
    return Present(
        id=document.id,
        name=document.name,
        extension=document.extension,
        size=document.size,
        sha256=document.checksum,
        operator=document.operator,
        created_at=document.created_at,
        edited_at=document.edited_at,
        comment=document.comment,
    )


@dataclass(frozen=True)
class _Candidates:
    """Stored versions that could be ours. Unless `steady`, the folder changed during the read and may hold more."""

    present: list[Present]
    steady: bool = True
    unreadable: int = 0


@dataclass(frozen=True)
class _Folder:
    """The documents that were found in a folder, and how many entries could not be read."""

    documents: tuple[Document, ...]
    steady: bool
    unreadable: int


def _read_folder(client: Client, folder_id: str, rounds: int = _ROUNDS) -> _Folder:
    """Read all pages; again, up to `rounds` times, if the total changed meanwhile."""
    found: dict[VersionId, Document] = {}
    for _ in range(rounds):
        steady, unreadable = _read_once(client, folder_id, found)
        if steady:
            break
    return _Folder(tuple(found.values()), steady, unreadable)


def _read_once(client: Client, folder_id: str, found: dict[VersionId, Document]) -> tuple[bool, int]:
    totals: set[int | None] = set()
    offset: int | None = 0
    unreadable = 0
    while offset is not None:
        page = documents.folder_documents(client, folder_id, offset, FOLDER_PAGE)
        totals.add(page.total)
        unreadable += page.unreadable + page.is_cut
        found.update((each.id, each) for each in page.items)
        offset = page.next_offset if page.more else None
    return len(totals) == 1, unreadable
