"""Application packages: made once, shown once, and for a quarter of an hour at hand to whoever made them."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import select, update

from models import ApplicationPackage, Server, new_id, utcnow
from services.access import permissions
from services.core import audit
from services.core.actor import Actor
from services.core.errors import ConflictError, InvalidError, NotFoundError
from services.core.runtime import runtime
from services.core.text import normalise
from services.core.unit_of_work import session, unit_of_work
from services.servers.packages import keys as packages_keys
from services.servers.packages.keys import Keys
from services.servers.packages.manifest import FILE_NAME, Manifest, as_zip

SHOWN = 20
LONGEST = 100
OUR_NAME = "Counterpart"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_NOT_OF_AN_ID = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class NewPackage:
    """What an admin typed. `request_key` is the form's own: sent twice, it makes one package."""

    request_key: uuid.UUID
    application_id: str
    name: str
    publisher: str
    organization: str


@dataclass(frozen=True)
class PackageView:
    """A package without its key and secret. `at_hand`: whether its maker can still download or use them.

    `is_behind`: it was made for another redirect URL than ours is now, and nobody has said that this is settled.
    """

    id: uuid.UUID
    application_id: str
    name: str
    publisher: str
    organization: str
    redirect_url: str
    made_by: str
    made_at: datetime
    open_until: datetime
    at_hand: bool
    is_behind: bool
    server_id: uuid.UUID | None
    server_name: str


@dataclass(frozen=True)
class Made:
    """The answer to the form. `keys` are there the first time only."""

    package: PackageView
    keys: Keys | None


def defaults(actor: Actor) -> dict[str, str]:
    """What the form begins with: what the newest package said, else what the installation's address says."""
    permissions.require_admin(actor)
    last = session().scalar(select(ApplicationPackage).order_by(ApplicationPackage.made_at.desc()).limit(1))
    if last is not None:
        names = ("application_id", "name", "publisher", "organization")
        return {name: getattr(last, name) for name in names}
    host = urlsplit(runtime().settings.public_url).hostname or "localhost"
    return {
        "application_id": f"counterpart-{_NOT_OF_AN_ID.sub('-', host).strip('-')}"[:LONGEST],
        "name": OUR_NAME,
        "publisher": OUR_NAME,
        "organization": host[:LONGEST],
    }


def problem_with_id(value: str) -> str | None:
    """What an id must be beyond a clean line, so that every part of iManage takes it as it is."""
    if not _ID.fullmatch(value):
        return "Use letters from a to z, digits, hyphens, dots and underscores, and begin with a letter or digit."
    return None


def make(actor: Actor, wanted: NewPackage) -> Made:
    """Make a package with a key and secret that this installation never had. A form sent again finds the first."""
    permissions.require_admin(actor)
    _check(wanted)
    with unit_of_work() as writing:
        packages_keys.erase_expired()
        known = writing.scalar(
            select(ApplicationPackage).where(ApplicationPackage.request_key == wanted.request_key)
        )
        if known is not None:
            return Made(_view(actor, known), None)
        keys = packages_keys.draw()
        row = ApplicationPackage(
            id=new_id(),
            request_key=wanted.request_key,
            application_id=wanted.application_id,
            name=wanted.name,
            publisher=wanted.publisher,
            organization=wanted.organization,
            redirect_url=runtime().settings.redirect_url,
            key_hash=packages_keys.hash_of(keys.api_key),
            secret_hash=packages_keys.hash_of(keys.api_secret),
            made_by_id=actor.id,
            made_by=actor.name,
            made_at=utcnow(),
            open_until=utcnow() + packages_keys.AT_HAND,
        )
        row.sealed = packages_keys.seal(row.id, keys)
        writing.add(row)
        writing.flush()
        audit.record(
            actor,
            "package.made",
            row.name,
            subject_id=row.id,
            application_id=row.application_id,
            redirect_url=row.redirect_url,
        )
        return Made(_view(actor, row), keys)


def all_packages(actor: Actor) -> tuple[PackageView, ...]:
    """The newest packages first, without their keys."""
    permissions.require_admin(actor)
    newest = select(ApplicationPackage).order_by(ApplicationPackage.made_at.desc(), ApplicationPackage.id)
    return tuple(_view(actor, row) for row in session().scalars(newest.limit(SHOWN)))


def package(actor: Actor, package_id: uuid.UUID) -> PackageView:
    permissions.require_admin(actor)
    return _view(actor, _found(package_id))


def download(actor: Actor, package_id: uuid.UUID) -> tuple[str, bytes]:
    """The file, as long as the keys are at hand to this admin."""
    permissions.require_admin(actor)
    with unit_of_work():
        row = _found(package_id)
        keys = packages_keys.of(actor, row)
        if keys is None:
            raise ConflictError(
                "This package is no longer at hand: its secret was kept for 15 minutes, for whoever made it.",
                code="package.gone",
                next_step="If you have neither the file nor the secret, make a new package.",
            )
        audit.record(actor, "package.downloaded", row.name, subject_id=row.id)
        content = Manifest(
            id=row.application_id,
            name=row.name,
            api_key=keys.api_key,
            api_secret=keys.api_secret,
            publisher=row.publisher,
            organization=row.organization,
            redirect_url=row.redirect_url,
        )
        return FILE_NAME, as_zip(content, row.made_at)


def client_id_at_hand(actor: Actor, package_id: uuid.UUID | None) -> str | None:
    """The Client ID that the package would give a server; None where its keys are not at hand to this admin."""
    permissions.require_admin(actor)
    row = session().get(ApplicationPackage, package_id) if package_id else None
    keys = packages_keys.of(actor, row) if row and row.server_id is None else None
    return keys.api_key if keys else None


def keys_for_server(actor: Actor, package_id: uuid.UUID) -> Keys:
    """Key and secret for a new server. Raises InvalidError, with the sentence at the form's Client ID."""
    permissions.require_admin(actor)
    row = session().get(ApplicationPackage, package_id)
    keys = packages_keys.of(actor, row) if row and row.server_id is None else None
    if keys is None:
        raise InvalidError(
            {
                "client_id": "The package’s Client ID and secret are no longer at hand: they are kept for 15 minutes, "
                "and used once. Enter both yourself, or make a new package."
            }
        )
    return keys


def hand_over(package_id: uuid.UUID, server_id: uuid.UUID) -> None:
    """The package's keys are this server's now, in the open unit. Of two who come at once, one has them."""
    taken = session().execute(
        update(ApplicationPackage)
        .where(ApplicationPackage.id == package_id, ApplicationPackage.server_id.is_(None))
        .values(server_id=server_id)
    )
    if not getattr(taken, "rowcount", 0):
        raise ConflictError("Another server has this package’s Client ID already.", code="package.used")


def _check(wanted: NewPackage) -> None:
    problems = {}
    for name in ("application_id", "name", "publisher", "organization"):
        value = getattr(wanted, name)
        if (
            not value
            or len(value) > LONGEST
            or value != normalise.clean_line(value)
            or not value.isprintable()
        ):
            problems[name] = f"Enter one line of 1 to {LONGEST} characters."
    if "application_id" not in problems and (problem := problem_with_id(wanted.application_id)):
        problems["application_id"] = problem
    if problems:
        raise InvalidError(problems)


def _found(package_id: uuid.UUID) -> ApplicationPackage:
    row = session().get(ApplicationPackage, package_id)
    if row is None:
        raise NotFoundError("We could not find this package.")
    return row


def _view(actor: Actor, row: ApplicationPackage) -> PackageView:
    server = session().get(Server, row.server_id) if row.server_id else None
    return PackageView(
        id=row.id,
        application_id=row.application_id,
        name=row.name,
        publisher=row.publisher,
        organization=row.organization,
        redirect_url=row.redirect_url,
        made_by=row.made_by,
        made_at=row.made_at,
        open_until=row.open_until,
        at_hand=packages_keys.is_at_hand(actor, row),
        is_behind=row.redirect_url != runtime().settings.redirect_url
        and not (row.server_id or row.settled_at),
        server_id=row.server_id,
        server_name=server.name if server else "",
    )
