"""The profile of new documents in iManage: what a class requires, remembered per workspace, checked before a save."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from imanage import customs
from imanage.client import Client
from imanage.errors import ImanageError
from imanage.ids import library_of
from models import Matter, Server, WorkspaceProfile, utcnow
from services.access import permissions
from services.access.server_access import label_for, require_use
from services.connections import tokens
from services.core import bulkhead
from services.core.actor import Actor
from services.core.errors import InvalidError
from services.core.unit_of_work import release, session, unit_of_work, upsert
from services.guidance.imanage_errors import remote_refusal
from services.servers import server_facts, transport

CLASS = "class"
LABELS = {"custom1": "Client", "custom2": "Matter"}
PARENTS = {"custom2": "custom1", "custom30": "custom29"}
"""A field that can only be set together with its parent."""
SENT_ANYWAY = frozenset({"name", "type", "extension", "comment"})
LONGEST_NAME, LONGEST_VALUE = 40, 200


@dataclass(frozen=True)
class ProfileField:
    """A required field of a class; `name` is iManage's."""

    name: str
    label: str
    value: str


@dataclass(frozen=True)
class ProfileForm:
    """The classes with required fields, the chosen one (empty: that of the folder), and its fields."""

    classes: tuple[str, ...]
    chosen: str
    fields: tuple[ProfileField, ...]


def form_for(
    actor: Actor, matter_id: uuid.UUID, server_id: uuid.UUID, workspace_id: str, chosen: str | None = None
) -> ProfileForm | None:
    """The form with what this member last saved to the workspace; None for a server whose classes require nothing.

    `chosen` is another class than that. Client and matter begin with the matter's own numbers.
    """
    matter = permissions.require_transfer(actor, matter_id)
    required = _required(require_use(actor.id, server_id))
    if not required:
        return None
    row = session().get(WorkspaceProfile, (actor.id, server_id, workspace_id)) if workspace_id else None
    known = row.profile if row else {}
    chosen = known.get(CLASS, "") if chosen is None else chosen
    values = _numbers(matter) | known
    return ProfileForm(
        tuple(sorted(required)),
        chosen,
        tuple(ProfileField(name, label_of(name), values.get(name, "")) for name in required.get(chosen, ())),
    )


def label_of(name: str) -> str:
    """What the form calls a field of iManage."""
    return LABELS.get(name) or name.replace("custom", "custom ").replace("_", " ").capitalize()


def check(actor: Actor, server_id: uuid.UUID, folder_id: str, given: Mapping[str, str]) -> dict[str, str]:
    """The profile to send with new documents. One remote call for each custom field. Raises InvalidError."""
    server = require_use(actor.id, server_id)
    chosen, required = given.get(CLASS, ""), _required(server)
    if chosen not in required:
        return {}
    values = {name: given.get(name, "") for name in required[chosen]}
    if missing := [label_of(name) for name, value in values.items() if not value]:
        raise InvalidError({"profile": f"Class {chosen} requires: {', '.join(missing)}."})
    library, label = library_of(folder_id), label_for(actor.id, server)
    kept_in_tables = [name for name in values if name.startswith("custom")]

    def unknown(client: Client) -> list[str]:
        return [name for name in kept_in_tables if not customs.has_value(client, library, name, values[name])]

    outbound = transport.outbound(server, for_page=True)
    release()
    try:
        with bulkhead.slot(actor.id):
            wrong = tokens.with_client(actor.id, server_id, unknown, outbound)
    except ImanageError as error:
        raise remote_refusal(error, label) from error
    if wrong:
        named = ", ".join(f"{label_of(name)} “{values[name]}”" for name in wrong)
        raise InvalidError({"profile": f"{label} does not know {named}."})
    return {CLASS: chosen, **values}


def remember(actor: Actor, server_id: uuid.UUID, workspace_id: str, profile: Mapping[str, str]) -> None:
    """Begin the next form for this workspace with this profile."""
    if not workspace_id:
        return
    kept = {"profile": dict(profile), "changed_at": utcnow()}
    keys = {"member_id": actor.id, "server_id": server_id, "workspace_id": workspace_id}
    with unit_of_work() as writing:
        row = upsert(WorkspaceProfile).values(**keys, **kept)
        writing.execute(row.on_conflict_do_update(index_elements=list(keys), set_=kept))


def _required(server: Server) -> dict[str, tuple[str, ...]]:
    """By class, the fields that the form asks for, each after its parent."""
    found: dict[str, tuple[str, ...]] = {}
    for name, listed in server_facts.of(server).required_fields.items():
        fields = [field.strip() for field in listed.split(",")]
        asked = [each for field in fields for each in (PARENTS.get(field, ""), field)]
        if kept := tuple(dict.fromkeys(each for each in asked if each and each not in SENT_ANYWAY)):
            found[name] = kept
    return found


def _numbers(matter: Matter) -> dict[str, str]:
    return {"custom1": matter.client_number, "custom2": matter.matter_number}
