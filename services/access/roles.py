"""What each role may do in a matter: one table, applied by the permissions and shown on the People tab."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from services.core.actor import Actor

ROLES = ("lead", "editor", "viewer")
READER = "viewer"
"""The role that everybody has in an archived matter."""
LEAD, EDITORS = frozenset({"lead"}), frozenset({"lead", "editor"})


class Right(StrEnum):
    """The values are also variants of the error code `forbidden`."""

    READ = "read"
    CHANGE_DOCUMENTS = "change_documents"
    REMOVE_DOCUMENTS = "remove_documents"
    TRANSFER = "transfer"
    CONTROL_EXPOSURE = "control_exposure"
    CHANGE_INDEX = "change_index"
    VIEW_AS = "view_as"
    MANAGE_PEOPLE = "manage_people"
    CHANGE_MATTER = "change_matter"


@dataclass(frozen=True)
class Rule:
    """`label` is the row of the table. Guests never have a right that is not `for_guests`, whatever their role."""

    label: str
    roles: frozenset[str]
    for_guests: bool = False


RULES: dict[Right, Rule] = {
    Right.READ: Rule("Read and download documents", frozenset(ROLES), for_guests=True),
    Right.CHANGE_DOCUMENTS: Rule("Add and rename documents, add versions", EDITORS, for_guests=True),
    Right.REMOVE_DOCUMENTS: Rule("Move documents to the bin and restore them", EDITORS),
    Right.TRANSFER: Rule("Get from iManage and save to it", EDITORS),
    Right.CONTROL_EXPOSURE: Rule("Hold and release versions, choose who can see a document", EDITORS),
    Right.CHANGE_INDEX: Rule("Change the closing index", EDITORS),
    Right.VIEW_AS: Rule("View the matter as a guest", EDITORS),
    Right.MANAGE_PEOPLE: Rule("Invite, add and remove people, change roles and end dates", LEAD),
    Right.CHANGE_MATTER: Rule(
        "Change details and the undertaking, archive the matter or move it to the bin", LEAD
    ),
}


@dataclass(frozen=True)
class Row:
    """A row of the table as it is shown: which of ROLES have the right, and whether guests of these roles have it."""

    label: str
    roles: tuple[bool, ...]
    for_guests: bool


def table(actor: Actor) -> tuple[Row, ...]:
    """The table; guests see the rights that they can have."""
    return tuple(
        Row(rule.label, tuple(role in rule.roles for role in ROLES), rule.for_guests)
        for rule in RULES.values()
        if rule.for_guests or not actor.is_guest
    )


def allows(right: Right, role: str | None, *, is_guest: bool) -> bool:
    rule = RULES[right]
    return role in rule.roles and (rule.for_guests or not is_guest)
