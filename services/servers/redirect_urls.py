"""Servers and packages registered with an earlier redirect URL than ours is now."""

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
class Outdated:
    """A server or a package with the redirect URL that iManage was given."""

    id: uuid.UUID
    name: str
    redirect_url: str


@dataclass(frozen=True)
class RedirectChange:
    """The redirect URL now, and what was registered with another. A package used by a server counts as the server."""

    redirect_url: str
    servers: tuple[Outdated, ...]
    packages: tuple[Outdated, ...]

    @property
    def before(self) -> tuple[str, ...]:
        """The distinct earlier redirect URLs."""
        return tuple(dict.fromkeys(each.redirect_url for each in (*self.servers, *self.packages)))


def change(actor: Actor) -> RedirectChange | None:
    """None where everything is registered with the current redirect URL."""
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
    outdated = tuple(Outdated(*row) for row in servers if not is_accepted(last_results(row.id)))
    made = tuple(Outdated(*row) for row in packages)
    return RedirectChange(ours, outdated, made) if outdated or made else None


def is_accepted(results: Mapping[str, dict[str, Any]]) -> bool:
    """Whether iManage accepted our current redirect URL in these results."""
    found = results.get("redirect_url")
    if not found or found["outcome"] != "pass":
        return False
    return [FACT, runtime().settings.redirect_url] in [list(fact) for fact in found["facts"]]


def last_results(server_id: uuid.UUID) -> dict[str, dict[str, Any]]:
    """The results of the newest finished check by key; empty where there is none."""
    row = session().scalar(
        select(ServerCheck)
        .where(ServerCheck.server_id == server_id, ServerCheck.finished_at.is_not(None))
        .order_by(ServerCheck.started_at.desc(), ServerCheck.id)
        .limit(1)
    )
    return {str(result["key"]): result for result in row.results} if row else {}


def confirm(actor: Actor, server_id: uuid.UUID) -> None:
    """An admin confirms that the registration in iManage has our current redirect URL."""
    permissions.require_admin(actor)
    with unit_of_work():
        row = locked(server_id)
        before, row.redirect_url = row.redirect_url, runtime().settings.redirect_url
        record(actor, "server.redirect_url_changed", row, before=before, now=row.redirect_url)


def settle(actor: Actor, package_id: uuid.UUID) -> None:
    """An admin confirms that a package's redirect URL was changed in iManage, or that it is not used."""
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
