"""What guests see of a matter's versions: who would see one, the question before it lands, hold and release."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Literal

from sqlalchemy import delete, exists, or_, select
from sqlalchemy.orm import Session

from models import Document, ExposureConfirmation, Member, Participant, Version, utcnow
from services.access import permissions
from services.access.participation import has_access
from services.core import audit
from services.core.actor import Actor
from services.core.errors import ConflictError, InvalidError, NotFoundError
from services.core.unit_of_work import session, unit_of_work
from services.guidance.refusals import refusal
from services.matters import visibility
from services.matters.row_locks import locked_documents, locked_matter

GUESTS, MEMBERS = "guests", "members"
"""What is chosen before a version lands: guests see it, or it is held for members."""
CONFIRMED_FOR = timedelta(hours=24)
MOST = 1000
NO_ORGANISATION = "No organisation"
Change = Literal["hold", "release"]


@dataclass(frozen=True)
class ReaderGroup:
    organisation: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Readers:
    """The guests who would see something, by organisation. `key` is a digest of who they are and where from."""

    groups: tuple[ReaderGroup, ...]
    key: str

    def __bool__(self) -> bool:
        return bool(self.groups)

    @property
    def count(self) -> int:
        return sum(len(group.names) for group in self.groups)

    def listed(self) -> list[str]:
        """For the audit log."""
        return [f"{name} ({group.organisation})" for group in self.groups for name in group.names]


@dataclass(frozen=True)
class Question:
    """What a form asks before a version lands. `is_due`: nothing is preselected; `may_hold`: not for guests."""

    readers: Readers
    is_due: bool
    may_hold: bool


@dataclass(frozen=True)
class ExposedVersion:
    """A version that is to be held or released. `guests_see`: the number that guests then see; None for nothing."""

    id: uuid.UUID
    document_id: uuid.UUID
    document_name: str
    number: int
    guests_see: int | None


@dataclass(frozen=True)
class Preview:
    """The versions that a change concerns, and the guests who gain or lose sight of them."""

    versions: tuple[ExposedVersion, ...]
    readers: Readers


def readers(matter_id: uuid.UUID, document_ids: Collection[uuid.UUID] = ()) -> Readers:
    """The active guests of a matter; with documents, those for whom at least one of them is. One query."""
    query = (
        select(Member.id, Member.name, Member.organisation, Member.organisation_id)
        .join(Participant, Participant.member_id == Member.id)
        .where(Participant.matter_id == matter_id, has_access(), Member.is_guest, Member.is_active)
        .order_by(Member.organisation, Member.name_key, Member.id)
    )
    if document_ids:
        query = query.where(
            exists().where(
                Document.id.in_(document_ids),
                visibility.is_for(visibility.AUDIENCE_ID, Member.organisation_id),
            )
        )
    rows = session().execute(query).all()
    digest = hashlib.sha256(
        " ".join(sorted(f"{row.id} {row.organisation_id}" for row in rows)).encode()
    ).hexdigest()
    return Readers(
        tuple(
            ReaderGroup(organisation or NO_ORGANISATION, tuple(row.name for row in of_one))
            for organisation, of_one in groupby(rows, key=lambda row: row.organisation)
        ),
        digest,
    )


def question(actor: Actor, matter_id: uuid.UUID, document_ids: Collection[uuid.UUID] = ()) -> Question:
    """The question before something lands in a matter, or as versions of some of its documents."""
    permissions.require_change_documents(actor, matter_id)
    if actor.is_guest:
        return Question(Readers((), ""), is_due=False, may_hold=False)
    found = readers(matter_id, document_ids)
    return Question(found, bool(found) and not _is_confirmed(actor, matter_id, found), may_hold=True)


def decide(
    actor: Actor, matter_id: uuid.UUID, document_ids: Collection[uuid.UUID], choice: str, readers_key: str
) -> bool:
    """Whether what lands is held, from what was chosen. That guests may see it is confirmed once a day.

    Raises InvalidError where the question is due and was not answered, or for other people than there are now.
    """
    asked = question(actor, matter_id, document_ids)
    if asked.may_hold and choice == MEMBERS:
        return True
    if not asked.is_due:
        return False
    if choice != GUESTS:
        raise InvalidError({"exposure": "Choose who can see it."})
    if readers_key != asked.readers.key:
        raise InvalidError({"exposure": "The guests who would see this have changed. Check the names again."})
    _confirm(actor, matter_id, asked.readers)
    return False


def preview(
    actor: Actor,
    matter_id: uuid.UUID,
    change: Change,
    *,
    version_ids: Collection[uuid.UUID] = (),
    document_ids: Collection[uuid.UUID] = (),
) -> Preview:
    """What a hold or a release of versions would do; of documents, it concerns their current versions."""
    permissions.require_control_exposure(actor, matter_id)
    chosen = Version.id.in_(version_ids) if version_ids else Document.current_version_id == Version.id
    query = (
        select(Version, Document)
        .join(Document, Document.id == Version.document_id)
        .where(chosen, Document.matter_id == matter_id)
        .where(Version.held_at.is_(None) if change == "hold" else Version.held_at.is_not(None))
        .order_by(Document.name_key, Document.id, Version.number)
        .limit(MOST)
    )
    if not version_ids:
        query = query.where(Document.id.in_(document_ids))
    rows = session().execute(query).all()
    ids = {version.id for version, _ in rows}
    after = _shown_after({document.id: document for _, document in rows}, change, ids)
    found = tuple(
        ExposedVersion(version.id, document.id, document.name, version.number, after[document.id])
        for version, document in rows
    )
    return Preview(
        found, readers(matter_id, {each.document_id for each in found}) if found else Readers((), "")
    )


def hold(actor: Actor, matter_id: uuid.UUID, version_ids: Collection[uuid.UUID]) -> int:
    """Take versions out of the sight of guests. Returns how many; raises ConflictError where others were first."""
    return _change(actor, matter_id, version_ids, "hold")


def release(
    actor: Actor, matter_id: uuid.UUID, version_ids: Collection[uuid.UUID], readers_key: str | None = None
) -> int:
    """Let guests see versions. Returns how many; raises ConflictError where others were first.

    `readers_key`: of the guests who were named beforehand. Raises ConflictError where they have changed.
    """
    return _change(actor, matter_id, version_ids, "release", readers_key)


def _change(
    actor: Actor,
    matter_id: uuid.UUID,
    version_ids: Collection[uuid.UUID],
    change: Change,
    readers_key: str | None = None,
) -> int:
    with unit_of_work() as writing:
        permissions.require_control_exposure(actor, matter_id)
        matter = locked_matter(writing, matter_id)
        concerned = select(Version.document_id).where(Version.id.in_(version_ids))
        documents = locked_documents(writing, matter_id, concerned)
        query = (
            select(Version).where(Version.id.in_(version_ids)).order_by(Version.document_id, Version.number)
        )
        versions = writing.scalars(query.execution_options(populate_existing=True)).all()
        if not versions or any(each.document_id not in documents for each in versions):
            raise NotFoundError("We could not find one of these versions.")
        changed = [each for each in versions if (each.held_at is None) == (change == "hold")]
        if not changed:
            raise _already(writing, versions, change)
        if readers_key is not None and readers_key != readers(matter_id, documents).key:
            raise refusal(ConflictError, "exposure.readers_changed")
        now = utcnow()
        for version in changed:
            is_held = change == "hold"
            version.held_at, version.held_by_id = (now, actor.id) if is_held else (None, None)
            version.released_at, version.released_by_id = (None, None) if is_held else (now, actor.id)
        writing.flush()
        released = {each.id for each in changed} if change == "release" else set()
        set_guest_versions(writing, documents, released)
        for document in documents.values():
            document.changed_at = matter.changed_at = now
        guests = _guests_of([version.document_id for version in changed])
        for version in changed:
            document = documents[version.document_id]
            audit.record(
                actor,
                "version.held" if change == "hold" else "version.released",
                f"{document.name} v{version.number}",
                subject_id=version.id,
                matter_id=matter_id,
                guests=guests[document.id],
            )
        return len(changed)


def _guests_of(document_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[str]]:
    """For the audit log: the guests for whom each document is. One query."""
    found: dict[uuid.UUID, list[str]] = {each: [] for each in document_ids}
    query = (
        select(Document.id, Member.name, Member.organisation)
        .join(Participant, Participant.matter_id == Document.matter_id)
        .join(Member, Member.id == Participant.member_id)
        .where(Document.id.in_(found), has_access(), Member.is_guest, Member.is_active)
        .where(visibility.is_for(visibility.AUDIENCE_ID, Member.organisation_id))
        .order_by(Member.organisation, Member.name_key, Member.id)
    )
    for document_id, name, organisation in session().execute(query):
        found[document_id].append(f"{name} ({organisation or NO_ORGANISATION})")
    return found


def _already(writing: Session, versions: Sequence[Version], change: Change) -> ConflictError:
    """Nothing is left to change: who did it first."""
    by = versions[0].held_by_id if change == "hold" else versions[0].released_by_id
    member = writing.get(Member, by) if by else None
    code = "exposure.held" if change == "hold" else "exposure.released"
    return refusal(ConflictError, code, name=member.name if member else "Someone else")


def set_guest_versions(
    writing: Session, documents: dict[uuid.UUID, Document], released: Collection[uuid.UUID]
) -> None:
    """Name each document's current version for guests."""
    for document_id, shown in _visible(documents).items():
        documents[document_id].guest_version_id = _current_of(documents[document_id], shown, released)


def _shown_after(
    documents: dict[uuid.UUID, Document], change: Change, version_ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, int | None]:
    """The number of each document's current version for guests after a change."""
    numbers = {}
    for document_id, shown in _visible(documents, version_ids if change == "release" else ()).items():
        if change == "hold":
            shown = {id: number for id, number in shown.items() if id not in version_ids}
        current = _current_of(documents[document_id], shown, version_ids)
        numbers[document_id] = shown[current] if current else None
    return numbers


def _current_of(
    document: Document, shown: dict[uuid.UUID, int], released: Collection[uuid.UUID]
) -> uuid.UUID | None:
    """What guests see as current: the current version, else what they saw so far or what was just released, whichever
    is newer, else the newest version that is not held. `shown`: those that are not held, with their numbers.
    """
    if document.current_version_id in shown:
        return document.current_version_id
    known = {document.guest_version_id, *released} & shown.keys()
    return max(known or shown, key=lambda each: shown[each], default=None)


def _visible(
    documents: Collection[uuid.UUID], released: Collection[uuid.UUID] = ()
) -> dict[uuid.UUID, dict[uuid.UUID, int]]:
    """For each document the versions that are not held, or are `released`, with their numbers."""
    found: dict[uuid.UUID, dict[uuid.UUID, int]] = {each: {} for each in documents}
    shown = Version.held_at.is_(None) | Version.id.in_(released)
    query = select(Version.document_id, Version.id, Version.number).where(
        Version.document_id.in_(found), shown
    )
    for document_id, version_id, number in session().execute(query):
        found[document_id][version_id] = number
    return found


def _is_confirmed(actor: Actor, matter_id: uuid.UUID, found: Readers) -> bool:
    row = session().get(ExposureConfirmation, (matter_id, actor.id, found.key))
    return row is not None and row.at > utcnow() - CONFIRMED_FOR


def _confirm(actor: Actor, matter_id: uuid.UUID, found: Readers) -> None:
    with unit_of_work() as writing:
        matter = permissions.require_change_documents(actor, matter_id)
        writing.execute(
            delete(ExposureConfirmation).where(
                ExposureConfirmation.matter_id == matter_id,
                ExposureConfirmation.member_id == actor.id,
                or_(
                    ExposureConfirmation.readers_key == found.key,
                    ExposureConfirmation.at <= utcnow() - CONFIRMED_FOR,
                ),
            )
        )
        writing.add(ExposureConfirmation(matter_id=matter_id, member_id=actor.id, readers_key=found.key))
        audit.record(
            actor,
            "exposure.confirmed",
            matter.name,
            subject_id=matter_id,
            matter_id=matter_id,
            guests=found.listed(),
        )
