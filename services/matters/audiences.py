"""Who can see a document: everybody in the matter, members only, or the guests of chosen organisations."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Audience, AudienceOrganisation, Document, Member, Organisation, Participant, new_id, utcnow
from services.access import permissions
from services.access.participation import has_access
from services.core import audit
from services.core.actor import Actor
from services.core.errors import ConflictError, InvalidError, NotFoundError
from services.core.unit_of_work import session, unit_of_work
from services.guidance.refusals import refusal
from services.matters import visibility
from services.matters.row_locks import locked_documents, locked_matter

Kind = Literal["everybody", "members", "organisations"]
KINDS: tuple[Kind, ...] = ("everybody", "members", "organisations")


@dataclass(frozen=True)
class OrganisationChoice:
    """An organisation that can be chosen, with its active guests in the matter."""

    id: uuid.UUID
    name: str
    guests: tuple[str, ...]


@dataclass(frozen=True)
class AudienceView:
    """Who can see a document. `organisations`: the names of those chosen; empty unless the kind is organisations."""

    kind: Kind = "everybody"
    organisation_ids: tuple[uuid.UUID, ...] = ()
    organisations: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        if self.kind == "organisations":
            return f"Members and {', '.join(self.organisations)}"
        return "Everybody in the matter" if self.kind == "everybody" else "Members only"

    @property
    def badge(self) -> str:
        """The label, short enough for a list."""
        if self.kind != "organisations":
            return self.label
        return (
            self.organisations[0]
            if len(self.organisations) == 1
            else f"{len(self.organisations)} organisations"
        )

    @property
    def key(self) -> str:
        """What the form that shows it sends back, so that a change by someone else in between is noticed."""
        return " ".join([self.kind, *sorted(map(str, self.organisation_ids))])


EVERYBODY = AudienceView()


def of_documents(actor: Actor, document_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, AudienceView]:
    """The audiences of documents that the actor may see; one that is missing is for everybody. Guests learn of none."""
    if actor.is_guest:
        return {}
    rows = session().execute(
        select(Document.id, Audience.is_everybody, Organisation.id, Organisation.name)
        .join(Audience, Audience.id == visibility.AUDIENCE_ID)
        .outerjoin(AudienceOrganisation, AudienceOrganisation.audience_id == Audience.id)
        .outerjoin(Organisation, Organisation.id == AudienceOrganisation.organisation_id)
        .where(Document.id.in_(document_ids), visibility.documents(actor))
        .order_by(Organisation.name_key)
    )
    found: dict[uuid.UUID, AudienceView] = {}
    for document_id, is_everybody, organisation_id, name in rows:
        before = found.get(document_id, AudienceView("members"))
        if is_everybody:
            found[document_id] = EVERYBODY
        elif organisation_id is None:
            found[document_id] = before
        else:
            found[document_id] = AudienceView(
                "organisations",
                (*before.organisation_ids, organisation_id),
                (*before.organisations, name),
            )
    return found


def common(actor: Actor, document_ids: Collection[uuid.UUID]) -> AudienceView | None:
    """The audience that all the documents have; None if they differ."""
    found = of_documents(actor, document_ids)
    views = {found.get(each, EVERYBODY) for each in document_ids}
    return views.pop() if len(views) == 1 else None


def choices(actor: Actor, matter_id: uuid.UUID, chosen: AudienceView | None) -> list[OrganisationChoice]:
    """The organisations with guests in the matter, and those chosen before, by name. One query."""
    permissions.require_control_exposure(actor, matter_id)
    here = (
        select(Member.organisation_id, Member.name, Member.name_key)
        .join(Participant, Participant.member_id == Member.id)
        .where(Participant.matter_id == matter_id, has_access(), Member.is_guest, Member.is_active)
        .subquery()
    )
    known = chosen.organisation_ids if chosen else ()
    rows = session().execute(
        select(Organisation.id, Organisation.name, here.c.name)
        .outerjoin(here, here.c.organisation_id == Organisation.id)
        .where(here.c.name.is_not(None) | Organisation.id.in_(known))
        .order_by(Organisation.name_key, here.c.name_key)
    )
    found: dict[uuid.UUID, OrganisationChoice] = {}
    for organisation_id, name, guest in rows:
        before = found.get(organisation_id, OrganisationChoice(organisation_id, name, ()))
        guests = (*before.guests, guest) if guest else before.guests
        found[organisation_id] = OrganisationChoice(organisation_id, name, guests)
    return list(found.values())


def change(
    actor: Actor,
    matter_id: uuid.UUID,
    document_ids: Collection[uuid.UUID],
    kind: str,
    organisation_ids: Collection[uuid.UUID] = (),
    *,
    seen: str = "",
) -> int:
    """Choose who can see documents. Returns how many changed. `seen`: the key of the audience that the form showed.

    Raises ConflictError where it has changed since.
    """
    if kind not in KINDS:
        raise InvalidError({"kind": "Choose who can see it."})
    with unit_of_work() as writing:
        permissions.require_control_exposure(actor, matter_id)
        matter = locked_matter(writing, matter_id)
        documents = locked_documents(writing, matter_id, document_ids)
        if not documents or len(documents) < len(set(document_ids)):
            raise NotFoundError("We could not find one of these documents.")
        before = of_documents(actor, documents)
        shared = common(actor, documents)
        if seen and (shared is None or shared.key != seen):
            raise refusal(ConflictError, "audience.changed")
        wanted = _wanted(writing, matter_id, kind, organisation_ids, before.values())
        changed = [each for each in documents.values() if before.get(each.id, EVERYBODY) != wanted]
        for document in changed:
            old, document.audience_id = document.audience_id, _add(writing, matter_id, wanted)
            writing.flush()
            if old is not None:
                writing.delete(writing.get_one(Audience, old))
            document.changed_at = matter.changed_at = utcnow()
            audit.record(
                actor,
                "document.audience_changed",
                document.name,
                subject_id=document.id,
                matter_id=matter_id,
                before=before.get(document.id, EVERYBODY).label,
                after=wanted.label,
            )
        return len(changed)


def _wanted(
    writing: Session,
    matter_id: uuid.UUID,
    kind: str,
    organisation_ids: Collection[uuid.UUID],
    before: Collection[AudienceView],
) -> AudienceView:
    """The audience that was chosen: only organisations that are in the matter, or were chosen before."""
    if kind == "everybody":
        return EVERYBODY
    if kind == "members":
        return AudienceView("members")
    here = (
        select(Member.organisation_id)
        .join(Participant, Participant.member_id == Member.id)
        .where(Participant.matter_id == matter_id, Member.is_guest)
    )
    known = {each for view in before for each in view.organisation_ids}
    rows: Sequence[Organisation] = writing.scalars(
        select(Organisation)
        .where(Organisation.id.in_(organisation_ids), Organisation.id.in_(here) | Organisation.id.in_(known))
        .order_by(Organisation.name_key)
    ).all()
    if not rows:
        raise InvalidError({"organisation": "Choose at least one organisation."})
    return AudienceView("organisations", tuple(each.id for each in rows), tuple(each.name for each in rows))


def _add(writing: Session, matter_id: uuid.UUID, wanted: AudienceView) -> uuid.UUID | None:
    """The row of an audience; None for everybody."""
    if wanted.kind == "everybody":
        return None
    audience = Audience(id=new_id(), matter_id=matter_id)
    writing.add(audience)
    writing.flush()
    writing.add_all(
        AudienceOrganisation(audience_id=audience.id, organisation_id=each)
        for each in wanted.organisation_ids
    )
    return audience.id
