"""The checks that use the latest sign-in: its header, its iManage customer and its refresh token.

It is only sent to `/api`, which says who is signed in. A bad answer never ends the sign-in.
"""

from __future__ import annotations

from imanage.client import auth_headers
from imanage.errors import ImanageError
from imanage.probes import request
from imanage.server_facts import TokenHeader
from services.connections import tokens
from services.connections.tokens import AccessCache
from services.core.errors import RefusedError
from services.diagnostics.probe_session import Finding, Probe, failed, passed, skipped, warned

NOBODY = "Skipped: nobody has signed in to this server yet."
ENDED = "Skipped: the latest sign-in to this server has ended."
NOT_SCHEDULED = "Skipped in scheduled checks: it uses a sign-in, which would never expire."
NOT_USABLE = "Skipped: the server is switched off, or the latest sign-in cannot be used at the moment."
OTHER: dict[TokenHeader, TokenHeader] = {
    "x-auth-token": "bearer",
    "bearer": "x-auth-token",
    "both": "both",
}


def header(probe: Probe, origin: str) -> Finding:
    last = probe.last_sign_in
    if last is None:
        return skipped(NOBODY)
    if not last.is_connected:
        return skipped(ENDED)
    if not probe.thorough:
        return skipped(NOT_SCHEDULED)
    try:
        access = AccessCache().access(last.member_id, probe.server_id)
        token, wanted = access.token, access.facts.token_header
        working = _working_header(probe, origin, token, wanted)
        if working is None and last.is_renewable:
            token = tokens.renew(last.member_id, probe.server_id, token).token
            working = _working_header(probe, origin, token, wanted)
            if working is None:
                return warned("header.inconclusive", ("Signed in as", last.member_name))
    except (RefusedError, ImanageError):
        return skipped(NOT_USABLE)
    if working is None:
        return skipped(ENDED)
    probe.token = token
    if working != wanted:
        name = "Authorization" if wanted == "bearer" else "X-Auth-Token"
        return failed("header.swallowed", ("Missing header", name), ("Signed in as", last.member_name))
    return passed("The header with the sign-in reaches iManage.", ("Signed in as", last.member_name))


def customer(probe: Probe, origin: str) -> Finding:
    """`origin` is the API URL; the sign-in is sent to both."""
    if not probe.token:
        return skipped("Skipped: only a working sign-in shows which customer answers.")
    here = _customer(probe, origin, probe.token, "both")
    there = _customer(probe, probe.endpoints.browser, probe.token, "both")
    facts = (
        ("Customer at the URL", there or "sign-in not recognised"),
        ("Customer at the API URL", here or "sign-in not recognised"),
    )
    return (
        passed("URL and API URL lead to the same customer.", *facts)
        if here == there
        else failed("api_url.other_customer", *facts)
    )


def refresh_token(probe: Probe, origin: str) -> Finding:
    last = probe.last_sign_in
    if last is None:
        return skipped(NOBODY)
    named = ("Signed in as", last.member_name)
    if last.is_renewable:
        return passed("The latest sign-in can be renewed automatically.", named)
    if last.is_connected or last.reason == "could_not_refresh":
        return warned("refresh.none_though_allowed" if last.earlier_was_renewable else "refresh.none", named)
    return skipped(ENDED)


def _working_header(probe: Probe, origin: str, token: str, wanted: TokenHeader) -> TokenHeader | None:
    """The header in which the server recognised the token; the usual one is tried first."""
    for header in (wanted, OTHER[wanted]):
        if _customer(probe, origin, token, header):
            return header
    return None


def _customer(probe: Probe, origin: str, token: str, header: TokenHeader) -> str | None:
    """The iManage customer of the token, None where the server does not recognise it."""
    for path in ("api", "work/api"):
        seen = request(probe.outbound, f"{origin}/{path}", headers=auth_headers(token, header))
        said = seen.json
        data = said.get("data") if isinstance(said, dict) else None
        user = data.get("user") if isinstance(data, dict) else None
        if isinstance(user, dict) and user.get("customer_id") is not None:
            return str(user["customer_id"])[:40]
        if seen.status != 404:
            return None
    return None
