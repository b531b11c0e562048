"""The workspace of a matter on a server: found by the matter's numbers, offered once, remembered, changeable."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from imanage import containers
from models import Matter, MatterWorkspace, utcnow
from services.access import permissions
from services.access.server_access import require_use
from services.connections import tokens
from services.core import audit
from services.core.actor import Actor
from services.core.unit_of_work import session, unit_of_work, upsert
from services.picker.browse import Step, call_imanage

MOST_OFFERED = 3
LONGEST_NAME = 300


@dataclass(frozen=True)
class Offer:
    """A workspace in iManage that has the matter's numbers."""

    step: Step
    client: str
    matter: str


def remembered(matter_id: uuid.UUID, server_id: uuid.UUID) -> Step | None:
    """The workspace of the matter on this server, if somebody chose one."""
    row = session().get(MatterWorkspace, (matter_id, server_id))
    return Step("workspace", row.workspace_id, row.name) if row and row.workspace_id else None


def may_offer(matter_id: uuid.UUID, server_id: uuid.UUID) -> bool:
    """Whether the matter has a number and nobody has chosen or declined a workspace yet."""
    if session().get(MatterWorkspace, (matter_id, server_id)) is not None:
        return False
    return bool(session().get_one(Matter, matter_id).matter_number)


def offers(actor: Actor, matter_id: uuid.UUID, server_id: uuid.UUID) -> tuple[Offer, ...]:
    """The workspaces that have the matter's numbers; none if there are too many to choose from. One remote call."""
    matter = permissions.require_transfer(actor, matter_id)
    numbers = matter.client_number, matter.matter_number
    if not may_offer(matter_id, server_id):
        return ()
    preferred = tokens.home_of(actor.id, server_id).library
    found = call_imanage(
        actor,
        server_id,
        lambda client: containers.workspaces_of_matter(client, *numbers, preferred=preferred),
        "searching",
    )
    if len(found.items) > MOST_OFFERED:
        return ()
    return tuple(
        Offer(Step("workspace", each.id, each.name or each.id), each.client or "", each.matter or "")
        for each in found.items
    )


def remember(actor: Actor, matter_id: uuid.UUID, server_id: uuid.UUID, workspace: Step | None) -> None:
    """Make this the workspace of the matter for everybody in it; None for no workspace."""
    with unit_of_work() as writing:
        matter = permissions.require_transfer(actor, matter_id)
        server = require_use(actor.id, server_id)
        chosen = {
            "workspace_id": workspace.id if workspace else "",
            "name": workspace.name[:LONGEST_NAME] if workspace else "",
            "changed_at": utcnow(),
        }
        row = upsert(MatterWorkspace).values(matter_id=matter_id, server_id=server_id, **chosen)
        writing.execute(row.on_conflict_do_update(index_elements=["matter_id", "server_id"], set_=chosen))
        audit.record(
            actor,
            "matter.workspace_chosen" if workspace else "matter.workspace_declined",
            matter.name,
            subject_id=matter_id,
            matter_id=matter_id,
            server_id=server.id,
            workspace=chosen["workspace_id"],
        )
