"""Keys of application packages: sealed for a quarter of an hour, for whoever made them, then gone.

What stays of them are hashes, so that neither key nor secret is ever made again.
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

AT_HAND = timedelta(minutes=15)
_TABLE, _COLUMN = "application_package", "sealed"


@dataclass(frozen=True)
class Keys:
    """What the package gives the application: a Client ID and its secret, to iManage an API key and secret."""

    api_key: str
    api_secret: str = field(repr=False)


def draw() -> Keys:
    """A new pair, in the open unit."""
    return Keys(_unused(), _unused())


def seal(package_id: uuid.UUID, keys: Keys) -> str:
    return encryption.seal(json.dumps([keys.api_key, keys.api_secret]), _TABLE, package_id, _COLUMN)


def forget_expired() -> None:
    """Erase what is no longer at hand: for the clock."""
    if session().scalar(select(exists().where(_is_due()))):
        with unit_of_work():
            erase_expired()


def erase_expired() -> None:
    """In the open unit."""
    session().execute(update(ApplicationPackage).where(_is_due()).values(sealed=""))


def _is_due() -> ColumnElement[bool]:
    """Its time is over, or further away than it can be: the clock was set back since."""
    now = utcnow()
    is_over = or_(ApplicationPackage.open_until <= now, ApplicationPackage.open_until > now + AT_HAND)
    return and_(ApplicationPackage.sealed != "", is_over)


def _unused() -> str:
    """Drawn anew until it is neither another package's nor the Client ID of a server."""
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
    if not is_at_hand(actor, row):
        return None
    try:
        api_key, api_secret = json.loads(encryption.unseal(row.sealed, _TABLE, row.id, _COLUMN))
    except encryption.DecryptionError:
        return None
    return Keys(api_key, api_secret)


def is_at_hand(actor: Actor, row: ApplicationPackage) -> bool:
    """For its maker alone. A clock that was set back makes the quarter of an hour no longer than it is."""
    now = utcnow()
    return bool(row.sealed) and row.made_by_id == actor.id and now < row.open_until <= now + AT_HAND
