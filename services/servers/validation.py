"""What must hold of a server's name, credentials and place among the others, each with its own sentence."""

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
NAME_TAKEN = (
    "A server with this name is there already: “{}”. Letter case and accents do not count. Choose another."
)
URL_TAKEN = "This server is there already under the name “{}”. The same server cannot be added twice."


def name_problem(name: str) -> str | None:
    """What a name must be beyond a clean line: readable text that no page could take for markup."""
    if "<" in name or ">" in name:
        return "Leave out “<” and “>”: a name is shown as plain text."
    if not any(character.isalnum() for character in name):
        return "Use at least one letter or digit."
    if len(fold(name)) > LONGEST_KEY:
        return "This name is too long to be compared with others. Use a shorter one."
    return None


def check_name(name: str) -> None:
    if problem := name_problem(name):
        raise InvalidError({"name": problem})


def check_credentials(client_id: str, has_secret: bool) -> None:
    if missing := missing_credentials(client_id, has_secret):
        raise InvalidError(missing)


def missing_credentials(client_id: str, has_secret: bool) -> dict[str, str]:
    """A sentence at each of the two that is not there."""
    needed = {
        "client_id": (bool(client_id), "Enter the Client ID that iManage gave for this application."),
        "client_secret": (has_secret, "Enter the Client Secret that belongs to the Client ID."),
    }
    return {name: sentence for name, (is_there, sentence) in needed.items() if not is_there}


def address_field(kind: str) -> str:
    """The field at which a sentence about the server's address stands."""
    return "subdomain" if kind == CLOUD else "url"


def check_free(kind: str, name: str, url: str | None, but: uuid.UUID | None = None) -> None:
    """Both sentences at once where both are taken. The tables' own constraints decide a race."""
    if found := taken(kind, name, url, but):
        raise InvalidError(found)


def taken(kind: str, name: str, url: str | None, but: uuid.UUID | None = None) -> dict[str, str]:
    """The sentences of `check_free`, by field; each names the other server."""
    found = {}
    others = _others(but)
    if other := session().scalar(others.where(Server.name_key == fold(name))):
        found["name"] = NAME_TAKEN.format(other.name)
    if url is not None and (other := session().scalar(others.where(Server.url == url))):
        found[address_field(kind)] = URL_TAKEN.format(other.name)
    return found


@contextmanager
def unique(kind: str, name: str, url: str | None, but: uuid.UUID | None = None) -> Iterator[None]:
    """The sentence, and not an error, where somebody else took the name or the URL a moment before."""
    try:
        yield
    except IntegrityError as error:
        if found := taken(kind, name, url, but):
            raise InvalidError(found) from error
        raise


def confusions(name: str, url: str, api_url: str, but: uuid.UUID | None = None) -> tuple[str, ...]:
    """Warnings about servers that people could take for this one. They forbid nothing."""
    origins = {url, api_url}
    warnings = []
    for other in session().scalars(_others(but).order_by(Server.name_key)):
        if host_of(other.url) == host_of(url) or origins & {other.url, other.api_url}:
            warnings.append(
                f"“{other.name}” is on the same host. Check that the two are not the same server."
            )
        elif _first_word(other.name) == _first_word(name):
            warnings.append(
                f"“{other.name}” begins with the same word. Members choose by name, so make the two easy "
                "to tell apart."
            )
    return tuple(warnings)


def host_of(origin: str) -> str:
    return urlsplit(origin).hostname or origin


def _first_word(name: str) -> str:
    return fold(name).partition(" ")[0]


def _others(but: uuid.UUID | None) -> Select[Server]:
    return select(Server).where(Server.id != but) if but else select(Server)
