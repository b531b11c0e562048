"""Application packages: made and shown once, available for 15 minutes to the admin who made them."""

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
from services.guidance.refusals import refusal
from services.servers.packages import keys as packages_keys
from services.servers.packages.keys import Keys
from services.servers.packages.manifest import FILE_NAME, Manifest, as_zip

MOST_SHOWN = 20
LONGEST = 100
OUR_NAME = "Counterpart"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_NOT_OF_AN_ID = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class NewPackage:
    """The form. `request_key` is its idempotency key."""

    request_key: uuid.UUID
    application_id: str
    name: str
    publisher: str
    organization: str


@dataclass(frozen=True)
class PackageView:
    """A package without its key and secret. `is_available`: this admin can still download or use them.

    `is_outdated`: it has another redirect URL than ours is now, and nobody has confirmed that this is resolved.
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
    is_available: bool
    is_outdated: bool
    server_id: uuid.UUID | None
    server_name: str


@dataclass(frozen=True)
class Made:
    """The result of the form; `keys` only the first time."""

    package: PackageView
    keys: Keys | None


def defaults(actor: Actor) -> dict[str, str]:
    """Initial values of the form: those of the newest package, else from the installation's address."""
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
    """Why iManage would not accept this as an ID, None where it would."""
    if not _ID.fullmatch(value):
        return "Use only letters a to z, digits, hyphens, dots and underscores, and start with a letter or digit."
    return None


def make(actor: Actor, wanted: NewPackage) -> Made:
    """Make a package with a new key and secret; the same `request_key` again returns the first, without keys."""
    permissions.require_admin(actor)
    _check(wanted)
    with unit_of_work() as writing:
        packages_keys.erase_expired()
        known = writing.scalar(
            select(ApplicationPackage).where(ApplicationPackage.request_key == wanted.request_key)
        )
        if known is not None:
            return Made(_view(actor, known), None)
        keys = packages_keys.generate()
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
            open_until=utcnow() + packages_keys.AVAILABLE_FOR,
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
    """The newest packages, without their keys."""
    permissions.require_admin(actor)
    newest = select(ApplicationPackage).order_by(ApplicationPackage.made_at.desc(), ApplicationPackage.id)
    return tuple(_view(actor, row) for row in session().scalars(newest.limit(MOST_SHOWN)))


def package(actor: Actor, package_id: uuid.UUID) -> PackageView:
    permissions.require_admin(actor)
    return _view(actor, _found(package_id))


def download(actor: Actor, package_id: uuid.UUID) -> tuple[str, bytes]:
    """File name and content, while the keys are available to this admin."""
    permissions.require_admin(actor)
    with unit_of_work():
        row = _found(package_id)
        keys = packages_keys.of(actor, row)
        if keys is None:
            raise refusal(ConflictError, "package.gone")
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


def available_client_id(actor: Actor, package_id: uuid.UUID | None) -> str | None:
    """The package's Client ID for a new server; None where its keys are not available to this admin."""
    permissions.require_admin(actor)
    row = session().get(ApplicationPackage, package_id) if package_id else None
    keys = packages_keys.of(actor, row) if row and row.server_id is None else None
    return keys.api_key if keys else None


def keys_for_server(actor: Actor, package_id: uuid.UUID) -> Keys:
    """Key and secret for a new server. Raises InvalidError for the form's Client ID."""
    permissions.require_admin(actor)
    row = session().get(ApplicationPackage, package_id)
    keys = packages_keys.of(actor, row) if row and row.server_id is None else None
    if keys is None:
        raise InvalidError(
            {
                "client_id": "This package can no longer be used: its Client ID and Client Secret are kept for "
                "15 minutes and work once. Enter both, or make a new package."
            }
        )
    return keys


def assign(package_id: uuid.UUID, server_id: uuid.UUID) -> None:
    """Assign the package to a server, in the open unit of work. Raises ConflictError where it has one."""
    taken = session().execute(
        update(ApplicationPackage)
        .where(ApplicationPackage.id == package_id, ApplicationPackage.server_id.is_(None))
        .values(server_id=server_id)
    )
    if not getattr(taken, "rowcount", 0):
        raise refusal(ConflictError, "package.used")


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
        is_available=packages_keys.is_available(actor, row),
        is_outdated=row.redirect_url != runtime().settings.redirect_url
        and not (row.server_id or row.settled_at),
        server_id=row.server_id,
        server_name=server.name if server else "",
    )
