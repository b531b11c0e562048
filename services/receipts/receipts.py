"""What a receipt says of a version, and issuing one. For members of the firm only."""

from __future__ import annotations

import tempfile
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select

from models import AuditEvent, Document, Link, Matter, Member, Participant, Server, new_id, utcnow
from sandbox import process
from services.access import server_access
from services.access.participation import has_access
from services.core import audit
from services.core.actor import Actor
from services.core.errors import NotFoundError, RefusedError
from services.core.runtime import runtime
from services.core.text.file_names import split
from services.core.unit_of_work import release, session, unit_of_work
from services.guidance.refusals import refusal
from services.matters import versions, visibility
from services.matters.versions import VersionView
from services.receipts import form, signing_keys

Facts = dict[str, Any]
MAX_EVENTS = 500
OF_DOCUMENT = frozenset(
    {
        "version.downloaded",
        "version.previewed",
        "version.compared",
        "version.made_current",
        "version.note_changed",
        "version.taken_back",
        "document.binned",
        "document.restored",
        "document.audience_changed",
    }
)
"""Audited actions on a document; those on one of its versions, or on two, name their numbers in their detail."""
OF_VERSION = frozenset({"version.held", "version.released"})
OF_GUEST = frozenset({"participant.added", "participant.removed", "participant.until_changed"})
"""Audited actions on a guest of the matter: they gain or lose sight of its documents."""


@dataclass(frozen=True)
class File:
    """A receipt to download."""

    name: str
    content: bytes


def of_version(actor: Actor, version_id: uuid.UUID) -> Facts:
    """The facts that a receipt would state now. Raises NotFoundError, also for guests."""
    return _facts(actor, _require(actor, version_id))


def issue(actor: Actor, version_id: uuid.UUID) -> File:
    """A signed receipt as JSON. Audited."""
    version = _require(actor, version_id)
    facts = _facts(actor, version)
    receipt = {
        "id": str(new_id()),
        "issued_at": _time(utcnow()),
        "issued_by": _person(actor.name, actor.email),
        "installation": runtime().settings.public_url,
    }
    with unit_of_work() as writing:
        content = form.sign({**facts, "receipt": receipt}, signing_keys.current(writing))
        audit.record(
            actor,
            "receipt.issued",
            version.document_name,
            subject_id=version.document_id,
            matter_id=version.matter_id,
            version=version.number,
            sha256=version.sha256,
            receipt=receipt["id"],
        )
    return File(f"{split(version.document_name).stem} v{version.number} receipt.json", content)


def issue_pdf(actor: Actor, version_id: uuid.UUID) -> File:
    """A receipt on one page, with the signed JSON attached. Audited."""
    receipt = issue(actor, version_id)
    release()
    try:
        with tempfile.TemporaryFile() as file:
            file.write(receipt.content)
            file.flush()
            content = process.run("print_receipt", [file])
    except process.SandboxError as error:
        raise refusal(RefusedError, "receipt.not_printed") from error
    return File(f"{split(receipt.name).stem}.pdf", content)


def _require(actor: Actor, version_id: uuid.UUID) -> VersionView:
    version = versions.require(actor, version_id)
    if actor.is_guest:
        raise NotFoundError("We could not find this version.")
    return version


def _facts(actor: Actor, version: VersionView) -> Facts:
    matter = session().get_one(Matter, version.matter_id)
    copies, hidden = _copies_in_imanage(actor, version)
    events, earlier = _events(version)
    since = version.released.at if version.released else version.at
    shared_at = None if version.held else since
    return {
        "matter": {
            "id": str(matter.id),
            "name": matter.name,
            "client_number": matter.client_number,
            "matter_number": matter.matter_number,
        },
        "document": {"id": str(version.document_id), "name": version.document_name},
        "version": {
            "id": str(version.id),
            "number": version.number,
            "file_name": version.file_name,
            "size": version.size,
            "sha256": version.sha256,
            "origin": version.origin,
            "added_at": _time(version.at),
            "added_by": version.by,
            "shared_at": _time(shared_at) if shared_at else None,
        },
        "guests": _guests(version) if shared_at else [],
        "imanage": copies,
        "imanage_not_shown": hidden,
        "events": events,
        "events_not_shown": earlier,
    }


def _copies_in_imanage(actor: Actor, version: VersionView) -> tuple[list[Facts], int]:
    """Where the version was got from and saved to, and how many are on servers that the actor may not see."""
    known = server_access.known_to(actor)
    rows = session().execute(
        select(Link, Member, Server)
        .join(Member, Member.id == Link.member_id)
        .join(Server, Server.id == Link.server_id)
        .where(Link.version_id == version.id)
        .order_by(Link.created_at, Link.id)
    )
    shown, hidden = [], 0
    for link, member, server in rows:
        if not known.may_use(server.id):
            hidden += 1
            continue
        shown.append(
            {
                "direction": link.direction,
                "server": server.name,
                "address": server.url,
                "library": link.library,
                "number": link.number,
                "version": link.version,
                "name": link.name,
                "at": _time(link.created_at),
                "by": _person(member.name, member.email),
                "unlinked_at": _time(link.ended_at) if link.ended_at else None,
            }
        )
    return shown, hidden


def _guests(version: VersionView) -> list[Facts]:
    """The guests who can see the version now, if it is not held."""
    rows = session().execute(
        select(Member.name, Member.organisation, Participant.added_at)
        .join(Participant, Participant.member_id == Member.id)
        .join(Document, Document.matter_id == Participant.matter_id)
        .where(Document.id == version.document_id, Member.is_guest, Member.is_active, has_access())
        .where(visibility.is_for(visibility.AUDIENCE_ID, Member.organisation_id))
        .order_by(Member.organisation, Member.name_key, Member.id)
    )
    return [
        {"name": name, "organisation": organisation, "in_matter_since": _time(since)}
        for name, organisation, since in rows
    ]


def _events(version: VersionView) -> tuple[list[Facts], int]:
    """What was done with the version and with its readers, oldest first, and how many earlier events are left out."""
    event = AuditEvent
    of_document = and_(event.subject_id == version.document_id, event.action.in_(OF_DOCUMENT))
    of_version = and_(event.subject_id == version.id, event.action.in_(OF_VERSION))
    of_guest = and_(Member.is_guest, event.action.in_(OF_GUEST))
    rows = session().execute(
        select(event.at, event.action, event.actor_name, event.detail, Member.name)
        .outerjoin(Member, and_(Member.id == event.subject_id, Member.is_guest))
        .where(event.matter_id == version.matter_id, event.outcome == "done")
        .where(or_(of_document, of_version, of_guest))
        .order_by(event.at, event.id)
    )
    found = []
    for at, action, by, detail, guest in rows:
        if version.number in (detail.get("version", version.number), detail.get("with_version")):
            about = {"guest": guest, "guests": detail.get("guests"), "until": detail.get("until")}
            about["audience"] = detail.get("after") if action == "document.audience_changed" else None
            known = {name: value for name, value in about.items() if value}
            found.append({"at": _time(at), "action": action, "by": by, **known})
    return found[-MAX_EVENTS:], max(0, len(found) - MAX_EVENTS)


def _person(name: str, email: str) -> Facts:
    return {"name": name, "email": email}


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
