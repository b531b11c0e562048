"""Saving many documents of a matter at once: the outcome for each is shown first, then one transfer moves all."""

from __future__ import annotations

import time
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Row, exists, func, select

from copying.values import NewDocument, NewVersion, Replace, Target
from imanage.errors import ImanageError
from imanage.ids import VersionId
from models import Document, Link, Matter, Server, TransferItem, Version
from services.access import permissions, rate_limits
from services.access.server_access import label_for, require_use
from services.connections import tokens
from services.core import audit
from services.core.actor import Actor
from services.core.errors import InvalidError, NotFoundError
from services.core.text.file_names import split
from services.core.unit_of_work import release, session, unit_of_work
from services.guidance.imanage_errors import remote_refusal
from services.transfers import links, profile_forms, update_check
from services.transfers.links import TwinStatus
from services.transfers.requests import (
    MOST_DOCUMENTS,
    name_there,
    new_transfer,
    target_of,
    transfer_of_key,
)
from services.transfers.save_checks import (
    CHECKED_OUT,
    MOVED_ON,
    Concern,
    Ours,
    as_new_document,
    holder_of,
    onto_twin,
    started_with,
)
from services.transfers.states import ItemState
from services.transfers.update_check import Twin, TwinCheck

SECONDS = 8.0
BRIEF = {
    "target": "empty",
    "name": "name not allowed in iManage",
    "extension": "no file type: rename it first",
}


@dataclass(frozen=True)
class SaveRow:
    """One document, and its twin on this server if it has one.

    `is_there`: the current version is already in iManage. `against`: problems with a new version of the twin (without
    one, with a new document). `against_new`: problems with a new document.
    """

    document_id: uuid.UUID
    name: str
    version: Version
    status: TwinStatus | None = None
    against: tuple[Concern, ...] = ()
    against_new: tuple[Concern, ...] = ()

    @property
    def twin(self) -> VersionId | None:
        return self.status.onto if self.status else None

    @property
    def is_there(self) -> bool:
        return self.status is not None and self.status.facts.has_nothing_to_save

    def based_on(self, accepted: Collection[str]) -> int | None:
        """The version in iManage that a save to the twin is based on: the latest one if that was accepted."""
        if self.status is None:
            return None
        facts = self.status.facts
        return max(facts.had, facts.latest) if MOVED_ON in accepted else facts.had

    @property
    def is_checked_out(self) -> bool:
        return any(each.code == CHECKED_OUT for each in self.against)

    def is_held_back(self, accepted: Collection[str], *, onto_twins: bool) -> bool:
        concerns = self.against if onto_twins else self.against_new
        return any(not each.accept or each.code not in accepted for each in concerns)

    def target(self, command: SaveManyCommand, folder: Target | None) -> Target:
        """The target of the save; `folder` for a document without a twin, or one saved as a new document."""
        if command.onto_twins and self.twin is not None:
            return Replace(self.twin) if command.replaces else NewVersion(self.twin)
        assert folder is not None
        return folder


@dataclass(frozen=True)
class SaveManyPicker:
    matter_id: uuid.UUID
    matter_name: str
    server_id: uuid.UUID
    label: str
    is_practice: bool
    most: int
    documents: tuple[SaveRow, ...]
    left: int = 0
    """How many more documents the matter has than one transfer can take."""
    is_checked: bool = False
    not_checked: str = ""
    """Why not every twin was checked; empty if all were."""

    @property
    def twins(self) -> int:
        return sum(line.twin is not None for line in self.documents)

    @property
    def there(self) -> int:
        return sum(line.is_there for line in self.documents)

    @property
    def held_back(self) -> list[SaveRow]:
        """Those left out unless the member accepts their problems, if twins get new versions."""
        return [line for line in self.documents if line.against and not line.is_there]

    @property
    def not_new(self) -> list[SaveRow]:
        """Those that cannot become new documents."""
        return [line for line in self.documents if line.against_new]

    def count(self, code: str) -> int:
        """How many are left out for this reason."""
        return sum(code in {each.code for each in line.against} for line in self.held_back)

    @property
    def without_twin(self) -> int:
        return len(self.documents) - self.twins


@dataclass(frozen=True)
class SaveManyCommand:
    """`onto_twins`: documents with a twin become its next version, or with `replaces` replace its latest one.

    Others are saved in the folder. `accepted`: codes of the problems that the member accepted; `held`: documents
    that were shown as checked out. `profile` is that of the new documents, remembered for the workspace.
    """

    request_key: uuid.UUID
    matter_id: uuid.UUID
    server_id: uuid.UUID
    document_ids: tuple[uuid.UUID, ...]
    onto_twins: bool
    folder_id: str = ""
    note: str = ""
    accepted: tuple[str, ...] = ()
    held: tuple[uuid.UUID, ...] = ()
    replaces: bool = False
    profile: Mapping[str, str] = field(default_factory=dict)
    workspace_id: str = ""

    @property
    def accepted_concerns(self) -> Collection[str]:
        """The accepted problems. A newer version is never replaced: the member saw an older one."""
        return set(self.accepted) - {MOVED_ON} if self.replaces else self.accepted


def plan(
    actor: Actor, matter_id: uuid.UUID, server_id: uuid.UUID, document_ids: Sequence[uuid.UUID] | None
) -> SaveManyPicker:
    """The outcome for these documents, or for the whole matter. Raises SignInNeededError.

    In a matter with more documents than one transfer can take, those not yet in iManage come first.
    """
    matter = permissions.require_transfer(actor, matter_id)
    server = require_use(actor.id, server_id)
    tokens.home_of(actor.id, server_id)
    if document_ids is None:
        rows, left = _whole(matter_id, server_id)
    else:
        rows, left = _chosen(matter_id, document_ids), 0
    lines = _save_rows(actor, server_id, rows)
    return _picker(actor, matter, server, lines, left=left)


def check(
    actor: Actor, matter_id: uuid.UUID, server_id: uuid.UUID, document_ids: Sequence[uuid.UUID]
) -> SaveManyPicker:
    """The same after checking each twin in iManage, one call each, for up to eight seconds. Stores the results.

    Raises SignInNeededError. If iManage cannot be asked, the results are those of the last check.
    """
    matter = permissions.require_transfer(actor, matter_id)
    server = require_use(actor.id, server_id)
    me = tokens.home_of(actor.id, server_id).user_id
    lines = _save_rows(actor, server_id, _chosen(matter_id, document_ids))
    wanted = {
        line.document_id: update_check.twin_of(line.status)
        for line in lines
        if line.status and not line.is_there
    }
    checks, not_checked = _check_twins(actor, matter_id, server, wanted)
    lines = _save_rows(actor, server_id, _chosen(matter_id, document_ids), checks, me)
    return _picker(actor, matter, server, lines, is_checked=True, not_checked=not_checked)


def _check_twins(
    actor: Actor, matter_id: uuid.UUID, server: Server, wanted: Mapping[uuid.UUID, Twin]
) -> tuple[dict[uuid.UUID, TwinCheck], str]:
    """Results by document id, and why the check stopped early, if it did."""
    subject, label = session().get_one(Matter, matter_id).name, label_for(actor.id, server)
    deadline, not_checked = time.monotonic() + SECONDS, ""
    checks: dict[uuid.UUID, TwinCheck] = {}
    release()
    for document_id, twin in wanted.items():
        if time.monotonic() > deadline:
            not_checked = (
                f"{len(wanted) - len(checks)} could not be checked in time. "
                "If one of them has a problem, you will be asked during the transfer."
            )
            break
        try:
            checks[document_id] = update_check.fetch(actor, twin)
        except ImanageError as error:
            not_checked = remote_refusal(error, label).sentence
            break
        update_check.store(matter_id, twin, checks[document_id], actor.id)
    if checks:
        with unit_of_work():
            audit.record(actor, "links.checked", subject, matter_id=matter_id, looked_at=len(checks))
    return checks, not_checked


def _picker(
    actor: Actor,
    matter: Matter,
    server: Server,
    lines: Sequence[SaveRow],
    *,
    left: int = 0,
    is_checked: bool = False,
    not_checked: str = "",
) -> SaveManyPicker:
    return SaveManyPicker(
        matter_id=matter.id,
        matter_name=matter.name,
        server_id=server.id,
        label=label_for(actor.id, server),
        is_practice=server.is_practice,
        most=MOST_DOCUMENTS,
        documents=tuple(lines),
        left=left,
        is_checked=is_checked,
        not_checked=not_checked,
    )


def start(actor: Actor, command: SaveManyCommand) -> uuid.UUID:
    """Start one transfer with an item for each document. Idempotent by the request key."""
    rate_limits.require(actor.id, rate_limits.TRANSFERS)
    permissions.require_transfer(actor, command.matter_id)
    profile: Mapping[str, str] = {}
    if command.folder_id and started_with(actor, command.request_key) is None:
        profile = profile_forms.check(actor, command.server_id, command.folder_id, command.profile)
    with unit_of_work() as writing:
        matter = permissions.require_transfer(actor, command.matter_id)
        server = require_use(actor.id, command.server_id)
        if (known := transfer_of_key(actor, command.request_key)) is not None:
            return known
        lines = _save_rows(actor, server.id, _chosen(matter.id, command.document_ids))
        if command.onto_twins:
            lines = [line for line in lines if not line.is_there]
            if not lines:
                raise InvalidError({"document": "All of these are already in iManage, unchanged."})
        left_out = [
            line
            for line in lines
            if line.is_held_back(command.accepted_concerns, onto_twins=command.onto_twins)
            or (command.onto_twins and line.document_id in command.held)
        ]
        lines = [line for line in lines if line not in left_out]
        if not lines:
            raise InvalidError(
                {"document": "None of these can be saved this way. The reason is shown beside each."}
            )
        folder = None
        needs_folder = not command.onto_twins or any(line.twin is None for line in lines)
        if needs_folder:
            if not command.folder_id:
                raise InvalidError({"folder": "Choose a folder for the new documents."})
            folder = target_of(NewDocument.kind, command.folder_id)
        transfer = new_transfer(actor, command.request_key, "save", matter.id, server)
        items = []
        for position, line in enumerate(lines, 1):
            target = line.target(command, folder)
            is_new = isinstance(target, NewDocument)
            items.append(
                TransferItem(
                    transfer=transfer,
                    position=position,
                    name=name_there(split(line.name).stem, line.version, split(line.name).extension),
                    state=ItemState.WAITING,
                    document_id=line.document_id,
                    version_id=line.version.id,
                    target=target.kind,
                    target_id=str(target),
                    note=command.note,
                    profile=dict(profile) or None if is_new else None,
                    size=line.version.size,
                    sha256=line.version.sha256,
                    based_on=None if is_new else line.based_on(command.accepted_concerns),
                )
            )
        writing.add_all(items)
        writing.flush()
        audit.record(
            actor,
            "transfer.save_started",
            matter.name,
            subject_id=transfer.id,
            matter_id=matter.id,
            server_id=server.id,
            documents=[line.name for line in lines],
            left_out=[line.name for line in left_out],
            folder=command.folder_id if needs_folder else "",
            replaces=command.replaces,
        )
        if folder is not None:
            profile_forms.remember(actor, server.id, command.workspace_id, profile)
        return transfer.id


_CURRENT = (
    select(Document, Version)
    .join(Version, Version.id == Document.current_version_id)
    .order_by(Document.name_key, Document.id)
)


def _chosen(matter_id: uuid.UUID, document_ids: Sequence[uuid.UUID]) -> Sequence[Row[Document, Version]]:
    """By name. Raises NotFoundError for one of another matter, InvalidError for too many."""
    wanted = set(document_ids)
    if len(wanted) > MOST_DOCUMENTS:
        raise InvalidError({"document": f"Choose {MOST_DOCUMENTS} documents or fewer at once."})
    rows = session().execute(_CURRENT.where(Document.matter_id == matter_id, Document.id.in_(wanted))).all()
    if len(rows) < len(wanted):
        raise NotFoundError("We could not find one of these documents.")
    return rows


def _whole(matter_id: uuid.UUID, server_id: uuid.UUID) -> tuple[Sequence[Row[Document, Version]], int]:
    """As many as one transfer can take, by name, and how many more there are."""
    total = session().scalar(select(func.count()).where(Document.matter_id == matter_id)) or 0
    is_there = exists().where(
        Link.version_id == Document.current_version_id, Link.server_id == server_id, Link.ended_at.is_(None)
    )
    first = (
        select(Document.id)
        .where(Document.matter_id == matter_id)
        .order_by(is_there, Document.name_key, Document.id)
        .limit(MOST_DOCUMENTS)
    )
    rows = session().execute(_CURRENT.where(Document.id.in_(first))).all()
    return rows, total - len(rows)


def _save_rows(
    actor: Actor,
    server_id: uuid.UUID,
    rows: Sequence[Row[Document, Version]],
    checks: Mapping[uuid.UUID, TwinCheck] | None = None,
    me: str = "",
) -> list[SaveRow]:
    """In their order. One query, however many. Raises InvalidError for none."""
    if not rows:
        raise InvalidError({"document": "Choose at least one document."})
    twins = links.on_server(actor, [document.id for document, _ in rows], server_id)
    label = label_for(actor.id, require_use(actor.id, server_id))
    return [
        _save_row(
            document,
            version,
            twins.get(document.id),
            (checks or {}).get(document.id),
            me,
            label,
        )
        for document, version in rows
    ]


def _save_row(
    document: Document,
    version: Version,
    status: TwinStatus | None,
    checks: TwinCheck | None,
    me: str,
    label: str,
) -> SaveRow:
    ours = Ours(document.name, split(version.file_name).extension, version.size)
    problems = as_new_document(ours, split(document.name).stem, split(document.name).extension, label)
    against_new = tuple(Concern(field, BRIEF[field]) for field in problems)
    if status is None:
        return SaveRow(document.id, document.name, version, against=against_new, against_new=against_new)
    remote = checks.document if checks else None
    against = onto_twin(
        NewVersion.kind,
        ours,
        status.facts,
        remote.extension if remote else split(status.twin.name).extension,
        holder_of(remote, me) if remote else None,
        label,
    )
    return SaveRow(document.id, document.name, version, status, against, against_new)
