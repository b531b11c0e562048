"""Shared by all API routes: authentication, lookup of objects, errors, and the shape of responses."""

from __future__ import annotations

import json
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, current_app, g, request

from simulator.faults import CallFaults
from simulator.responses import HTML, envelope, page
from simulator.state import State
from simulator.tokens import Token
from simulator.values import Container, Document, Library, User, Version

Row = dict[str, Any]


class RefusedError(Exception):
    """A refused request: status, code, message and field of the error envelope."""

    def __init__(
        self, status: int, code: str, text: str, field: str = "", headers: Row | None = None
    ) -> None:
        super().__init__(text)
        self.status, self.code, self.text, self.field = status, code, text, field
        self.headers = headers or {}


def not_found(what: str = "The record") -> RefusedError:
    return RefusedError(404, "NRC_NO_RECORD", f"{what} does not exist or you do not have access to it")


def invalid(field: str, text: str = "") -> RefusedError:
    return RefusedError(400, "NRC_INVALID_PARAM", text or f"{field} is not valid here", field)


def no_session() -> RefusedError:
    return RefusedError(401, "NRC_SESSION_INVALID", "X-Auth-Token is invalid or missing")


def state() -> State:
    found: State = current_app.extensions["simulator"]
    return found


def call_faults() -> CallFaults:
    found = request.environ.get("simulator.faults")
    return found if isinstance(found, CallFaults) else CallFaults([])


def base_url() -> str:
    """The base URL of links: the public URL, or the host of the request."""
    return state().settings.public_url.rstrip("/") or request.host_url.rstrip("/")


def json_answer(body: Any, status: int = 200) -> Response:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(text, status, content_type="application/json;charset=UTF-8")


def refused(refusal: RefusedError) -> Response:
    """The envelope of a refusal; for an ended session, what the setting `ended_sessions` says."""
    settings = state().settings
    ended = settings.ended_sessions if refusal.code == "NRC_SESSION_INVALID" else ""
    if ended == "redirect":
        return Response(status=302, headers={"Location": f"{base_url()}/login"})
    if ended == "page":
        return Response(page("Sign in", "Your session has ended."), 200, content_type=HTML)
    status = 403 if ended == "403" else refusal.status
    answer = json_answer(envelope(settings, refusal.code, refusal.text, refusal.field), status)
    answer.headers.extend(refusal.headers)
    return answer


def record(row: Row, status: int = 200, **extra_fields: Any) -> Response:
    return json_answer({"data": row, **extra_fields}, status)


def listing(rows: list[Row], shape: str = "array", **extra_fields: Any) -> Response:
    """A list in the documented shape of this call, or in that of the setting `list_shape`."""
    if fault := call_faults().get("odd_ids"):
        odd = fault.at or 1
        rows = [_odd(row) for row in rows[:odd]] + rows[odd:]
    dial = state().settings.list_shape
    shape = shape if dial == "documented" else dial
    data: Any = rows
    if shape in ("results", "unknown_key"):
        data = {"results" if shape == "results" else "entries": rows}
    elif shape == "object" and len(rows) == 1:
        data = rows[0]
    beside = {key: value for key, value in extra_fields.items() if value is not None}
    if shape == "empty_without_data" and not rows:
        return json_answer(beside)
    return json_answer({"data": data, **beside})


def _odd(row: Row) -> Row:
    """The row with an id that is not valid in a URL; for a shortcut, that of its target."""
    if isinstance(target := row.get("target"), dict):
        return {**row, "target": _odd(target)}
    return {**row, "id": f"../{row['id']}"}


# -- authentication ---------------------------------------------------------------------------------------------------


def caller_token(use: bool = True) -> Token | None:
    """The valid token of the call, from the headers that the setting `auth_header` accepts."""
    fault = call_faults().get("require_header")
    wanted = fault.how if fault and fault.how else state().settings.auth_header
    token = request.headers.get("X-Auth-Token", "")
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    bearer = bearer.strip() if scheme.lower() == "bearer" else ""
    given = [token] if wanted in ("either", "x-auth-token") or (wanted == "both" and token == bearer) else []
    if wanted in ("either", "bearer"):
        given.append(bearer)
    tokens = state().tokens
    found = (tokens.use(text) if use else tokens.find("access", text) for text in given if text)
    return next((token for token in found if token), None)


def require_user() -> User:
    token = caller_token()
    user = state().world.user(token.user) if token else None
    if user is None:
        raise no_session()
    return user


def me() -> User:
    user: User = g.user
    return user


class Pace:
    """Rate limit per user, by the setting `rate_limit`."""

    def __init__(self) -> None:
        self._calls: dict[str, deque[float]] = defaultdict(deque)

    def check(self, user: User) -> None:
        limit, reset = state().settings.rate_limit, state().settings.rate_limit_reset
        if limit is None:
            return
        at, calls = time.monotonic(), self._calls[user.id]
        while calls and at - calls[0] > reset:
            calls.popleft()
        if len(calls) >= limit * reset:
            raise RefusedError(429, "NRC_RATE_LIMIT", "Too many requests", headers=_pace_headers(reset))
        calls.append(at)


def _pace_headers(reset: int) -> Row:
    dial = state().settings.rate_limit_headers
    headers = {}
    if dial in ("ratelimit", "both"):
        headers = {"x-ratelimit-reset": str(reset), "x-ratelimit-remaining": "0"}
    if dial in ("retry_after", "both"):
        headers["Retry-After"] = str(reset)
    return headers


# -- libraries -------------------------------------------------------------------------------------------------

API = "/work/api/v2/customers/<customer>"
LIBRARIES = "libraries.libraries"
# Calls about one version of a document; the others are about the document, whatever version its id names.
ABOUT_A_VERSION = frozenset(
    [
        "documents.profile",
        "documents.change_profile",
        "documents.delete",
        "downloads.download",
        "uploads.replace_file",
    ]
)


def require_call() -> None:
    """Refuse a call that is missing on this server, by the setting `missing`."""
    settings = state().settings
    if settings.lacks(f"{request.method} {request.path}"):
        raise RefusedError(settings.missing_status, "NRC_NO_RECORD", "There is no such call")


def api_blueprint(name: str) -> Blueprint:
    """A blueprint below a customer: requires a token, and resolves the library of the path."""
    blueprint = Blueprint(name, name, url_prefix=API)
    pace = Pace()

    @blueprint.url_value_preprocessor
    def resolve_library(endpoint: str | None, values: Row | None) -> None:
        g.user = require_user()
        pace.check(g.user)
        values = values if values is not None else {}
        settings, name = state().settings, values.pop("lib", None)
        if values.pop("customer", None) != str(settings.customer_id):
            raise not_found("The customer")
        require_call()
        if name is None and not settings.customer_lists and endpoint != LIBRARIES:
            raise RefusedError(404, "NRC_NO_RECORD", "There is no such call without a library")
        world = state().world
        g.libraries = world.libraries(g.user)
        if name is not None:
            library = world.library(name)
            if library is None or library not in g.libraries:
                raise not_found("The library")
            g.libraries = [library]

    return blueprint


def both(blueprint: Blueprint, rule: str, **options: Any) -> Callable[[Any], Any]:
    """Register a route both per library and across all libraries of the customer."""

    def register(view: Any) -> Any:
        blueprint.get(f"/libraries/<lib>/{rule}", **options)(view)
        blueprint.get(f"/{rule}", endpoint=f"{view.__name__}_everywhere", **options)(view)
        return view

    return register


def library() -> Library:
    found: Library = g.libraries[0]
    return found


# -- ids ---------------------------------------------------------------------------------------------------


def split_id(text: str, inside: Library | None = None) -> tuple[int, int | None]:
    """Number and version of an object id in a library, by default the call's; 404 if malformed or of another one."""
    library_id, mark, rest = text.rpartition("!")
    number, dot, version = rest.partition(".")
    if not mark or library_id.upper() != (inside or library()).id.upper() or not number.isdecimal():
        raise not_found()
    if dot and not version.isdecimal():
        raise not_found()
    return int(number), int(version) if dot else None


def need(thing: Container | Document, level: str = "read") -> None:
    """Require an access level. The setting `wall_status` is the status for objects that the caller may not see."""
    world = state().world
    if not world.may(me(), thing, "read"):
        if state().settings.wall_status == 404:
            raise not_found()
        status = state().settings.wall_status
        raise RefusedError(status, "NRC_ACCESS_DENIED", "You do not have access to this record")
    if not world.may(me(), thing, level):
        raise RefusedError(403, "NRC_ACCESS_DENIED", f"This needs {level} access")


def container_at(text: str, kind: str = "", level: str = "read") -> Container:
    found = state().world.container(library().id, split_id(text)[0])
    if found is None or (kind and found.kind != kind):
        raise not_found("The container")
    need(found, level)
    return found


def document_at(text: str, level: str = "read", latest: bool = False) -> tuple[Document, Version]:
    number, wanted = split_id(text)
    rule = state().settings.version_ids
    if rule == "required" and wanted is None:
        raise invalid("id", "The id must name a version")
    if rule == "refused" and wanted is not None and request.endpoint not in ABOUT_A_VERSION:
        raise invalid("id", "The id must not name a version")
    document = state().world.document(library().id, number)
    if document is None:
        raise not_found("The document")
    need(document, level)
    version = document.latest if latest or wanted is None else document.version(wanted)
    if version is None:
        raise not_found("The version")
    return document, version


def visible(things: Iterable[Any]) -> list[Any]:
    """Those that the caller may see; access is checked once per folder for the documents in it."""
    world, user, seen = state().world, me(), {}
    kept = []
    for thing in things:
        plain = (
            isinstance(thing, Document)
            and thing.security.default == "inherit"
            and not thing.security.trustees
        )
        key = (thing.library, thing.folders) if plain else thing.key
        if key not in seen:
            seen[key] = world.may(user, thing, "read")
        if seen[key]:
            kept.append(thing)
    return kept


def flag(name: str, otherwise: bool = False) -> bool:
    text = request.args.get(name)
    if text is None:
        return otherwise
    if text.lower() not in ("true", "false"):
        raise invalid(name)
    return text.lower() == "true"


def parsed_date(text: str, field: str) -> datetime:
    """A date of a request, in UTC unless it says otherwise; a wrong one is refused by its field."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise invalid(field) from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def body_json(*allowed: str) -> Row:
    """The JSON object of a request; unknown keys are refused if `allowed` is given."""
    body = request.get_json(silent=True, force=True)
    if not isinstance(body, dict):
        raise invalid("body", "The body must be a JSON object")
    for key in body:
        if allowed and key not in allowed:
            raise invalid(key, f"{key} is not known here")
    return body


def page_of(rows: list[Any]) -> tuple[list[Any], int | None]:
    """The requested page of a list, and the total if requested."""
    limit, offset = limit_and_offset()
    return rows[offset : offset + limit], total_of(rows)


def total_of(rows: list[Any]) -> int | None:
    """The `total_count` of a list, if it has one."""
    dial = state().settings.totals
    return len(rows) if dial == "always" or (dial == "asked" and flag("total")) else None


def limit_and_offset() -> tuple[int, int]:
    settings = state().settings
    try:
        limit = int(request.args.get("limit", settings.default_limit))
        offset = int(request.args.get("offset", 0))
    except ValueError as error:
        raise invalid("limit") from error
    limit = checked_limit(limit)
    if offset < 0:
        raise invalid("offset")
    return limit, 0 if settings.paging == "ignored" else offset


def checked_limit(limit: int) -> int:
    """A `limit` within the largest; a larger one is refused or means the largest, by the setting `over_limit`."""
    settings = state().settings
    if limit > settings.max_limit and settings.over_limit == "clamp":
        return settings.max_limit
    if not 1 <= limit <= settings.max_limit:
        raise invalid("limit", f"limit must be between 1 and {settings.max_limit}")
    return limit
