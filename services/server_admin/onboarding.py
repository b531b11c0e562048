"""What stands between a server on record and a member's first document from it: each step done, missing or next."""

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
REACHING = frozenset({"dns", "tcp", "tls", "api", "api_dns", "api_tcp", "api_tls", "api_api"})
PRACTICE_ORDER = {key: place for place, key in enumerate(("registered", "redirect_url", "enabled"), -3)}
PASSED = frozenset({"pass", "warn"})
UNKNOWN = frozenset({"client.unknown", "client.not_uploaded"})
CAUSES = {"reachable": 0, "registered": 1, "redirect_url": 2, "credentials": 3}
"""What fails first keeps the others from being looked at: no redirect URL is judged through a bad certificate."""
LATER = "It is looked at once iManage knows the application."


@dataclass(frozen=True)
class Step:
    """`action` is the key of the button that takes the step: the page knows where it leads.

    `place` is where a failure is mended; it stands only where a check has failed.
    """

    key: str
    title: str
    state: State
    hint: str = ""
    action: str = ""
    place: fix_locations.Place | None = None


@dataclass(frozen=True)
class Checklist:
    """The steps in order. The first whose check fails is the next one, else the first that is missing."""

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
    """What the steps are judged by, read from the rows once. `results` are those of the last check, by key."""

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
    """The same facts give the same steps: nothing is asked here."""
    steps = list(_steps(facts))
    if facts.is_practice:  # it starts when it is switched on, and answers nobody before
        steps.sort(key=lambda step: PRACTICE_ORDER.get(step.key, 0))
    missing = [index for index, step in enumerate(steps) if step.state == "missing"]
    if missing:
        first = min(
            missing, key=lambda index: (CAUSES.get(steps[index].key, 9) if steps[index].place else 10, index)
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
        "The server is switched on",
        facts.is_enabled,
        "Turn on Enabled, at the top right. Restrict it first, if only a few should try it."
        if facts.has_credentials
        else "It can be switched on once its Client ID and Client Secret are there.",
    )
    yield _step(
        "usable",
        "Somebody may use it",
        bool(facts.usable_by),
        "It is restricted, and no active member is listed. List somebody and save, or take the restriction off."
        if facts.is_restricted
        else "There is no active member yet. Add one under Members.",
        "restriction" if facts.is_restricted else "members",
    )
    yield _step(
        "signed_in",
        "Somebody has signed in",
        bool(facts.signed_in),
        "Members sign in under Connected accounts, on their Account page. You can be the first.",
        "account" if facts.is_enabled else "",
    )
    yield _step(
        "renewable",
        "Sign-ins can be renewed",
        bool(facts.signed_in) and facts.renewable == facts.signed_in,
        "A sign-in came without a refresh token. In iManage Control Center, set Allow Refresh Token of this "
        "application to Yes; whoever signed in before that signs in once more."
        if facts.signed_in
        else "Shows after the first sign-in: Allow Refresh Token must be Yes in iManage, and its default is No.",
    )
    yield _step(
        "got",
        "A member has got a document",
        facts.got,
        "On a matter, press Get from iManage and choose a document.",
        "matters" if facts.signed_in else "",
    )


def _unknown(facts: Facts) -> dict[str, Any] | None:
    """What the last check said, where iManage knows no application under our Client ID."""
    found = facts.results.get("client_id", {})
    return found if found.get("outcome") == "fail" and found.get("code") in UNKNOWN else None


def _registered_step(facts: Facts) -> Step:
    title, unknown = "The application is registered", _unknown(facts)
    if facts.has_credentials and unknown is not None:
        if facts.has_package:
            hint = (
                "iManage does not know this Client ID. Have the package uploaded there, then check the connection. "
                "If it was another package, replace the credentials."
            )
            return Step("registered", title, "missing", hint, "check", _place(unknown))
        return Step("registered", title, "missing", _said(unknown), "credentials", _place(unknown))
    return _step(
        "registered",
        title,
        facts.has_credentials,
        "Make an application package for iManage, or enter the Client ID and Client Secret that iManage gave.",
        "package",
    )


def _redirect_step(facts: Facts) -> Step:
    title, found = "iManage knows our redirect URL", facts.results.get("redirect_url", {})
    if facts.told not in ("", facts.redirect_url) and not facts.accepted:
        hint = f"iManage was told {facts.told}, and ours is now {facts.redirect_url}. Change it in the registration."
        return Step("redirect_url", title, "missing", hint, "confirm_redirect", fix_locations.CONNECTION)
    if found.get("outcome") == "fail":
        return Step("redirect_url", title, "missing", _said(found), "check", _place(found))
    if _unknown(facts) is not None:
        return Step("redirect_url", title, "missing", LATER)
    is_known = facts.accepted or facts.from_package or bool(facts.signed_in)
    hint = (
        f"Enter {facts.redirect_url} in the application’s registration exactly so, then check the connection."
    )
    return _step("redirect_url", title, is_known, hint, "check")


def _credentials_step(facts: Facts) -> Step:
    title = "iManage accepts the Client ID and Client Secret"
    if _unknown(facts) is not None:
        return Step("credentials", title, "missing", LATER)
    found = [facts.results[key] for key in ("client_id", "secret") if key in facts.results]
    failed = next((each for each in found if each["outcome"] == "fail"), None)
    if failed is not None:
        return Step("credentials", title, "missing", _said(failed), "credentials", _place(failed))
    is_proven = len(found) == 2 and all(each["outcome"] == "pass" for each in found)
    if is_proven or facts.signed_in:
        return Step("credentials", title, "done")
    unsure = next((each for each in found if each["outcome"] == "warn"), None)
    hint = f"{_said(unsure)} The first sign-in will tell." if unsure else "A check of the connection tells."
    return Step("credentials", title, "missing", hint, "check")


def _reachable_step(facts: Facts) -> Step:
    title = "Counterpart reaches the server"
    found = [result for key, result in facts.results.items() if key in REACHING]
    failed = next((each for each in found if each["outcome"] == "fail"), None)
    if failed is not None:
        own_ca = facts.results.get("own_ca", {})
        beside = f" {_said(own_ca)}" if own_ca.get("code") == "ca.expired" else ""
        return Step("reachable", title, "missing", _said(failed) + beside, "check", _place(failed))
    is_reached = bool(facts.signed_in) or any(each["outcome"] in PASSED for each in found)
    return _step("reachable", title, is_reached, "A check of the connection tells.", "check")


def _step(key: str, title: str, is_done: bool, hint: str, action: str = "") -> Step:
    return Step(key, title, "done") if is_done else Step(key, title, "missing", hint, action)


def _place(result: dict[str, Any]) -> fix_locations.Place:
    return fix_locations.place_of(result.get("code", ""))


def _said(result: dict[str, Any]) -> str:
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
