"""The checks of the network: host name, connection, certificate, iManage's response and its clock."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509

from imanage import sign_in_pages
from imanage.certificates import Facts
from imanage.dialling import host_and_port
from imanage.errors import SignInPageError
from imanage.probes import (
    ProbeError,
    ProbeResponse,
    certificate,
    connect,
    reach_proxy,
    request,
    resolve,
)
from imanage.refusals import sanitise
from imanage.responses import retry_after
from services.diagnostics.probe_session import Finding, Probe, failed, passed, skipped, warned

SOON_DAYS = 21
CA_SOON = timedelta(days=30)
NOT_ENCRYPTED = "Skipped: the address starts with http://, so the connection is not encrypted."
SLOW_CLOCK, WRONG_CLOCK = timedelta(seconds=60), timedelta(seconds=300)
# Products whose answers may be quoted: proxies and sign-in services. Other hosts' words are never shown (see facts_of).
_PROXIES = (
    r"squid|zscaler|blue ?coat|forcepoint|websense|netskope|fortigate|fortiguard|fortinet|mcafee|skyhigh|palo alto"
    r"|umbrella|sophos|barracuda|web gateway|cloudflare|imperva|akamai|big-?ip"
)
_SIGN_INS = r"imanage|microsoftonline|\.okta\.|\.oktapreview\.|pingidentity|pingone|onelogin|duosecurity"
_PROXY = re.compile(_PROXIES, re.IGNORECASE)
_QUOTABLE = re.compile(f"{_PROXIES}|{_SIGN_INS}", re.IGNORECASE)
_IMANAGE_PATHS = ("/work", "/api", "/auth")
_MISREAD = frozenset(
    {"api.not_found", "api.not_imanage", "api.redirected", "proxy.own_page", "proxy.refused"}
)
_IMANAGE_KEYS = frozenset({"auth_status", "versions", "dms_version", "user"})


def name(probe: Probe, origin: str) -> Finding:
    try:
        found = resolve(probe.outbound, origin)
    except ProbeError as fault:
        if probe.outbound.proxy is None or fault.code == "dns.not_allowed":
            raise
        return passed("Counterpart’s DNS does not know the host name. The proxy looks it up.")
    return passed(f"The host name resolves to {', '.join(found[:4])}.", ("Addresses", ", ".join(found)))


def proxy(probe: Probe, origin: str) -> Finding:
    """The proxy itself accepts a connection."""
    if (way := probe.outbound.proxy) is None:
        return skipped("Skipped: the connection is direct.")
    at = ("Proxy", f"{way.host}:{way.port}")
    try:
        peer = reach_proxy(probe.outbound, way)
    except ProbeError as fault:
        return failed(fault.code, *(() if fault.code == "proxy.not_set" else (at,)))
    return passed(f"Connected to the proxy at {peer}.", at, ("Connected to", peer))


def proxy_tunnel(probe: Probe, origin: str) -> Finding:
    """The proxy lets Counterpart through to the server."""
    parts = urlsplit(origin)
    asked = parts.netloc if parts.port else f"{parts.netloc}:{host_and_port(origin)[1]}"
    try:
        connect(probe.outbound, origin)
    except ProbeError as fault:
        return failed(fault.code, ("Asked for", f"CONNECT {asked}"), *fault.facts)
    signed_in = probe.outbound.proxy is not None and probe.outbound.proxy.user
    how = "accepts Counterpart’s sign-in and connects" if signed_in else "connects"
    return passed(f"The proxy {how} to {asked}.", ("Asked for", f"CONNECT {asked}"))


def proxy_tls(probe: Probe, origin: str) -> Finding:
    """Whether Counterpart knows the authority of the certificate behind the proxy; if not, it may be the proxy’s."""
    if origin.startswith("http:"):
        return skipped(NOT_ENCRYPTED)
    try:
        certificate(probe.outbound, origin)
    except ProbeError as fault:
        if fault.code == "tls.unknown_authority":
            return failed("proxy.own_certificate", *fault.facts)
        return skipped("Skipped: the check Certificate says more.")
    return passed("The proxy passes the encrypted connection through unchanged.")


def port(probe: Probe, origin: str) -> Finding:
    try:
        peer = connect(probe.outbound, origin)
    except ProbeError as fault:
        if better := _without_extras(probe, origin):
            return better
        at = str(host_and_port(origin)[1])
        return failed(fault.code, ("Port", at), *fault.facts)
    if not probe.is_direct:
        return passed(f"Connected through the proxy at {peer}.", ("Proxy", peer))
    return passed(f"Connected to {peer}.", ("Connected to", peer))


def tls(probe: Probe, origin: str) -> Finding:
    if origin.startswith("http:"):
        return skipped(NOT_ENCRYPTED)
    shown = certificate(probe.outbound, origin)
    facts = (*shown.facts, ("Days left", str(shown.days_left)), ("Protocol", shown.protocol))
    if shown.days_left < SOON_DAYS:
        return warned("tls.expires_soon", *facts)
    return passed(f"The certificate is valid for {shown.days_left} more days.", *facts)


def own_ca(probe: Probe, origin: str) -> Finding:
    """The certificates under Custom CA: at worst a warning, since trust is the check Certificate’s."""
    known = x509.load_pem_x509_certificates((probe.ca_pem or "").encode())
    first = min(known, key=lambda each: each.not_valid_after_utc)
    left = first.not_valid_after_utc - datetime.now(UTC)
    facts = (
        ("Certificate", first.subject.rfc4514_string()[:200]),
        ("Valid until", first.not_valid_after_utc.strftime("%d %B %Y")),
    )
    if left < timedelta():
        return warned("ca.expired", *facts)
    if left < CA_SOON:
        return warned("ca.expires", *facts)
    return passed(f"The first certificate to expire is valid for {left.days} more days.", *facts)


def api(probe: Probe, origin: str) -> Finding:
    """The response at `/api`, or at `/work/api` where only that is served."""
    seen = request(probe.outbound, f"{origin}/api")
    found = classify(seen)
    if found.code in {"api.not_found", "api.not_imanage"}:
        second = request(probe.outbound, f"{origin}/work/api")
        if classify(second).outcome == "pass":
            seen, found = second, classify(second)
    if found.code in _MISREAD and (better := _without_extras(probe, origin)):
        return better
    probe.api_answers[origin] = seen
    return found


def clock(probe: Probe, origin: str) -> Finding:
    seen = probe.api_answers[origin]
    theirs = seen.server_time
    if theirs is None:
        return skipped("Skipped: the server does not send its time.")
    apart = abs(theirs - seen.requested_at)
    seconds = round(apart.total_seconds())
    facts = (
        ("Server’s clock", theirs.strftime("%d %B %Y %H:%M:%S UTC")),
        ("Counterpart’s clock", seen.requested_at.strftime("%d %B %Y %H:%M:%S UTC")),
        ("Difference", "1 second" if seconds == 1 else f"{seconds} seconds"),
    )
    if apart > WRONG_CLOCK:
        return failed("clock.wrong", *facts)
    return warned("clock.apart", *facts) if apart > SLOW_CLOCK else passed("The clocks agree.", *facts)


def classify(seen: ProbeResponse) -> Finding:
    """Whether a response to `/api` is iManage's; if not, what it probably is."""
    if stopped := intercepted(seen):
        return stopped
    facts = facts_of(seen)
    if is_sign_in_page_of_another(seen):
        return failed("proxy.sign_in_page", *facts)
    if seen.location:
        return failed("api.redirected", *facts)
    said = seen.json
    if isinstance(said, dict) and _is_imanage(said, seen.status):
        data = said.get("data")
        version = data.get("dms_version") if isinstance(data, dict) else None
        if isinstance(version, str) and (shown := sanitise(version)):
            return passed(f"iManage Work {shown} answers.", ("iManage version", shown))
        return passed("iManage Work answers.")
    if is_page_of_a_proxy(seen):
        return failed("proxy.own_page", *facts)
    if seen.is_page and seen.status == 200:
        return failed("api.not_imanage", *facts)
    if seen.status in {401, 403}:
        return failed("proxy.refused", *facts)
    return failed("api.not_found" if seen.status == 404 else "api.not_imanage", *facts)


def is_sign_in_page_of_another(seen: ProbeResponse) -> bool:
    """Whether it is, or leads to, a sign-in page that is not iManage's, such as that of an application proxy."""
    if seen.location:
        kind = sign_in_pages.of_redirect(f"https://{seen.netloc}/", seen.location)
    else:
        kind = sign_in_pages.of_body(seen.body, seen.headers.get("Content-Type", ""))
    return kind is SignInPageError


def is_page_of_a_proxy(seen: ProbeResponse) -> bool:
    """Whether it is a web page that names a known proxy or firewall."""
    words = f"{seen.headers} {seen.page.title} {seen.page.words[:20_000]}"
    return seen.is_page and bool(_PROXY.search(words))


def intercepted(seen: ProbeResponse) -> Finding | None:
    """Responses that come from something in front of iManage, or before it handles the request."""
    facts = facts_of(seen)
    if seen.status == 407:
        return failed("proxy.sign_in", *facts)
    if seen.status == 511:
        return failed("proxy.captive_portal", *facts)
    if seen.status == 429:
        wait = retry_after(seen.headers)
        return warned("throttled.calls", *facts, *((("Retry after", f"{wait:g} seconds"),) if wait else ()))
    if seen.status in {502, 503, 504}:
        return failed("api.gateway", *facts)
    return failed("api.server_fault", *facts) if seen.status >= 500 else None


def facts_of(seen: ProbeResponse) -> Facts:
    """What may be shown of a response: its status, and what iManage or a known product says about itself.

    Anything more would let a System Admin read any host of the firm's network through these checks.
    """
    known = {
        "Page title": seen.page.title,
        "Server": seen.headers.get("Server", ""),
        "Via": seen.headers.get("Via", ""),
    }
    found = [("Status", str(seen.status))]
    if seen.location:
        found.append(("Redirects to", _redirect_target(seen)))
    named = [(name, sanitise(value)) for name, value in known.items() if _QUOTABLE.search(value)]
    return (*found, *(named or [("Answered by", "Another program, whose answer is not shown here")]))


def _redirect_target(seen: ProbeResponse) -> str:
    """Where a redirect leads, without its query; another host only where it is a known product."""
    target = seen.location.partition("?")[0].partition("#")[0]
    parts = urlsplit(target)
    if _QUOTABLE.search(parts.netloc) or (
        parts.netloc in {"", seen.netloc} and parts.path.startswith(_IMANAGE_PATHS)
    ):
        return sanitise(target)[:200]
    return "another page on this host" if parts.netloc in {"", seen.netloc} else "another host"


def _is_imanage(said: dict[str, Any], status: int) -> bool:
    data = said.get("data")
    if isinstance(data, dict) and _IMANAGE_KEYS & data.keys():
        return True
    error = said.get("error")
    return status == 401 and isinstance(error, dict) and bool({"code", "message"} & error.keys())


def _without_extras(probe: Probe, origin: str) -> Finding | None:
    """A failure that names the better address, where iManage answers without the path or the port."""
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
            if classify(request(probe.outbound, f"{better}/api")).outcome == "pass":
                return failed(code, ("iManage answers at", better), ("Address entered", origin))
        except ProbeError:
            continue
    return None
