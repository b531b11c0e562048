"""The way to the server: its name, its port, its certificate, what answers there, and its clock."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from imanage.certificates import Facts
from imanage.probes import ProbeError, ProbeResponse, certificate, connect, request, resolve
from imanage.responses import retry_after, sanitise
from services.diagnostics.probe_session import Found, Visit, failed, passed, skipped, warned

SOON_DAYS = 21
SLOW_CLOCK, WRONG_CLOCK = timedelta(seconds=60), timedelta(seconds=300)
# What stands between networks, or signs people in for iManage, and may be named: no other host's words are told on.
_PROXIES = (
    *(
        "squid",
        "zscaler",
        "blue coat",
        "bluecoat",
        "forcepoint",
        "websense",
        "netskope",
        "fortigate",
        "fortiguard",
    ),
    *(
        "fortinet",
        "mcafee",
        "skyhigh",
        "palo alto",
        "umbrella",
        "sophos",
        "barracuda",
        "web gateway",
        "cloudflare",
    ),
    *("imperva", "akamai", "big-ip", "bigip"),
)
_SIGN_INS = (
    "imanage",
    "microsoftonline",
    ".okta.",
    ".oktapreview.",
    "pingidentity",
    "pingone",
    "onelogin",
    "duosecurity",
)
_KNOWN = (*_PROXIES, *_SIGN_INS)
_OUR_PATHS = ("/work", "/api", "/auth")
_NEARBY = frozenset({"api.not_found", "api.not_imanage", "api.redirected", "proxy.own_page", "proxy.refused"})
_OF_IMANAGE = frozenset({"auth_status", "versions", "dms_version", "user"})


def name(visit: Visit, origin: str) -> Found:
    found = resolve(visit.outbound, origin)
    return passed(f"The name leads to {', '.join(found[:4])}.", ("Addresses", ", ".join(found)))


def port(visit: Visit, origin: str) -> Found:
    try:
        peer = connect(visit.outbound, origin)
    except ProbeError as fault:
        if better := _nearby(visit, origin):
            return better
        at = str(urlsplit(origin).port or (80 if origin.startswith("http:") else 443))
        return failed(fault.code, ("Port", at), *fault.facts)
    return passed(f"Connected to {peer}.", ("Connected to", peer))


def tls(visit: Visit, origin: str) -> Found:
    if origin.startswith("http:"):
        return skipped("Not looked at: the address begins with http://, so nothing is encrypted on the way.")
    shown = certificate(visit.outbound, origin)
    facts = (*shown.facts, ("Days left", str(shown.days_left)), ("Protocol", shown.protocol))
    if shown.days_left < SOON_DAYS:
        return warned("tls.expires_soon", *facts)
    return passed(f"The certificate is good for {shown.days_left} more days.", *facts)


def api(visit: Visit, origin: str) -> Found:
    """What answers at `/api`, or at `/work/api` where only that is there."""
    seen = request(visit.outbound, f"{origin}/api")
    found = judge(seen)
    if found.code in {"api.not_found", "api.not_imanage"}:
        second = request(visit.outbound, f"{origin}/work/api")
        if judge(second).outcome == "pass":
            seen, found = second, judge(second)
    if found.code in _NEARBY and (better := _nearby(visit, origin)):
        return better
    visit.answers[origin] = seen
    return found


def clock(visit: Visit, origin: str) -> Found:
    seen = visit.answers[origin]
    theirs = seen.server_time
    if theirs is None:
        return skipped("Not looked at: the server does not say what time it is.")
    apart = abs(theirs - seen.requested_at)
    seconds = round(apart.total_seconds())
    facts = (
        ("The server’s clock", theirs.strftime("%d %B %Y %H:%M:%S UTC")),
        ("This installation’s clock", seen.requested_at.strftime("%d %B %Y %H:%M:%S UTC")),
        ("Apart", "1 second" if seconds == 1 else f"{seconds} seconds"),
    )
    if apart > WRONG_CLOCK:
        return failed("clock.wrong", *facts)
    return warned("clock.apart", *facts) if apart > SLOW_CLOCK else passed("The two clocks agree.", *facts)


def judge(seen: ProbeResponse) -> Found:
    """Whether an answer to `/api` is iManage's, and else whose it may be."""
    if stopped := stopped_on_the_way(seen):
        return stopped
    facts = facts_of(seen)
    if seen.location:
        return failed("api.redirected", *facts)
    said = seen.json
    if isinstance(said, dict) and _is_imanage(said, seen.status):
        data = said.get("data")
        version = data.get("dms_version") if isinstance(data, dict) else None
        if isinstance(version, str) and (shown := sanitise(version)):
            return passed(f"The answer is of iManage Work {shown}.", ("iManage version", shown))
        return passed("The answer is of iManage Work.")
    if seen.is_page and _names(_PROXIES, f"{seen.headers} {seen.page.title} {seen.page.words[:20_000]}"):
        return failed("proxy.own_page", *facts)
    if seen.is_page and seen.status == 200:
        return failed("api.not_imanage", *facts)
    if seen.status in {401, 403}:
        return failed("proxy.refused", *facts)
    return failed("api.not_found" if seen.status == 404 else "api.not_imanage", *facts)


def stopped_on_the_way(seen: ProbeResponse) -> Found | None:
    """What any address can answer before iManage has a say."""
    facts = facts_of(seen)
    if seen.status == 407:
        return failed("proxy.sign_in", *facts)
    if seen.status == 511:
        return failed("proxy.captive_portal", *facts)
    if seen.status == 429:
        wait = retry_after(seen.headers)
        return warned("throttled.calls", *facts, *((("Asked to wait", f"{wait:g} seconds"),) if wait else ()))
    if seen.status in {502, 503, 504}:
        return failed("api.gateway", *facts)
    return failed("api.server_fault", *facts) if seen.status >= 500 else None


def facts_of(seen: ProbeResponse) -> Facts:
    """What may be told of an answer: its status, and what iManage or a known product on the way says of itself.

    Whoever may add a server could else read any host of the firm's network through these checks.
    """
    known = {
        "Title of the page": seen.page.title,
        "Server": seen.headers.get("Server", ""),
        "Via": seen.headers.get("Via", ""),
    }
    found = [("Status", str(seen.status))]
    if seen.location:
        found.append(("Sent on to", _place(seen)))
    named = [(name, sanitise(value)) for name, value in known.items() if _names(_KNOWN, value)]
    return (*found, *(named or [("Who answers", "Another program, whose words are not shown here")]))


def _names(products: tuple[str, ...], text: str) -> bool:
    folded = text.lower()
    return any(product in folded for product in products)


def _place(seen: ProbeResponse) -> str:
    """Where a redirect leads, without its query; another host's address only where its product is a known one."""
    there = seen.location.partition("?")[0].partition("#")[0]
    parts = urlsplit(there)
    if _names(_KNOWN, parts.netloc) or (
        parts.netloc in {"", seen.netloc} and parts.path.startswith(_OUR_PATHS)
    ):
        return sanitise(there)[:200]
    return "another page of this host" if parts.netloc in {"", seen.netloc} else "another host"


def _is_imanage(said: dict[str, Any], status: int) -> bool:
    data = said.get("data")
    if isinstance(data, dict) and _OF_IMANAGE & data.keys():
        return True
    error = said.get("error")
    return status == 401 and isinstance(error, dict) and bool({"code", "message"} & error.keys())


def _nearby(visit: Visit, origin: str) -> Found | None:
    """Whether iManage answers once the path, or the port, is left off the address."""
    parts = urlsplit(origin)
    bare = f"{parts.scheme}://{parts.netloc}"
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    tries = []
    if parts.path.strip("/"):
        tries.append(("address.path", bare))
    if parts.port:
        tries.append(("address.port", f"{parts.scheme}://{host}"))
    for code, better in tries:
        try:
            if judge(request(visit.outbound, f"{better}/api")).outcome == "pass":
                return failed(code, ("iManage answers at", better), ("The address here", origin))
        except ProbeError:
            continue
    return None
