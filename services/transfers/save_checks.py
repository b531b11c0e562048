"""Checks before a save, and the choices they offer.

`onto_twin` and `as_new_document` are pure. `check_twin` asks iManage once about the twin of one document, `check_other`
about any other document; `start` asks again, so that a known problem does not first appear as a failed transfer.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select

from copying.values import NewDocument, NewVersion, Replace
from imanage.errors import ImanageError
from imanage.ids import VersionId
from imanage.types import Document as RemoteDocument
from models import Document, Transfer, Version
from services.access import permissions
from services.access.server_access import label_for, require_use
from services.connections import tokens
from services.core.actor import Actor
from services.core.errors import InvalidError, NotFoundError
from services.core.text.file_names import split
from services.core.text.imanage_names import name_problem, nearest, type_problem
from services.core.unit_of_work import release, session
from services.guidance.imanage_errors import remote_refusal
from services.guidance.refusals import advice_for
from services.transfers import links, profile_forms, requests, update_check
from services.transfers.links import TwinStatus
from services.transfers.requests import OTHER_VERSION, REPLACE, SaveCommand
from services.transfers.twin_states import GONE, TwinFacts
from services.transfers.update_check import Twin

OTHER_TYPE = "other_type"
MOVED_ON = "moved_on"
CHECKED_OUT = "checked_out"
EMPTY = "empty"


@dataclass(frozen=True)
class Concern:
    """One problem with a save.

    `accept` is the value of the tick box that accepts it, and `label` its text; if it is empty, nothing can be saved
    this way. `newer` is the version in iManage to get first; `brief` is for a row of many.
    """

    code: str
    brief: str
    title: str = ""
    sentence: str = ""
    label: str = ""
    accept: str = ""
    newer: str = ""
    since: datetime | None = None


@dataclass(frozen=True)
class Ours:
    """The version here to be saved. `extension` has no dot."""

    name: str
    extension: str
    size: int


@dataclass(frozen=True)
class Holder:
    """Who has the document checked out in iManage, and since when if iManage says so."""

    name: str
    since: datetime | None


@dataclass(frozen=True)
class Check:
    """The check of a save to the twin, or to another document: then `status` is None.

    `not_checked` says why iManage could not be asked; empty if it was.
    """

    facts: TwinFacts
    concerns: tuple[Concern, ...]
    status: TwinStatus | None = None
    not_checked: str = ""


class UnacceptedConcernsError(InvalidError):
    """There are problems that the member has not accepted. Nothing was recorded."""

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
    """Problems with saving a new version of the twin, or with replacing its latest one. Pure."""
    types = {"ours": ours.extension.lower(), "theirs": extension_there.lower()}
    words = {"name": ours.name, "label": label} | types | vars(facts)
    if facts.is_out_of_reach:
        return (_concern("lost" if facts.access == GONE else "no_access", words),)
    found = []
    if not ours.size:
        found.append(_concern(EMPTY, words))
    if facts.has_nothing_to_save:
        found.append(_concern("there_already", words))
    elif facts.has_moved_on:
        accept = "" if target == REPLACE else f"{MOVED_ON}-{facts.latest}"
        variant = "rewritten" if facts.is_rewritten else target
        found.append(_concern(MOVED_ON, words, variant, accept=accept, newer=newer_id))
    if holder is not None:
        found.append(_concern(CHECKED_OUT, words | {"holder": holder.name}, since=holder.since))
    if types["ours"] and types["theirs"] and types["ours"] != types["theirs"]:
        found.append(_concern(OTHER_TYPE, words, accept=OTHER_TYPE))
    return tuple(found)


def _concern(code: str, words: Mapping[str, object], variant: str = "", **more: Any) -> Concern:
    advice = advice_for(f"save.{code}", variant)
    texts = (advice.title, f"{advice.sentence} {advice.next_step}".strip(), advice.accept)
    title, sentence, label = (text.format(**words) for text in texts)
    brief = advice.brief.format(**words) or title
    return Concern(code, brief, title, sentence, label, **more)


def as_new_document(ours: Ours, stem: str, extension: str, label: str = "iManage") -> dict[str, str]:
    """By field, why this cannot become a new document with this name; empty if it can. Pure."""
    problems = {}
    if not ours.size:
        problems["target"] = _concern(EMPTY, {"name": ours.name, "label": label}).sentence
    if problem := name_problem(stem):
        problems["name"] = problem
    if problem := type_problem(ours.extension or extension):
        problems["extension"] = problem
    return problems


def check_twin(actor: Actor, document_id: uuid.UUID, server_id: uuid.UUID, target: str) -> Check | None:
    """The check of saving the current version to its twin; None if it has none. One remote call.

    If iManage cannot be asked, the result is that of the last check. Raises SignInNeededError.
    """
    version = _current(actor, document_id)
    server = require_use(actor.id, server_id)
    label = label_for(actor.id, server)
    status = links.on_server(actor, [document_id], server_id).get(document_id)
    if status is None:
        return None
    ours = _ours(version)
    me = tokens.home_of(actor.id, server_id).user_id
    there, not_checked = split(status.twin.name).extension, ""
    holder, newer_id, facts = None, "", status.facts
    twin = update_check.twin_of(status)
    release()
    try:
        checks = update_check.fetch(actor, twin)
    except ImanageError as error:
        not_checked = remote_refusal(error, label).sentence
    else:
        if checks.document is not None and checks.latest is not None:
            facts, there = facts.as_seen(checks.latest, checks.checksum), checks.document.extension
            holder, newer_id = holder_of(checks.document, me), str(checks.document.id)
        else:
            facts = replace(facts, access=checks.access)
    concerns = onto_twin(target, ours, facts, there, holder, label, newer_id)
    return Check(facts, concerns, replace(status, facts=facts), not_checked)


def check_other(actor: Actor, document_id: uuid.UUID, server_id: uuid.UUID, onto: VersionId) -> Check:
    """The check of saving the current version onto a document that is not its twin. One remote call.

    `onto` is the version that the member chose. Raises SignInNeededError and RemoteRefusedError.
    """
    version = _current(actor, document_id)
    server = require_use(actor.id, server_id)
    label = label_for(actor.id, server)
    me = tokens.home_of(actor.id, server_id).user_id
    release()
    try:
        found = update_check.fetch(actor, Twin(server_id, onto.document, onto))
    except ImanageError as error:
        raise remote_refusal(error, label) from error
    latest = found.latest or onto.version
    chosen = min(onto.version, latest)
    is_there = found.document is not None and found.document.checksum == version.sha256
    facts = TwinFacts(
        here=version.number,
        latest=latest,
        held=latest if is_there else None,
        base=chosen,
        had=chosen,
        access=found.access,
    )
    there = found.document.extension if found.document else ""
    holder = holder_of(found.document, me) if found.document else None
    return Check(facts, onto_twin(OTHER_VERSION, _ours(version), facts, there, holder, label))


def start(actor: Actor, command: SaveCommand, accepted: Collection[str] = ()) -> uuid.UUID:
    """Start the save unless it has problems that the member has not accepted.

    Raises UnacceptedConcernsError for a save to a twin, InvalidError for a new document. Idempotent by the request key.
    """
    if (known := started_with(actor, command.request_key)) is not None:
        return known
    if isinstance(command.target, NewDocument):
        ours = _ours(_current(actor, command.document_id))
        label = label_for(actor.id, require_use(actor.id, command.server_id))
        if problems := as_new_document(ours, command.name or split(ours.name).stem, command.extension, label):
            raise InvalidError(problems)
        profile = profile_forms.check(actor, command.server_id, command.target.folder_id, command.profile)
        transfer_id = requests.start_save(actor, replace(command, profile=profile))
        profile_forms.remember(actor, command.server_id, command.workspace_id, profile)
        return transfer_id
    status = links.on_server(actor, [command.document_id], command.server_id).get(command.document_id)
    is_twin = status is not None and status.onto.document == command.target.onto.document
    check: Check | None
    if is_twin or isinstance(command.target, Replace):
        check = check_twin(actor, command.document_id, command.server_id, command.target.kind)
    else:
        check = check_other(actor, command.document_id, command.server_id, command.target.onto)
    if check is None:
        return requests.start_save(actor, command)
    open_ones = [each for each in check.concerns if not each.accept or each.accept not in accepted]
    if open_ones:
        raise UnacceptedConcernsError(check, " ".join(each.title + "." for each in open_ones))
    target = command.target
    if check.status is None:
        target = NewVersion(target.onto.document.at(check.facts.had))
    return requests.start_save(actor, replace(command, target=target, over=_over(check, accepted)))


def suggested(stem: str) -> str:
    """The nearest name that iManage accepts; empty if it accepts this one."""
    return nearest(stem) if name_problem(stem) and stem.strip() else ""


def holder_of(document: RemoteDocument, me: str) -> Holder | None:
    """Who has it checked out, unless it is the member."""
    if not (document.is_checked_out or document.in_use):
        return None
    if document.in_use_by and document.in_use_by.casefold() == me.casefold():
        return None
    return Holder(document.in_use_by_name or document.in_use_by or "someone", document.checkout_at)


def _over(check: Check, accepted: Collection[str]) -> int:
    """The version in iManage that the member saw and saves on top of; 0 for that of the twin as it was known."""
    if any(each.code == MOVED_ON for each in check.concerns if each.accept in accepted):
        return check.facts.latest
    return 0 if check.status else check.facts.had


def _ours(version: Version) -> Ours:
    return Ours(version.file_name, split(version.file_name).extension, version.size)


def _current(actor: Actor, document_id: uuid.UUID) -> Version:
    query = select(Document.matter_id, Version).join(Version, Version.id == Document.current_version_id)
    row = session().execute(query.where(Document.id == document_id)).one_or_none()
    if row is None:
        raise NotFoundError("We could not find this document.")
    permissions.require_transfer(actor, row.matter_id)
    version: Version = row.Version
    return version


def started_with(actor: Actor, request_key: uuid.UUID) -> uuid.UUID | None:
    """The actor's transfer with this idempotency key."""
    return session().scalar(
        select(Transfer.id).where(Transfer.request_key == request_key, Transfer.member_id == actor.id)
    )
