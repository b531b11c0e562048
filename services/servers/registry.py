"""The registered servers: add, find, change, switch on and off."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import select

from models import AuditEvent, Server, new_id, utcnow
from services.access import permissions
from services.core import audit
from services.core.actor import Actor, Who
from services.core.errors import ConflictError, InvalidError, NotFoundError
from services.core.runtime import runtime
from services.core.text.normalise import fold
from services.core.unit_of_work import release, session, unit_of_work
from services.guidance.refusals import refusal
from services.servers import addresses as server_addresses
from services.servers import transport, validation
from services.servers.packages import packages

MOST_AT_ONCE = 64
MOST_PACE = 600
KINDS = {transport.CLOUD: "Cloud iManage", transport.ON_PREMISE: "On-premise"}


@dataclass(frozen=True)
class NewServer:
    """The form Add server. A Cloud server has no URLs, an on-premise one no subdomain."""

    kind: str
    name: str
    subdomain: str = ""
    url: str = ""
    api_url: str = ""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    package_id: uuid.UUID | None = None
    """The application package whose key and secret are used instead of typed credentials."""


@dataclass(frozen=True)
class ServerChange:
    """A new name or limits; `version` is that of the page. `pace`: documents a minute for each member."""

    name: str
    version: str
    at_once: int | None = None
    pace: int | None = None


@dataclass(frozen=True)
class SavedServer:
    """A server that was saved, with notices and warnings for the admin."""

    id: uuid.UUID
    name: str
    notices: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def cloud_domain() -> str:
    return runtime().settings.cloud_domain


def redirect_url() -> str:
    """Our redirect URL, exactly as it must be registered in iManage."""
    return runtime().settings.redirect_url


def asks_for_credentials(kind: str) -> bool:
    """Whether a server of this kind needs its own credentials: Cloud only if the installation has none."""
    return kind != transport.CLOUD or not runtime().settings.cloud_client_id


def add(actor: Actor, new: NewServer) -> SavedServer:
    """Add a server, switched off. Raises InvalidError with a sentence for each field."""
    permissions.require_admin(actor)
    own = asks_for_credentials(new.kind)
    if own and new.package_id:
        keys = packages.keys_for_server(actor, new.package_id)
        new = replace(new, client_id=keys.api_key, client_secret=keys.api_secret)
    addresses, unknown = _validate(new)
    server_id = new_id()
    row = Server(
        id=server_id,
        kind=new.kind,
        name=new.name,
        name_key=fold(new.name),
        subdomain=addresses.subdomain,
        url=addresses.url,
        api_url=addresses.api_url,
        client_id=new.client_id if own else "",
        client_secret=transport.seal_secret(server_id, new.client_secret) if own else "",
        redirect_url=runtime().settings.redirect_url,
    )
    with validation.unique(new.kind, new.name, addresses.url), unit_of_work() as writing:
        warnings = validation.confusions(new.name, addresses.url, addresses.api_url)
        writing.add(row)
        writing.flush()
        if own and new.package_id:
            packages.assign(new.package_id, server_id)
        record(
            actor,
            "server.added",
            row,
            kind=row.kind,
            url=row.url,
            api_url=row.api_url,
            from_package=bool(own and new.package_id),
        )
    return SavedServer(server_id, new.name, addresses.notices, unknown + warnings)


def problems(actor: Actor, new: NewServer) -> dict[str, str]:
    """Every problem of a server to add, by field. A host that cannot be resolved is only a warning."""
    permissions.require_admin(actor)
    try:
        _validate(new)
    except InvalidError as refusal:
        return refusal.fields
    return {}


def _validate(new: NewServer) -> tuple[server_addresses.Addresses, tuple[str, ...]]:
    """The addresses, and warnings of unknown hosts. Raises InvalidError with all problems at once."""
    if new.kind not in KINDS:
        raise InvalidError({"kind": "Choose Cloud iManage or On-premise."})
    found: dict[str, str] = {}
    if problem := validation.name_problem(new.name):
        found["name"] = problem
    if asks_for_credentials(new.kind) and not new.package_id:
        found |= validation.missing_credentials(new.client_id, bool(new.client_secret))
    addresses: server_addresses.Addresses | None = None
    unknown: tuple[str, ...] = ()
    try:
        addresses = server_addresses.read(new.kind, new.subdomain, new.url, new.api_url)
        found = validation.taken(new.kind, new.name, addresses.url) | found
        release()
        unknown = server_addresses.resolve(new.kind, addresses)
    except InvalidError as refusal:
        found = validation.taken(new.kind, new.name, None) | refusal.fields | found
    if found or addresses is None:
        raise InvalidError(found)
    return addresses, unknown


def change(actor: Actor, server_id: uuid.UUID, wanted: ServerChange) -> SavedServer:
    """Rename a server or set its limits. URL, API URL, subdomain and kind never change."""
    if found := change_problems(actor, server_id, wanted):
        raise InvalidError(found)
    with validation.unique("", wanted.name, None, server_id), unit_of_work() as writing:
        row = locked(server_id)
        check_version(row, wanted.version)
        name_before = row.name
        if wanted.at_once is not None:
            row.at_once = min(max(wanted.at_once, 1), MOST_AT_ONCE)
        row.pace = None if wanted.pace is None else min(max(wanted.pace, 1), MOST_PACE)
        row.name, row.name_key, row.changed_at = wanted.name, fold(wanted.name), utcnow()
        warnings = validation.confusions(row.name, row.url, row.api_url, except_id=row.id)
        writing.flush()
        record(actor, "server.changed", row, name_before=name_before, at_once=row.at_once, pace=row.pace)
    return SavedServer(server_id, wanted.name, warnings=warnings if wanted.name != name_before else ())


def change_problems(actor: Actor, server_id: uuid.UUID, wanted: ServerChange) -> dict[str, str]:
    """Every problem of a new name, by field."""
    permissions.require_admin(actor)
    problem = validation.name_problem(wanted.name)
    return {"name": problem} if problem else validation.taken("", wanted.name, None, except_id=server_id)


def set_route(actor: Actor, server_id: uuid.UUID, route: str, version: str) -> bool:
    """Choose direct, through the proxy or as the settings say; False if that is so already. Raises InvalidError."""
    permissions.require_admin(actor)
    with unit_of_work():
        row = locked(server_id)
        check_version(row, version)
        if row.route == route:
            return False
        if row.is_practice or route not in transport.ROUTES:
            raise InvalidError({"route": "Choose one of these."})
        if route == transport.THROUGH_PROXY and not transport.proxy_address():
            raise InvalidError({"route": "There is no proxy: COUNTERPART_OUTBOUND_PROXY is not set."})
        before, row.route, row.changed_at = row.route, route, utcnow()
        record(actor, "server.route_changed", row, route=route, route_before=before)
    return True


def set_enabled(actor: Actor, server_id: uuid.UUID, on: bool) -> bool:
    """Switch a server on or off; False where it already was. Each step of a transfer checks it."""
    permissions.require_admin(actor)
    with unit_of_work():
        row = locked(server_id)
        if row.is_enabled == on:
            return False
        if on and not is_complete(row):
            raise refusal(ConflictError, "server.incomplete")
        row.is_enabled, row.changed_at = on, utcnow()
        record(actor, "server.enabled" if on else "server.disabled", row)
    return True


class ServerGoneError(NotFoundError):
    """There is no such server; where it was removed, the sentence says by whom and when."""

    title = "This server has been removed"


def require_server(actor: Actor, server_id: uuid.UUID) -> Server:
    permissions.require_admin(actor)
    return _found(session().get(Server, server_id), server_id)


def locked(server_id: uuid.UUID) -> Server:
    """The row, locked until the open unit of work ends."""
    return _found(session().get(Server, server_id, with_for_update=True), server_id)


def _found(row: Server | None, server_id: uuid.UUID) -> Server:
    if row is None:
        raise _gone(server_id)
    return row


def _gone(server_id: uuid.UUID) -> ServerGoneError:
    event = session().scalar(
        select(AuditEvent)
        .where(AuditEvent.server_id == server_id, AuditEvent.action == "server.removed")
        .limit(1)
    )
    if event is None:
        return refusal(ServerGoneError, "server.gone")
    day = f"{event.at.day} {event.at:%b %Y, %H:%M} UTC"
    return refusal(ServerGoneError, "server.gone", "known", name=event.subject, by=event.actor_name, day=day)


def version(row: Server) -> str:
    return row.changed_at.isoformat()


def check_version(row: Server, version_of_page: str) -> None:
    if version(row) != version_of_page:
        raise InvalidError(
            {
                "form": f"Someone else has changed this server, now named “{row.name}”, since you opened it. "
                "Save again to replace their change with yours."
            }
        )


def has_own_credentials(row: Server) -> bool:
    return bool(row.client_id and row.client_secret)


def is_complete(row: Server) -> bool:
    return has_own_credentials(row) or not asks_for_credentials(row.kind)


def record(who: Who, action: str, row: Server, **detail: Any) -> None:
    """Record an audit event about this server in the open unit of work."""
    audit.record(who, action, row.name, subject_id=row.id, server_id=row.id, **detail)
