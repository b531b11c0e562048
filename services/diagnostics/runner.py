"""The checks of a server in their order, which needs which, and their run: the first failure skips what hangs on it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace

from imanage.probes import ProbeError
from imanage.types import AppCredentials
from models import utcnow
from services.diagnostics import application, authorities, network, sign_ins
from services.diagnostics.probe_session import Found, Visit, failed, visit
from services.diagnostics.report import Report, Result
from services.guidance.advice import Advice
from services.guidance.application import APPLICATION_ADVICE
from services.guidance.network import NETWORK_ADVICE

ADVICE: dict[str, Advice] = NETWORK_ADVICE | APPLICATION_ADVICE
NETWORK, IMANAGE, API_URL = "Network", "iManage", "API URL"
APPLICATION, SIGN_INS = "Application", "Sign-ins"


@dataclass(frozen=True)
class Step:
    """One check. `at_api` looks at the API URL, else at the URL."""

    key: str
    group: str
    title: str
    look: Callable[[Visit, str], Found]
    needs: tuple[str, ...] = ()
    at_api: bool = False


def ignore(result: Result) -> None:
    """For whoever only wants the report."""


def check(
    server_id: uuid.UUID,
    *,
    on_result: Callable[[Result], None] = ignore,
    credentials: AppCredentials | None = None,
    thorough: bool = True,
) -> Report:
    """Look at a server, step by step; `on_result` hears each result as it comes. Raises NotFoundError.

    `credentials` are looked at in place of those on record. Without `thorough` nothing is tried that a server would
    note as a wrong guess, no wrong secret and no other spelling of the redirect URL, and no member's sign-in is used.
    """
    started_at = utcnow()
    whom = visit(server_id, credentials, thorough=thorough)
    results: list[Result] = []
    failures: dict[str, str] = {}
    for step in _steps(whom):
        result = _run(step, whom, next((failures[key] for key in step.needs if key in failures), None))
        if result.outcome == "fail":
            failures[step.key] = step.title
        elif result.outcome == "skipped" and (because := _because(step, failures)):
            failures[step.key] = because
        results.append(result)
        on_result(result)
    return Report(server_id, started_at, utcnow(), tuple(results))


def plan(server_id: uuid.UUID) -> tuple[tuple[str, str, str], ...]:
    """The rows that a check of this server will have: key, group and title."""
    return tuple((step.key, step.group, step.title) for step in _steps(visit(server_id, None, thorough=True)))


def _because(step: Step, failures: dict[str, str]) -> str | None:
    return next((failures[key] for key in step.needs if key in failures), None)


def _run(step: Step, whom: Visit, because: str | None) -> Result:
    began = time.perf_counter()
    if because is not None:
        found = Found("skipped", sentence=f"Not looked at, because this failed: {because}.")
    else:
        try:
            found = step.look(whom, whom.endpoints.api if step.at_api else whom.endpoints.browser)
        except ProbeError as fault:
            found = replace(failed(fault.code, *fault.facts), also=fault.also)
    words = _words_of(found)
    return Result(
        key=step.key,
        group=step.group,
        title=step.title,
        outcome=found.outcome,
        seconds=time.perf_counter() - began,
        code=found.code,
        sentence=words.sentence if words else found.sentence,
        cause=words.cause if words else "",
        next_step=words.next_step if words else "",
        owner=words.owner if words else "",
        facts=found.facts,
    )


def _words_of(found: Found) -> Advice | None:
    """The words for its code, and after them those for what is wrong beside it. The first says whose step it is."""
    words = ADVICE.get(found.code)
    beside = [ADVICE[code] for code in found.also if code in ADVICE]
    if words is None or not beside:
        return words
    return replace(
        words,
        sentence=" ".join(each.sentence for each in (words, *beside)),
        cause=" ".join(each.cause for each in (words, *beside)),
        next_step=" ".join(each.next_step for each in (words, *beside)),
    )


def _steps(whom: Visit) -> tuple[Step, ...]:
    """The API URL has checks of its own where it is another address than the URL."""
    split = whom.is_split
    at = "api_api" if split else "api"
    apart = (
        Step("api_dns", API_URL, "The name of the API URL is found", network.name, (), True),
        Step("api_tcp", API_URL, "The API URL takes connections", network.port, ("api_dns",), True),
        Step("api_tls", API_URL, "The API URL’s certificate is good", network.tls, ("api_tcp",), True),
        Step("api_api", API_URL, "iManage Work answers at the API URL", network.api, ("api_tls",), True),
    )
    same = Step(
        "api_customer", SIGN_INS, "URL and API URL lead to the same customer", sign_ins.customer, (at,), True
    )
    own_ca = Step("own_ca", NETWORK, "The server’s own CA is in date", authorities.in_date)
    return (
        Step("dns", NETWORK, "The name is found", network.name),
        Step("tcp", NETWORK, "The server takes connections", network.port, ("dns",)),
        Step("tls", NETWORK, "The certificate is good", network.tls, ("tcp",)),
        *((own_ca,) if whom.ca_pem else ()),
        Step("api", IMANAGE, "iManage Work answers", network.api, ("tls",)),
        Step("clock", IMANAGE, "The clocks agree", network.clock, ("api",)),
        *(apart if split else ()),
        Step("sign_in_page", APPLICATION, "The sign-in page is there", application.sign_in_page, ("api",)),
        Step("client_id", APPLICATION, "The Client ID is known", application.client_id, ("sign_in_page",)),
        Step(
            "redirect_url",
            APPLICATION,
            "Our redirect URL is accepted",
            application.redirect_url,
            ("client_id",),
        ),
        Step(
            "secret",
            APPLICATION,
            "The Client Secret is accepted",
            application.secret,
            ("client_id", at),
            True,
        ),
        Step("header", SIGN_INS, "The sign-in’s header arrives", sign_ins.header, (at,), True),
        *((same,) if split else ()),
        Step("refresh_token", SIGN_INS, "Sign-ins can be renewed", sign_ins.refresh_token),
    )
