"""The set-up steps of a server, up to a member's first document from it: each done, missing or next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import func, select

from models import ApplicationPackage, Connection, Link, Member, Server
from services.access.allow_list import members_of
from services.core.actor import Actor
from services.core.runtime import runtime
from services.core.unit_of_work import session
from services.guidance import fix_locations
from services.servers import redirect_urls
from services.servers.registry import is_complete, require_server
from services.servers.transport import uses_our_registration

State = Literal["done", "missing", "next"]
REACHING = frozenset({"dns", "tcp", "tls", "api", "api_dns", "api_tcp", "api_tls", "api_api"}) | {
    "proxy",
    "proxy_tunnel",
    "proxy_tls",
}
PRACTICE_ORDER = {key: order for order, key in enumerate(("registered", "redirect_url", "enabled"), -3)}
PASSED = frozenset({"pass", "warn"})
UNKNOWN = frozenset({"client.unknown", "client.not_uploaded"})
CAUSES = {"reachable": 0, "registered": 1, "redirect_url": 2, "credentials": 3}
"""The order in which failures are fixed: a bad certificate hides whether the redirect URL is right."""
LATER = "Checked once iManage knows the application."


@dataclass(frozen=True)
class Step:
    """`action` is the key of the step's button; `fix_location` is set where a check has failed."""

    key: str
    title: str
    state: State
    hint: str = ""
    action: str = ""
    fix_location: fix_locations.FixLocation | None = None


@dataclass(frozen=True)
class Checklist:
    """The steps in order. Next is the first whose check fails, else the first that is missing."""

    steps: tuple[Step, ...]
    lacks_refresh: bool = False
    """Whether a live sign-in came without a refresh token."""

    @property
    def is_done(self) -> bool:
        return all(step.state == "done" for step in self.steps)

    @property
    def done(self) -> int:
        return sum(step.state == "done" for step in self.steps)


@dataclass(frozen=True)
class Facts:
    """What the steps depend on. `told` is the redirect URL that iManage was given, `results` the last check by key."""

    has_credentials: bool
    redirect_url: str
    told: str
    accepted: bool
    from_package: bool
    results: dict[str, dict[str, Any]]
    is_enabled: bool
    is_restricted: bool
    usable_by: int
    signed_in: int
    renewable: int
    got: bool
    has_package: bool = False
    is_practice: bool = False


def checklist(actor: Actor, server_id: UUID) -> Checklist:
    """The steps of one server, for its page."""
    return of(_facts(require_server(actor, server_id)))


def of(facts: Facts) -> Checklist:
    """A pure function of the facts."""
    steps = list(_steps(facts))
    if facts.is_practice:  # it only runs while it is switched on
        steps.sort(key=lambda step: PRACTICE_ORDER.get(step.key, 0))
    missing = [index for index, step in enumerate(steps) if step.state == "missing"]
    if missing:
        first = min(
            missing,
            key=lambda index: (CAUSES.get(steps[index].key, 9) if steps[index].fix_location else 10, index),
        )
        steps[first] = replace(steps[first], state="next")
    return Checklist(tuple(steps), lacks_refresh=facts.renewable < facts.signed_in)


def _steps(facts: Facts) -> Iterator[Step]:
    yield _registered_step(facts)
    yield _redirect_step(facts)
    yield _credentials_step(facts)
    yield _reachable_step(facts)
    yield _step(
        "enabled",
        "Switch the server on",
        facts.is_enabled,
        "Switch on Enabled at the top right. To let only a few people try it, restrict it first."
        if facts.has_credentials
        else "Enter its Client ID and Client Secret first.",
    )
    yield _step(
        "usable",
        "Give members access",
        bool(facts.usable_by),
        "The server is restricted and no active member is listed. Add members and save, or remove the restriction."
        if facts.is_restricted
        else "There are no active members yet. Add one under Members.",
        "restriction" if facts.is_restricted else "members",
    )
    yield _step(
        "signed_in",
        "Sign in to iManage",
        bool(facts.signed_in),
        "Members sign in under Connected accounts on their Account page. You can be the first.",
        "account" if facts.is_enabled else "",
    )
    yield _step(
        "renewable",
        "Allow sign-ins to be renewed",
        bool(facts.signed_in) and facts.renewable == facts.signed_in,
        "A sign-in came without a refresh token. In iManage Control Center, set Allow Refresh Token to Yes for this "
        "application. Members who signed in before that must sign in again."
        if facts.signed_in
        else "Allow Refresh Token must be Yes in iManage; the default is No. The first sign-in shows whether it is.",
    )
    yield _step(
        "got",
        "Get a document",
        facts.got,
        "Open a matter, press Get from iManage and choose a document.",
        "matters" if facts.signed_in else "",
    )


def _unknown(facts: Facts) -> dict[str, Any] | None:
    """The last check's result where iManage does not know our Client ID."""
    found = facts.results.get("client_id", {})
    return found if found.get("outcome") == "fail" and found.get("code") in UNKNOWN else None


def _registered_step(facts: Facts) -> Step:
    title, unknown = "Register the application", _unknown(facts)
    if facts.has_credentials and unknown is not None:
        if facts.has_package:
            hint = (
                "iManage does not know this Client ID. Ask for the package to be uploaded, then check the connection. "
                "If another package was uploaded, replace the credentials."
            )
            return Step("registered", title, "missing", hint, "check", _fix_location(unknown))
        return Step("registered", title, "missing", _advice(unknown), "credentials", _fix_location(unknown))
    return _step(
        "registered",
        title,
        facts.has_credentials,
        "Make an application package for iManage, or enter the Client ID and Client Secret from iManage.",
        "package",
    )


def _redirect_step(facts: Facts) -> Step:
    title, found = "Register the redirect URL", facts.results.get("redirect_url", {})
    if facts.told not in ("", facts.redirect_url) and not facts.accepted:
        hint = (
            f"The redirect URL has changed from {facts.told} to {facts.redirect_url}. Change it in iManage."
        )
        return Step("redirect_url", title, "missing", hint, "confirm_redirect", fix_locations.CONNECTION)
    if found.get("outcome") == "fail":
        return Step("redirect_url", title, "missing", _advice(found), "check", _fix_location(found))
    if _unknown(facts) is not None:
        return Step("redirect_url", title, "missing", LATER)
    is_known = facts.accepted or facts.from_package or bool(facts.signed_in)
    hint = f"Enter exactly {facts.redirect_url} in the application’s registration, then check the connection."
    return _step("redirect_url", title, is_known, hint, "check")


def _credentials_step(facts: Facts) -> Step:
    title = "Confirm the Client ID and Client Secret"
    if _unknown(facts) is not None:
        return Step("credentials", title, "missing", LATER)
    found = [facts.results[key] for key in ("client_id", "secret") if key in facts.results]
    failed = next((each for each in found if each["outcome"] == "fail"), None)
    if failed is not None:
        return Step("credentials", title, "missing", _advice(failed), "credentials", _fix_location(failed))
    is_proven = len(found) == 2 and all(each["outcome"] == "pass" for each in found)
    if is_proven or facts.signed_in:
        return Step("credentials", title, "done")
    unsure = next((each for each in found if each["outcome"] == "warn"), None)
    hint = f"{_advice(unsure)} The first sign-in will show." if unsure else "Check the connection."
    return Step("credentials", title, "missing", hint, "check")


def _reachable_step(facts: Facts) -> Step:
    title = "Reach the server"
    found = [result for key, result in facts.results.items() if key in REACHING]
    failed = next((each for each in found if each["outcome"] == "fail"), None)
    if failed is not None:
        own_ca = facts.results.get("own_ca", {})
        beside = f" {_advice(own_ca)}" if own_ca.get("code") == "ca.expired" else ""
        return Step("reachable", title, "missing", _advice(failed) + beside, "check", _fix_location(failed))
    is_reached = bool(facts.signed_in) or any(each["outcome"] in PASSED for each in found)
    return _step("reachable", title, is_reached, "Check the connection.", "check")


def _step(key: str, title: str, is_done: bool, hint: str, action: str = "") -> Step:
    return Step(key, title, "done") if is_done else Step(key, title, "missing", hint, action)


def _fix_location(result: dict[str, Any]) -> fix_locations.FixLocation:
    return fix_locations.fix_location(result.get("code", ""))


def _advice(result: dict[str, Any]) -> str:
    return f"{result['sentence']} {result['next_step']}".strip()


def _facts(row: Server) -> Facts:
    live = (Connection.server_id == row.id, Connection.state == "connected")
    signed_in = select(func.count()).where(*live)
    renewable = signed_in.where(Connection.refresh_token.is_not(None))
    usable = select(func.count()).select_from(Member).where(Member.is_active, Member.is_guest.is_(False))
    if row.is_restricted:
        usable = usable.where(Member.id.in_(members_of(row.id)))
    ours = runtime().settings.redirect_url
    package = select(ApplicationPackage.id).where(
        ApplicationPackage.server_id == row.id, ApplicationPackage.redirect_url == ours
    )
    got = select(Link.id).where(Link.server_id == row.id, Link.direction == "got")
    found = (
        session()
        .execute(
            select(
                usable.scalar_subquery().label("usable_by"),
                signed_in.scalar_subquery().label("signed_in"),
                renewable.scalar_subquery().label("renewable"),
                package.exists().label("has_package"),
                got.exists().label("got"),
            )
        )
        .one()
    )
    results = redirect_urls.last_results(row.id)
    return Facts(
        has_credentials=is_complete(row),
        redirect_url=ours,
        told=row.redirect_url,
        accepted=redirect_urls.is_accepted(results),
        from_package=uses_our_registration(row) or found.has_package or row.is_practice,
        results=results,
        is_enabled=row.is_enabled,
        is_restricted=row.is_restricted,
        usable_by=found.usable_by,
        signed_in=found.signed_in,
        renewable=found.renewable,
        got=found.got,
        has_package=found.has_package,
        is_practice=row.is_practice,
    )
