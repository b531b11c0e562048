"""Validation of a server's name, credentials and uniqueness, with the sentences of the form."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError

from models import Server
from services.core.errors import InvalidError
from services.core.text.normalise import fold
from services.core.unit_of_work import session
from services.servers.transport import CLOUD

LONGEST_KEY = 200
NAME_TAKEN = "There is already a server with this name: “{}”. Letter case and accents do not count."
URL_TAKEN = "This server has already been added as “{}”."


def name_problem(name: str) -> str | None:
    """Why a clean line is not accepted as a name, None where it is."""
    if "<" in name or ">" in name:
        return "The name cannot contain “<” or “>”."
    if not any(character.isalnum() for character in name):
        return "The name must contain a letter or digit."
    if len(fold(name)) > LONGEST_KEY:
        return "This name is too long. Use a shorter one."
    return None


def missing_credentials(client_id: str, has_secret: bool) -> dict[str, str]:
    """A sentence for each of the two that is missing."""
    needed = {
        "client_id": (bool(client_id), "Enter the Client ID from iManage."),
        "client_secret": (has_secret, "Enter the Client Secret from iManage."),
    }
    return {name: sentence for name, (is_there, sentence) in needed.items() if not is_there}


def address_field(kind: str) -> str:
    """The form field for sentences about the server's address."""
    return "subdomain" if kind == CLOUD else "url"


def taken(kind: str, name: str, url: str | None, except_id: uuid.UUID | None = None) -> dict[str, str]:
    """A sentence for each that another server has, by field. The database's constraints decide a race: see `unique`."""
    found = {}
    others = _others(except_id)
    if other := session().scalar(others.where(Server.name_key == fold(name))):
        found["name"] = NAME_TAKEN.format(other.name)
    if url is not None and (other := session().scalar(others.where(Server.url == url))):
        found[address_field(kind)] = URL_TAKEN.format(other.name)
    return found


@contextmanager
def unique(kind: str, name: str, url: str | None, except_id: uuid.UUID | None = None) -> Iterator[None]:
    """Turn an IntegrityError into an InvalidError with the sentences of `taken`, where another request was first."""
    try:
        yield
    except IntegrityError as error:
        if found := taken(kind, name, url, except_id):
            raise InvalidError(found) from error
        raise


def confusions(name: str, url: str, api_url: str, except_id: uuid.UUID | None = None) -> tuple[str, ...]:
    """Warnings about servers that could be confused with this one."""
    origins = {url, api_url}
    warnings = []
    for other in session().scalars(_others(except_id).order_by(Server.name_key)):
        if host_of(other.url) == host_of(url) or origins & {other.url, other.api_url}:
            warnings.append(f"“{other.name}” is on the same host. Check that they are not the same server.")
        elif _first_word(other.name) == _first_word(name):
            warnings.append(
                f"“{other.name}” starts with the same word. Choose names that members can easily tell apart."
            )
    return tuple(warnings)


def host_of(origin: str) -> str:
    return urlsplit(origin).hostname or origin


def _first_word(name: str) -> str:
    return fold(name).partition(" ")[0]


def _others(except_id: uuid.UUID | None) -> Select[Server]:
    return select(Server).where(Server.id != except_id) if except_id else select(Server)
