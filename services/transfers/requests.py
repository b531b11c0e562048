"""Requests to get documents from iManage or to save them there: recorded here, carried out by a worker."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import func, select

from copying.values import NewDocument, Target, target
from imanage.errors import BadIdError
from imanage.ids import VersionId
from models import Document, Link, Member, Server, Transfer, TransferItem, Version
from services.access import permissions, rate_limits, server_access
from services.core import audit
from services.core.actor import Actor
from services.core.errors import ConflictError, InvalidError, NotFoundError
from services.core.text.file_names import split
from services.core.unit_of_work import session, unit_of_work
from services.guidance.refusals import refusal, worded
from services.matters import exposure
from services.transfers import signed_rows
from services.transfers.states import ItemState

MOST_DOCUMENTS = 500
NEW_DOCUMENT, NEW_VERSION, REPLACE = "new_document", "new_version", "replace"
OTHER_VERSION = "other_version"
"""On the form: a new version of a document in iManage that is not the twin."""
SAVE_TARGETS = frozenset({NEW_DOCUMENT, NEW_VERSION, REPLACE})


@dataclass(frozen=True)
class GetCommand:
    """`document_id`: get it as a new version of this document; or `into`, one document for each source.
    `older_becomes_current`: a version older than the one here becomes the current one; otherwise it is added to the
    history. `is_held`: guests do not see what arrives; None: not where it has not been confirmed today who they are.

    `called`: the rows that the page showed, signed by signed_rows, so that no form can invent one.
    """

    request_key: uuid.UUID
    matter_id: uuid.UUID
    server_id: uuid.UUID
    sources: tuple[VersionId, ...]
    document_id: uuid.UUID | None = None
    called: tuple[str, ...] = ()
    older_becomes_current: bool = False
    into: tuple[uuid.UUID, ...] = ()
    is_held: bool | None = None

    @property
    def documents(self) -> tuple[uuid.UUID | None, ...]:
        """The document that each source becomes a new version of."""
        return self.into or (self.document_id,) * len(self.sources)


@dataclass(frozen=True)
class SaveCommand:
    """`extension` is the type of a new document whose file has none.

    `over` is a version there that the person saw when they chose to save on top of it: one newer than all that were
    here before, or that of a document which is not the twin. `profile` is that of a new document, and is remembered for
    the workspace.
    """

    request_key: uuid.UUID
    document_id: uuid.UUID
    server_id: uuid.UUID
    target: Target
    name: str = ""
    note: str = ""
    extension: str = ""
    over: int = 0
    profile: Mapping[str, str] = field(default_factory=dict)
    workspace_id: str = ""


def start_get(actor: Actor, command: GetCommand) -> uuid.UUID:
    """Record one transfer of all sources. A known idempotency key returns its transfer."""
    rate_limits.require(actor.id, rate_limits.TRANSFERS)
    sources = command.sources
    if not sources:
        raise InvalidError({"source": "Choose at least one document."})
    if len(sources) > MOST_DOCUMENTS:
        raise InvalidError({"source": f"Choose {MOST_DOCUMENTS} documents or fewer at once."})
    if command.document_id is not None and len(sources) > 1:
        raise InvalidError({"source": "Choose one document: it becomes a new version of the one here."})
    with unit_of_work() as writing:
        matter = permissions.require_transfer(actor, command.matter_id)
        server = server_access.require_use(actor.id, command.server_id)
        if (known := transfer_of_key(actor, command.request_key)) is not None:
            return known
        _require_documents({each for each in command.documents if each}, matter.id)
        transfer = new_transfer(actor, command.request_key, "get", matter.id, server)
        is_held = command.is_held
        if is_held is None:
            documents = [each for each in command.documents if each is not None]
            is_held = exposure.question(actor, matter.id, documents).is_due
        rows = signed_rows.read(server.id, actor.id, command.called)
        unknown = signed_rows.Row("")
        items = [
            TransferItem(
                transfer=transfer,
                position=position,
                name=row.name or str(source),
                state=ItemState.WAITING,
                source_id=str(source),
                listed=row.facts,
                size=row.size,
                older_becomes_current=command.older_becomes_current,
                is_held=is_held,
                document_id=document_id,
                target=NEW_VERSION if document_id else NEW_DOCUMENT,
            )
            for position, (source, document_id) in enumerate(zip(sources, command.documents, strict=True), 1)
            for row in [rows.get(source, unknown)]
        ]
        writing.add_all(items)
        writing.flush()
        audit.record(
            actor,
            "transfer.get_started",
            matter.name,
            subject_id=transfer.id,
            matter_id=matter.id,
            server_id=server.id,
            sources=list(map(str, sources)),
            held=is_held,
        )
        return transfer.id


def start_save(actor: Actor, command: SaveCommand) -> uuid.UUID:
    """Record the saving of a document's current version."""
    rate_limits.require(actor.id, rate_limits.TRANSFERS)
    with unit_of_work() as writing:
        document = session().get(Document, command.document_id)
        if document is None:
            raise NotFoundError("We could not find this document.")
        matter = permissions.require_transfer(actor, document.matter_id)
        server = server_access.require_use(actor.id, command.server_id)
        if (known := transfer_of_key(actor, command.request_key)) is not None:
            return known
        version = session().get(Version, document.current_version_id)
        if version is None:
            raise ConflictError("This document has no version to save.")
        if not version.size:
            raise InvalidError({"target": "This file is empty (0 bytes), so it cannot be saved to iManage."})
        transfer = new_transfer(actor, command.request_key, "save", matter.id, server)
        item = TransferItem(
            transfer=transfer,
            position=1,
            name=name_there(command.name, version, command.extension),
            state=ItemState.WAITING,
            document_id=document.id,
            version_id=version.id,
            target=command.target.kind,
            target_id=str(command.target),
            note=command.note,
            profile=dict(command.profile) or None,
            size=version.size,
            sha256=version.sha256,
            based_on=_based_on(document.id, server.id, command),
        )
        writing.add(item)
        writing.flush()
        audit.record(
            actor,
            "transfer.save_started",
            f"{document.name} v{version.number}",
            subject_id=transfer.id,
            matter_id=matter.id,
            server_id=server.id,
            target=command.target.kind,
            target_id=str(command.target),
        )
        return transfer.id


def name_there(stem: str, version: Version, extension: str = "") -> str:
    """The name that a new document gets in iManage: what was typed, with the type that the bytes have.

    `extension` is for a file that has none.
    """
    file = split(version.file_name)
    suffix = file.extension or extension
    stem = stem or file.stem
    return f"{stem.removesuffix(f'.{suffix}')}.{suffix}" if suffix else stem


def require_transfer(actor: Actor, transfer_id: uuid.UUID) -> Transfer:
    """The transfer, for a member of its matter who is no guest."""
    transfer = session().get(Transfer, transfer_id)
    if transfer is None or actor.is_guest:
        raise NotFoundError("We could not find this transfer.")
    permissions.require_matter(actor, transfer.matter_id)
    return transfer


def new_transfer(
    actor: Actor, request_key: uuid.UUID, kind: str, matter_id: uuid.UUID, server: Server
) -> Transfer:
    transfer = Transfer(
        request_key=request_key,
        kind=kind,
        matter_id=matter_id,
        server_id=server.id,
        server_name=server.name,
        member_id=actor.id,
    )
    session().add(transfer)
    return transfer


def transfer_of_key(actor: Actor, request_key: uuid.UUID) -> uuid.UUID | None:
    """The id of the transfer with this idempotency key, None where there is none.

    Locks the member's row, so that of two simultaneous requests the second finds the transfer of the first.
    """
    session().execute(select(Member.id).where(Member.id == actor.id).with_for_update(key_share=True))
    known = session().scalar(select(Transfer).where(Transfer.request_key == request_key))
    if known is not None and known.member_id != actor.id:
        raise refusal(ConflictError, "conflict", "form_used")
    return known.id if known else None


def sources_of(texts: Iterable[str]) -> tuple[VersionId, ...]:
    """The distinct ids of versions to get, from a form. Raises InvalidError."""
    try:
        return tuple(dict.fromkeys(map(VersionId.parse, texts)))
    except BadIdError as error:
        raise InvalidError({"source": worded(error.code)["sentence"]}) from error


def target_of(kind: str, id: str) -> Target:
    """The target of a save: for a new document `id` is a folder, else a version there. Raises InvalidError."""
    if kind not in SAVE_TARGETS:
        raise InvalidError({"target": "Choose how to save the document."})
    try:
        return target(kind, id)
    except BadIdError as error:
        raise InvalidError({"target": worded(error.code)["sentence"]}) from error


def _require_documents(document_ids: Collection[uuid.UUID], matter_id: uuid.UUID) -> None:
    if not document_ids:
        return
    found = select(func.count()).where(Document.id.in_(document_ids), Document.matter_id == matter_id)
    if session().scalar(found) != len(document_ids):
        raise NotFoundError("We could not find this document.")


def _based_on(document_id: uuid.UUID, server_id: uuid.UUID, command: SaveCommand) -> int | None:
    """The version there that a save was decided on: the one our copy comes from, or a newer one that the member saw."""
    if isinstance(command.target, NewDocument):
        return None
    twin = command.target.onto
    versions = session().scalars(
        select(Link.version).where(
            Link.document_id == document_id,
            Link.server_id == server_id,
            Link.library_key == twin.library_key,
            Link.number == twin.number,
            Link.ended_at.is_(None),
        )
    )
    based_on: int = max([*versions, command.over])
    if not based_on:
        raise InvalidError({"target": "This document has no twin of that number in iManage."})
    return based_on
