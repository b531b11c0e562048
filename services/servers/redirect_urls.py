"""Our redirect URL as iManage was told it, and as it is now: the one setting that must be changed in two places."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from models import ApplicationPackage, Server, ServerCheck, utcnow
from services.access import permissions
from services.core import audit
from services.core.actor import Actor
from services.core.errors import NotFoundError
from services.core.runtime import runtime
from services.core.unit_of_work import session, unit_of_work
from services.servers.registry import locked, record

FACT = "Our redirect URL"


@dataclass(frozen=True)
class Told:
    """A server or a package of which iManage was told another redirect URL than ours is now."""

    id: uuid.UUID
    name: str
    redirect_url: str


@dataclass(frozen=True)
class Moved:
    """What is, and who was told something else. Packages that a server was made of count as that server."""

    redirect_url: str
    servers: tuple[Told, ...]
    packages: tuple[Told, ...]

    @property
    def before(self) -> tuple[str, ...]:
        """The redirect URLs that were told, each once."""
        return tuple(dict.fromkeys(each.redirect_url for each in (*self.servers, *self.packages)))


def moved(actor: Actor) -> Moved | None:
    """None as long as everybody was told what is true."""
    permissions.require_admin(actor)
    ours = runtime().settings.redirect_url
    servers = session().execute(
        select(Server.id, Server.name, Server.redirect_url)
        .where(Server.redirect_url.not_in(("", ours)))
        .order_by(Server.name_key)
    )
    packages = session().execute(
        select(ApplicationPackage.id, ApplicationPackage.name, ApplicationPackage.redirect_url)
        .where(
            ApplicationPackage.redirect_url != ours,
            ApplicationPackage.server_id.is_(None),
            ApplicationPackage.settled_at.is_(None),
        )
        .order_by(ApplicationPackage.made_at)
    )
    others = tuple(Told(*row) for row in servers if not is_accepted(last_results(row.id)))
    made = tuple(Told(*row) for row in packages)
    return Moved(ours, others, made) if others or made else None


def is_accepted(results: Mapping[str, dict[str, Any]]) -> bool:
    """Whether a check with these results saw iManage accept our redirect URL as it is now."""
    found = results.get("redirect_url")
    if not found or found["outcome"] != "pass":
        return False
    return [FACT, runtime().settings.redirect_url] in [list(fact) for fact in found["facts"]]


def last_results(server_id: uuid.UUID) -> dict[str, dict[str, Any]]:
    """The results of the newest check that came to its end, by their keys. Empty where there is none."""
    row = session().scalar(
        select(ServerCheck)
        .where(ServerCheck.server_id == server_id, ServerCheck.finished_at.is_not(None))
        .order_by(ServerCheck.started_at.desc(), ServerCheck.id)
        .limit(1)
    )
    return {str(result["key"]): result for result in row.results} if row else {}


def confirm(actor: Actor, server_id: uuid.UUID) -> None:
    """An admin says that the application's registration in iManage has our redirect URL of now."""
    permissions.require_admin(actor)
    with unit_of_work():
        row = locked(server_id)
        before, row.redirect_url = row.redirect_url, runtime().settings.redirect_url
        record(actor, "server.redirect_url_changed", row, before=before, now=row.redirect_url)


def settle(actor: Actor, package_id: uuid.UUID) -> None:
    """An admin says that a package's redirect URL is changed in iManage, or that the package is not in use."""
    permissions.require_admin(actor)
    with unit_of_work() as writing:
        row = writing.get(ApplicationPackage, package_id)
        if row is None:
            raise NotFoundError("We could not find this package.")
        row.settled_at = utcnow()
        audit.record(
            actor,
            "package.redirect_url_settled",
            row.name,
            subject_id=row.id,
            before=row.redirect_url,
            now=runtime().settings.redirect_url,
        )
