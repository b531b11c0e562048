"""Keys of application packages: encrypted for 15 minutes for the admin who made them, then deleted.

Hashes stay, so that no key or secret is ever generated twice.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, exists, or_, select, update

from models import ApplicationPackage, Server, utcnow
from services.core import encryption
from services.core.actor import Actor
from services.core.unit_of_work import session, unit_of_work
from services.servers.packages.manifest import new_key

AVAILABLE_FOR = timedelta(minutes=15)
_TABLE, _COLUMN = "application_package", "sealed"


@dataclass(frozen=True)
class Keys:
    """Client ID and Client Secret of the application; iManage calls them API key and secret."""

    api_key: str
    api_secret: str = field(repr=False)


def generate() -> Keys:
    """A new pair, in the open unit of work."""
    return Keys(_unused(), _unused())


def seal(package_id: uuid.UUID, keys: Keys) -> str:
    return encryption.seal(json.dumps([keys.api_key, keys.api_secret]), _TABLE, package_id, _COLUMN)


def delete_expired() -> None:
    """Erase the keys of expired packages, on schedule."""
    if session().scalar(select(exists().where(_is_expired()))):
        with unit_of_work():
            erase_expired()


def erase_expired() -> None:
    """As `delete_expired`, in the open unit of work."""
    session().execute(update(ApplicationPackage).where(_is_expired()).values(sealed=""))


def _is_expired() -> ColumnElement[bool]:
    """Expired, or expiring later than it could: the clock was set back since."""
    now = utcnow()
    is_over = or_(ApplicationPackage.open_until <= now, ApplicationPackage.open_until > now + AVAILABLE_FOR)
    return and_(ApplicationPackage.sealed != "", is_over)


def _unused() -> str:
    """A key of no other package and of no server."""
    while True:
        key = new_key()
        digest = hash_of(key)
        in_package = exists().where(
            or_(ApplicationPackage.key_hash == digest, ApplicationPackage.secret_hash == digest)
        )
        at_server = exists().where(Server.client_id == key)
        if not session().scalar(select(or_(in_package, at_server))):
            return key


def hash_of(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def of(actor: Actor, row: ApplicationPackage) -> Keys | None:
    if not is_available(actor, row):
        return None
    try:
        api_key, api_secret = json.loads(encryption.unseal(row.sealed, _TABLE, row.id, _COLUMN))
    except encryption.DecryptionError:
        return None
    return Keys(api_key, api_secret)


def is_available(actor: Actor, row: ApplicationPackage) -> bool:
    """Only for the admin who made it, and never for longer, even if the clock is set back."""
    now = utcnow()
    return bool(row.sealed) and row.made_by_id == actor.id and now < row.open_until <= now + AVAILABLE_FOR
