"""What can be known of a save before its first byte, and the choice that goes with it.

`onto_twin` and `as_new_document` judge facts and ask nobody. `look` asks iManage once about the twin of one document,
`start` asks again at the press: what was known then is not found out by a failed transfer.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select

from copying.values import NewDocument
from imanage.errors import ImanageError
from imanage.types import Document as RemoteDocument
from models import Document, Transfer, Version
from services.access import permissions
from services.access.server_access import label_for, require_use
from services.connections import clients
from services.core.actor import Actor
from services.core.errors import InvalidError, NotFoundError
from services.core.text.file_names import split
from services.core.text.imanage_names import name_problem, nearest, type_problem
from services.core.unit_of_work import release, session
from services.guidance.imanage_errors import remote_refusal
from services.transfers import links, requests, update_check
from services.transfers.links import TwinStatus
from services.transfers.requests import REPLACE, SaveCommand
from services.transfers.twin_states import GONE, TwinFacts

OTHER_TYPE = "other_type"
MOVED_ON = "moved_on"
CHECKED_OUT = "checked_out"
EMPTY = "empty"


@dataclass(frozen=True)
class Concern:
    """One thing to know before the first byte.

    `accept` is the value of the tick with which a person goes on all the same, and `label` its words; where it is
    empty, nothing can be saved this way. `newer` is the version there that could be got first; `brief` says it in a
    row of many.
    """

    code: str
    title: str
    sentence: str
    accept: str = ""
    label: str = ""
    newer: str = ""
    since: datetime | None = None
    brief: str = ""

    @property
    def short(self) -> str:
        return self.brief or self.title


@dataclass(frozen=True)
class Ours:
    """The version here that would be saved. `extension` is without its dot."""

    name: str
    extension: str
    size: int


@dataclass(frozen=True)
class Holder:
    """Who has the document checked out there, and since when where iManage says so."""

    name: str
    since: datetime | None


@dataclass(frozen=True)
class Check:
    """What is known of a save onto the twin. `unasked` says why iManage could not be asked; empty where it was."""

    status: TwinStatus
    concerns: tuple[Concern, ...]
    unasked: str = ""


class UnsettledError(InvalidError):
    """There is something that the person has to know or to choose first. Nothing was put on record."""

    def __init__(self, check: Check, sentence: str) -> None:
        super().__init__({"twin": sentence})
        self.check = check


def onto_twin(
    target: str,
    ours: Ours,
    facts: TwinFacts,
    extension_there: str,
    holder: Holder | None = None,
    label: str = "iManage",
    newer_id: str = "",
) -> tuple[Concern, ...]:
    """What stands against a new version of the twin, or against replacing its latest one. Asks nobody."""
    if facts.is_out_of_reach:
        return (_out_of_reach(facts.access, label),)
    found = []
    if not ours.size:
        found.append(empty(ours.name, label))
    if facts.has_nothing_to_save:
        found.append(_there_already(facts, label))
    elif facts.latest > facts.had:
        found.append(_moved_on(target, facts, label, newer_id))
    if holder is not None:
        found.append(_checked_out(holder, label))
    if _differ(ours.extension, extension_there):
        found.append(_other_type(ours.extension, extension_there))
    return tuple(found)


def as_new_document(ours: Ours, stem: str, extension: str, label: str = "iManage") -> dict[str, str]:
    """By field, why this cannot become a new document under this name; nothing where it can. Asks nobody."""
    problems = {}
    if not ours.size:
        problems["target"] = empty(ours.name, label).sentence
    if problem := name_problem(stem):
        problems["name"] = problem
    if problem := type_problem(ours.extension or extension):
        problems["extension"] = problem
    return problems


def empty(name: str, label: str) -> Concern:
    return Concern(
        EMPTY,
        "This file is empty",
        f"{name} is empty (0 bytes), so it cannot be saved to {label}. Add a version with content first.",
        brief="empty",
    )


def look(actor: Actor, document_id: uuid.UUID, server_id: uuid.UUID, target: str) -> Check | None:
    """What is known of saving the current version onto its twin; None where it has none. One remote call.

    Where iManage cannot be asked, what is on record here is said. Raises SignInNeededError.
    """
    version = _current(actor, document_id)
    server = require_use(actor.id, server_id)
    label = label_for(actor.id, server)
    status = _status(actor, document_id, server_id)
    if status is None:
        return None
    ours = _ours(version)
    me = clients.home_of(actor.id, server_id).user_id
    there, unasked = split(status.twin.name).extension, ""
    holder, newer_id, facts = None, "", status.facts
    twin = update_check.twin_of(status)
    release()
    try:
        seen = update_check.look(actor, twin)
    except ImanageError as error:
        unasked = remote_refusal(error, label).sentence
    else:
        if seen.document is not None and seen.latest is not None:
            facts, there = facts.as_seen(seen.latest), seen.document.extension
            holder, newer_id = holder_of(seen.document, me), str(seen.document.id)
        else:
            facts = replace(facts, access=seen.access)
    concerns = onto_twin(target, ours, facts, there, holder, label, newer_id)
    return Check(replace(status, facts=facts), concerns, unasked)


def start(actor: Actor, command: SaveCommand, accepted: Collection[str] = ()) -> uuid.UUID:
    """Put the save on record unless something stands against it that the person has not accepted.

    Raises UnsettledError for a save onto a twin, InvalidError for a new document; the same request again finds its
    transfer.
    """
    if (known := _same_request(actor, command.request_key)) is not None:
        return known
    if isinstance(command.target, NewDocument):
        ours = _ours(_current(actor, command.document_id))
        label = label_for(actor.id, require_use(actor.id, command.server_id))
        if problems := as_new_document(ours, command.name or split(ours.name).stem, command.extension, label):
            raise InvalidError(problems)
        return requests.start_save(actor, command)
    check = look(actor, command.document_id, command.server_id, command.target.kind)
    if check is None:
        return requests.start_save(actor, command)
    open_ones = [each for each in check.concerns if not each.accept or each.accept not in accepted]
    if open_ones:
        raise UnsettledError(check, " ".join(each.title + "." for each in open_ones))
    return requests.start_save(actor, replace(command, over=_over(check, accepted)))


def suggested(stem: str) -> str:
    """The name that iManage would take; empty where it takes this one."""
    return nearest(stem) if name_problem(stem) and stem.strip() else ""


def holder_of(document: RemoteDocument, me: str) -> Holder | None:
    """Who else has it checked out."""
    if not (document.is_checked_out or document.in_use):
        return None
    if document.in_use_by and document.in_use_by.casefold() == me.casefold():
        return None
    return Holder(document.in_use_by_name or document.in_use_by or "someone", document.checkout_at)


def _over(check: Check, accepted: Collection[str]) -> int:
    """The version there that the person saw and saves on top of."""
    moved = any(each.code == MOVED_ON for each in check.concerns if each.accept in accepted)
    return check.status.facts.latest if moved else 0


def _moved_on(target: str, facts: TwinFacts, label: str, newer_id: str) -> Concern:
    said = f"The latest version there is {facts.latest}. The last one you had here was {facts.had}."
    if target == REPLACE:
        return Concern(
            MOVED_ON,
            f"{label} has a newer version",
            f"{said} Replacing it would overwrite version {facts.latest}. "
            "Get it first, or choose Save as new version.",
            newer=newer_id,
        )
    return Concern(
        MOVED_ON,
        brief=f"{label} has a newer version, {facts.latest}",
        title=f"{label} has a newer version",
        sentence=f"{said} Get it first to see what changed.",
        accept=f"{MOVED_ON}-{facts.latest}",
        label=f"Save on top of version {facts.latest} anyway",
        newer=newer_id,
    )


def _checked_out(holder: Holder, label: str) -> Concern:
    return Concern(
        CHECKED_OUT,
        f"Checked out by {holder.name}",
        f"You cannot save to it until it is checked in to {label}. "
        "Ask them to check it in, or choose Save as new document.",
        since=holder.since,
        brief=f"checked out by {holder.name}",
    )


def _there_already(facts: TwinFacts, label: str) -> Concern:
    return Concern(
        "there_already",
        "There is nothing to save",
        f"Version {facts.held} in {label} is identical to this file.",
    )


def _out_of_reach(access: str, label: str) -> Concern:
    if access == GONE:
        return Concern(
            "lost",
            f"The document is no longer in {label}",
            "Choose Save as new document to save it again.",
            brief="lost",
        )
    return Concern(
        "no_access",
        f"You cannot see the document in {label}",
        "Ask for access in iManage, or choose Save as new document.",
        brief="no access",
    )


def _other_type(ours: str, theirs: str) -> Concern:
    ours, theirs = ours.lower(), theirs.lower()
    return Concern(
        OTHER_TYPE,
        "The file types differ",
        f"This file is .{ours} and the document in iManage is .{theirs}, so its type would change. "
        "Choose Save as new document to keep both.",
        accept=OTHER_TYPE,
        label=f"Save as .{ours} anyway",
        brief=f"is .{theirs} in iManage",
    )


def _differ(ours: str, theirs: str) -> bool:
    return bool(ours and theirs) and ours.casefold() != theirs.casefold()


def _ours(version: Version) -> Ours:
    return Ours(version.file_name, split(version.file_name).extension, version.size)


def _current(actor: Actor, document_id: uuid.UUID) -> Version:
    row = (
        session()
        .execute(
            select(Document.matter_id, Version)
            .join(Version, Version.id == Document.current_version_id)
            .where(Document.id == document_id)
        )
        .one_or_none()
    )
    if row is None:
        raise NotFoundError("We could not find this document.")
    permissions.require_transfer(actor, row.matter_id)
    version: Version = row.Version
    return version


def _status(actor: Actor, document_id: uuid.UUID, server_id: uuid.UUID) -> TwinStatus | None:
    statuses = links.for_documents(actor, [document_id]).get(document_id, ())
    return next((each for each in statuses if each.twin.server_id == server_id), None)


def _same_request(actor: Actor, request_key: uuid.UUID) -> uuid.UUID | None:
    return session().scalar(
        select(Transfer.id).where(Transfer.request_key == request_key, Transfer.member_id == actor.id)
    )
