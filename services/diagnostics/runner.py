"""The checks of a server in order, with their prerequisites, and how they are run."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace

from imanage.probes import ProbeError
from imanage.types import AppCredentials
from models import utcnow
from services.diagnostics import application, network, sign_ins
from services.diagnostics.probe_session import Finding, Probe, failed, open_probe
from services.diagnostics.report import Report, Result
from services.guidance.advice import Advice
from services.guidance.tables import CHECK_ADVICE

NETWORK, PROXY, IMANAGE, API_URL = "Network", "Proxy", "iManage", "API URL"
APPLICATION, SIGN_INS = "Application", "Sign-ins"


@dataclass(frozen=True)
class Check:
    """One check; skipped where one of `needs` failed. `at_api`: it probes the API URL, not the URL."""

    key: str
    group: str
    title: str
    run: Callable[[Probe, str], Finding]
    needs: tuple[str, ...] = ()
    at_api: bool = False


def ignore(result: Result) -> None:
    pass


def check(
    server_id: uuid.UUID,
    *,
    on_result: Callable[[Result], None] = ignore,
    credentials: AppCredentials | None = None,
    thorough: bool = True,
) -> Report:
    """Check a server; `on_result` gets each result as soon as it is there. Raises NotFoundError.

    `credentials` are checked instead of the stored ones. Without `thorough` nothing is sent that a server could count
    as a failed attempt (a wrong secret, another redirect URL), and no member's sign-in is used.
    """
    started_at = utcnow()
    probe = open_probe(server_id, credentials, thorough=thorough)
    results: list[Result] = []
    failures: dict[str, str] = {}
    for each in _checks(probe):
        because = next((failures[key] for key in each.needs if key in failures), None)
        result = _run(each, probe, because)
        if result.outcome == "fail":
            failures[each.key] = each.title
        elif result.outcome == "skipped" and because:
            failures[each.key] = because
        results.append(result)
        on_result(result)
    return Report(server_id, started_at, utcnow(), tuple(results))


def plan(server_id: uuid.UUID) -> tuple[tuple[str, str, str], ...]:
    """The checks that this server will have: key, group and title of each."""
    return tuple(
        (each.key, each.group, each.title) for each in _checks(open_probe(server_id, None, thorough=True))
    )


def _run(check: Check, probe: Probe, because: str | None) -> Result:
    began = time.perf_counter()
    if because is not None:
        found = Finding("skipped", sentence=f"Skipped because this failed: {because}.")
    else:
        try:
            found = check.run(probe, probe.endpoints.api if check.at_api else probe.endpoints.browser)
        except ProbeError as fault:
            found = replace(failed(fault.code, *fault.facts), also=fault.also)
    advice = _advice(found)
    return Result(
        key=check.key,
        group=check.group,
        title=check.title,
        outcome=found.outcome,
        seconds=time.perf_counter() - began,
        code=found.code,
        sentence=advice.sentence if advice else found.sentence,
        cause=advice.cause if advice else "",
        next_step=advice.next_step if advice else "",
        owner=advice.owner if advice else "",
        facts=found.facts,
    )


def _advice(found: Finding) -> Advice | None:
    """The advice for its code, followed by that for further problems; the owner is that of the first."""
    advice = CHECK_ADVICE.get(found.code)
    further = [CHECK_ADVICE[code] for code in found.also if code in CHECK_ADVICE]
    if advice is None or not further:
        return advice
    return replace(
        advice,
        sentence=" ".join(each.sentence for each in (advice, *further)),
        cause=" ".join(each.cause for each in (advice, *further)),
        next_step=" ".join(each.next_step for each in (advice, *further)),
    )


def _checks(probe: Probe) -> tuple[Check, ...]:
    """The API URL has its own checks where it differs from the URL."""
    split = probe.is_split
    at = "api_api" if split else "api"
    apart = (
        Check("api_dns", API_URL, "API host name", network.name, (), True),
        Check("api_tcp", API_URL, "API connection", network.port, ("api_dns",), True),
        Check("api_tls", API_URL, "API certificate", network.tls, ("api_tcp",), True),
        Check("api_api", API_URL, "API response", network.api, ("api_tls",), True),
    )
    direct = (
        Check("tcp", NETWORK, "Connection", network.port, ("dns",)),
        Check("tls", NETWORK, "Certificate", network.tls, ("tcp",)),
    )
    proxied = (
        Check("proxy", PROXY, "Proxy connection", network.proxy, ("dns",)),
        Check("proxy_tunnel", PROXY, "Proxy tunnel", network.proxy_tunnel, ("proxy",)),
        Check("proxy_tls", PROXY, "Encryption through the proxy", network.proxy_tls, ("proxy_tunnel",)),
        Check("tls", PROXY, "Certificate", network.tls, ("proxy_tls",)),
    )
    same = Check("api_customer", SIGN_INS, "iManage customer", sign_ins.customer, (at,), True)
    own_ca = Check("own_ca", NETWORK if probe.is_direct else PROXY, "Custom CA", network.own_ca)
    return (
        Check("dns", NETWORK, "Host name", network.name),
        *(direct if probe.is_direct else proxied),
        *((own_ca,) if probe.ca_pem else ()),
        Check("api", IMANAGE, "iManage response", network.api, ("tls",)),
        Check("clock", IMANAGE, "Clock", network.clock, ("api",)),
        *(apart if split else ()),
        Check("sign_in_page", APPLICATION, "Sign-in page", application.sign_in_page, ("api",)),
        Check("client_id", APPLICATION, "Client ID", application.client_id, ("sign_in_page",)),
        Check("redirect_url", APPLICATION, "Redirect URL", application.redirect_url, ("client_id",)),
        Check("secret", APPLICATION, "Client Secret", application.secret, ("client_id", at), True),
        Check("header", SIGN_INS, "Sign-in header", sign_ins.header, (at,), True),
        *((same,) if split else ()),
        Check("refresh_token", SIGN_INS, "Refresh token", sign_ins.refresh_token),
    )
