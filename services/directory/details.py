"""The details of a member: normalised, validated and written alike when added and when changed."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from models import Member
from services.core.errors import InvalidError
from services.core.text.email_addresses import email_key, email_problem
from services.core.text.normalise import clean_line, hidden_characters, search_fold
from services.core.unit_of_work import session
from services.directory import organisations
from services.directory.organisations import OrganisationName
from services.directory.search import key_of
from services.mail import server_state

LONGEST_NAME = 200
LONGEST_NAME_KEY = 400
CANNOT_BE_WRITTEN_TO = (
    "Your mail server does not support this address. "
    "Enter one with only letters from a to z, digits and symbols before the @."
)
TAKEN = "A member with this email address already exists, perhaps deactivated."


@dataclass(frozen=True)
class Details:
    name: str
    email: str
    organisation: str = ""
    is_admin: bool = False
    is_guest: bool = False

    def normalised(self) -> Details:
        return replace(
            self,
            name=clean_line(self.name),
            email=clean_line(self.email),
            organisation=clean_line(self.organisation),
        )


def problems(details: Details) -> dict[str, str]:
    """Validation errors of normalised details, by field."""
    found = {
        "name": _line_problem(details.name, "Enter a name."),
        "organisation": _line_problem(
            details.organisation, "Enter an organisation." if details.is_guest else None
        ),
        "email": email_problem(details.email) or _mail_problem(details.email),
        "is_admin": "A guest cannot be a System Admin." if details.is_guest and details.is_admin else None,
    }
    return {field: sentence for field, sentence in found.items() if sentence}


def email_taken(details: Details, except_id: uuid.UUID | None = None) -> dict[str, str]:
    """A validation error if the email address belongs to another member."""
    others = select(Member.id).where(Member.email_key == email_key(details.email), Member.id != except_id)
    return {"email": TAKEN} if details.email and session().scalar(others) else {}


def write(row: Member, details: Details) -> None:
    """Write normalised, valid details to the row, in the open unit of work.

    Raises InvalidError if another member has the email address.
    """
    if found := email_taken(details, row.id):
        raise InvalidError(found)
    known = organisations.require([details.organisation]) if details.is_guest else {}
    for each in known.values():
        if each.id == row.organisation_id and each.name != details.organisation:
            organisations.rename(each.id, details.organisation)
            known = organisations.require([details.organisation])
    for column, value in values_of(details, known).items():
        setattr(row, column, value)
    session().add(row)
    try:
        session().flush()
    except IntegrityError as error:
        raise InvalidError({"email": TAKEN}) from error


def values_of(details: Details, known: Mapping[str, OrganisationName]) -> dict[str, Any]:
    """The columns of normalised, valid details, with the keys for comparing and searching.

    `known`: from organisations.require(), with the organisation of a guest.
    """
    organisation = known.get(organisations.key_of(details.organisation)) if details.is_guest else None
    return {
        "name": details.name,
        "name_key": search_fold(details.name)[:LONGEST_NAME_KEY],
        "email": details.email,
        "email_key": email_key(details.email),
        "search_key": key_of(details.name, details.email),
        "organisation": organisation.name if organisation else details.organisation,
        "organisation_id": organisation.id if organisation else None,
        "is_admin": details.is_admin,
        "is_guest": details.is_guest,
    }


def _mail_problem(email: str) -> str | None:
    local = email.rpartition("@")[0]
    return None if local.isascii() or server_state.takes_utf8_addresses() else CANNOT_BE_WRITTEN_TO


def _line_problem(text: str, if_empty: str | None) -> str | None:
    if not text:
        return if_empty
    if len(text) > LONGEST_NAME:
        return f"Use {LONGEST_NAME} characters or fewer."
    if hidden_characters(text):
        return "This contains an invisible character. Type it again."
    return None
