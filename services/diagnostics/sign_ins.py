"""What a member's own sign-in tells: whether its header arrives, which customer it is of, whether it can be renewed.

Only `/api` is asked with it, which says whose the sign-in is. It is never ended from here by what the answer was.
"""

from __future__ import annotations

from imanage.client import TokenHeader, auth_headers
from imanage.errors import ImanageError
from imanage.probes import request
from services.connections import tokens
from services.connections.clients import Line
from services.core.errors import RefusedError
from services.diagnostics.probe_session import Found, Visit, failed, passed, skipped, warned

NOBODY = "Not looked at: nobody has signed in to this server yet."
ENDED = "Not looked at: the newest sign-in to this server has ended."
BY_HAND = "Only looked at when a person asks: it uses a sign-in, which would keep it alive for ever."
NOT_USABLE = "Not looked at: the server is switched off, or the newest sign-in cannot be used now."
OTHER: dict[TokenHeader, TokenHeader] = {
    "x-auth-token": "bearer",
    "bearer": "x-auth-token",
    "both": "both",
}


def header(visit: Visit, origin: str) -> Found:
    last = visit.last_sign_in
    if last is None:
        return skipped(NOBODY)
    if not last.is_connected:
        return skipped(ENDED)
    if not visit.thorough:
        return skipped(BY_HAND)
    try:
        access = Line().access(last.member_id, visit.server_id)
        token, wanted = access.token, access.header
        came = _came_through(visit, origin, token, wanted)
        if came is None and last.is_renewable:
            token = tokens.renewed(last.member_id, visit.server_id, token).token
            came = _came_through(visit, origin, token, wanted)
            if came is None:
                return warned("header.inconclusive", ("Sign-in of", last.member_name))
    except (RefusedError, ImanageError):
        return skipped(NOT_USABLE)
    if came is None:
        return skipped(ENDED)
    visit.token = token
    if came != wanted:
        name = "Authorization" if wanted == "bearer" else "X-Auth-Token"
        return failed("header.swallowed", ("Header that is lost", name), ("Sign-in of", last.member_name))
    return passed("The header with the sign-in arrives.", ("Sign-in of", last.member_name))


def customer(visit: Visit, origin: str) -> Found:
    """`origin` is the API URL's; the sign-in is shown to both."""
    if not visit.token:
        return skipped("Not looked at: it takes a sign-in that works to tell which customer answers.")
    here = _who(visit, origin, visit.token, "both")
    there = _who(visit, visit.endpoints.browser, visit.token, "both")
    facts = (
        ("Customer at the URL", there or "does not know the sign-in"),
        ("Customer at the API URL", here or "does not know the sign-in"),
    )
    return (
        passed("Both lead to the same customer.", *facts)
        if here == there
        else failed("api_url.other_customer", *facts)
    )


def refresh_token(visit: Visit, origin: str) -> Found:
    last = visit.last_sign_in
    if last is None:
        return skipped(NOBODY)
    named = ("Sign-in of", last.member_name)
    if last.is_renewable:
        return passed("The newest sign-in can be renewed without the person.", named)
    if last.is_connected or last.reason == "could_not_refresh":
        return warned("refresh.none", named)
    return skipped(ENDED)


def _came_through(visit: Visit, origin: str, token: str, wanted: TokenHeader) -> TokenHeader | None:
    """The header by which the server knew whose the token is; the usual one is tried first."""
    for header in (wanted, OTHER[wanted]):
        if _who(visit, origin, token, header):
            return header
    return None


def _who(visit: Visit, origin: str, token: str, header: TokenHeader) -> str | None:
    """The customer that the token is known at, None where it is not known."""
    for path in ("api", "work/api"):
        seen = request(visit.outbound, f"{origin}/{path}", headers=auth_headers(token, header))
        said = seen.json
        data = said.get("data") if isinstance(said, dict) else None
        user = data.get("user") if isinstance(data, dict) else None
        if isinstance(user, dict) and user.get("customer_id") is not None:
            return str(user["customer_id"])[:40]
        if seen.status != 404:
            return None
    return None
