"""The checks of our registration in iManage: sign-in page, Client ID, redirect URL and Client Secret.

Each answer is compared with a control: a request that a server which validates must answer differently. Where both
answers are the same, the check is inconclusive, a warning.
"""

from __future__ import annotations

import re
import secrets
import time
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qs, urlsplit

from imanage.certificates import Facts
from imanage.probes import ProbeResponse
from imanage.refusals import read_refusal, sanitise
from services.diagnostics.network import (
    facts_of,
    intercepted,
    is_page_of_a_proxy,
    is_sign_in_page_of_another,
)
from services.diagnostics.probe_session import Finding, Probe, failed, passed, skipped, warned
from services.diagnostics.redirect_variants import variants

Kind = Literal["page", "returned", "mismatch", "unknown_client", "blocked", "wrong", "intercepted", "refused"]

NOWHERE = "https://connection-check.invalid/not-registered"
VARIANT_SECONDS = 20.0
NO_CREDENTIALS = "Skipped: there is no Client ID and Client Secret to check with."
# Matched against pages of other programs: every repetition is bounded, so that matching stays linear.
_MISMATCH = re.compile(
    r"mismatch\w{0,10}\W{1,10}(the\W{1,10})?redirect"
    r"|redirect\W{0,10}ur[il]\W{1,10}(\w{1,20}\W{1,10}){0,4}(mismatch|match|invalid|not registered)"
    r"|invalid\W{1,10}(redirect\W{0,10})?ur[il]",
    re.IGNORECASE,
)
_UNKNOWN = re.compile(
    r"(application|client)\b[^.<>]{0,40}(not registered|not known|unknown|not found|not exist|disabled)"
    r"|(unknown|invalid|unregistered)[ _](client|application)|unauthorized_client",
    re.IGNORECASE,
)
_BLOCKED = re.compile(r"content is blocked", re.IGNORECASE)
_WRONG = re.compile(r"something ?went ?wrong", re.IGNORECASE)
_CLIENT_ERROR = re.compile(r"invalid_?client|unauthorized_?client|client.?(id|secret)", re.IGNORECASE)
_VOLATILE = re.compile(r"[0-9a-f-]{8,}|\d{4,}", re.IGNORECASE)


@dataclass(frozen=True)
class Answer:
    """An answer of the authorize address. Answers with the same `fingerprint` cannot be told apart."""

    kind: Kind
    fingerprint: tuple[str, ...]
    error: str = ""


def sign_in_page(probe: Probe, origin: str) -> Finding:
    if probe.credentials is None:
        return skipped(NO_CREDENTIALS)
    seen = probe.authorize(probe.registration.client_id, probe.redirect_url)
    answer = _our_answer(probe)
    facts = facts_of(seen)
    if answer.kind == "intercepted":
        return intercepted(seen) or failed("sign_in_page.missing", *facts)
    if answer.kind == "blocked":
        return failed("sign_in_page.content_blocked", *facts)
    if answer.kind == "wrong":
        return failed("sign_in_page.something_went_wrong", *facts)
    if answer.kind == "refused":
        return failed("sign_in_page.refused", *facts)
    return passed("iManage’s sign-in page answers at this address.", *facts)


def client_id(probe: Probe, origin: str) -> Finding:
    if probe.credentials is None:
        return failed(probe.lacking)
    answer, named = _our_answer(probe), ("Client ID", probe.registration.client_id)
    if answer.kind == "unknown_client" or _CLIENT_ERROR.search(answer.error):
        return failed("client.not_uploaded" if probe.is_of_package else "client.unknown", named)
    if answer.kind == "returned" and answer.error:
        return failed("client.refused", named, ("iManage says", answer.error))
    if _request(probe, secrets.token_hex(16), probe.redirect_url).fingerprint == answer.fingerprint:
        return warned("client.inconclusive", named)
    probe.knows_client_id = True
    return passed("iManage knows this Client ID and rejects an unregistered one.", named)


def redirect_url(probe: Probe, origin: str) -> Finding:
    if probe.credentials is None:
        return skipped(NO_CREDENTIALS)
    answer, ours = _our_answer(probe), ("Our redirect URL", probe.redirect_url)
    if answer.kind == "mismatch":
        return _mismatch(probe)
    if answer.kind == "returned":
        return passed("iManage returns people to the redirect URL.", ours)
    if _request(probe, probe.registration.client_id, NOWHERE).fingerprint == answer.fingerprint:
        return warned("redirect.inconclusive", ours)
    return passed("iManage accepts the redirect URL and rejects another one.", ours)


def secret(probe: Probe, origin: str) -> Finding:
    if probe.credentials is None:
        return skipped(NO_CREDENTIALS)
    right = probe.exchange(probe.registration.client_secret)
    facts = _message_facts(right, probe.registration.client_secret)
    if _is_about_the_client(right):
        code = "secret.wrong" if probe.knows_client_id else "secret.out_of_step"
        return failed(code, ("Client ID", probe.registration.client_id), *facts)
    if finding := _unreadable(right):
        return finding
    wrong = secrets.token_hex(16)
    if not probe.thorough:
        return skipped("Skipped in scheduled checks: it includes a try with a wrong secret.")
    control = probe.exchange(wrong)
    if control.status == 429:
        return warned("throttled.calls", *facts_of(control))
    if _stable(str(_message_facts(control, wrong))) == _stable(str(facts)):
        return warned("secret.inconclusive", *facts)
    return passed("iManage accepts the Client Secret and rejects a wrong one.")


def _unreadable(seen: ProbeResponse) -> Finding | None:
    """The finding where the answer to an invalid code says nothing about the secret.

    Some servers answer it with a page or an internal error, and serve real sign-ins nevertheless.
    """
    if is_sign_in_page_of_another(seen):
        return failed("proxy.sign_in_page", *facts_of(seen))
    if seen.status == 500:
        return warned("token.unreadable", *facts_of(seen))
    if finding := intercepted(seen):
        return finding
    if isinstance(seen.json, dict):
        return None
    if seen.status in {404, 405} or seen.location or is_page_of_a_proxy(seen) or not seen.is_page:
        return failed("token.not_imanage", *facts_of(seen))
    return warned("token.unreadable", *facts_of(seen))


def _request(probe: Probe, client: str, redirect_url: str) -> Answer:
    """Request the authorize address. Only what stays the same between requests goes into the fingerprint."""
    seen = probe.authorize(client, redirect_url)
    page, text = seen.page, seen.page.words
    features = (str(seen.status), _host_and_path(seen.location), page.title, page.heading)
    fingerprint = tuple(_stable(each.replace(client, "").replace(redirect_url, "")) for each in features)
    error = ""
    kind: Kind = "page"
    if intercepted(seen) or seen.status == 404:
        kind = "intercepted"
    elif seen.location:
        if seen.location.startswith(redirect_url):
            kind, error = "returned", sanitise(parse_qs(urlsplit(seen.location).query).get("error", [""])[0])
    elif _UNKNOWN.search(text):
        kind = "unknown_client"
    elif _MISMATCH.search(text):
        kind = "mismatch"
    elif _BLOCKED.search(text):
        kind = "blocked"
    elif _WRONG.search(text):
        kind = "wrong"
    elif seen.status >= 400:
        kind = "refused"
    return Answer(kind, (kind, *fingerprint, error), error)


def _our_answer(probe: Probe) -> Answer:
    """The answer to our own registration. A refusal without a reason is interpreted by its controls."""
    own = probe.registration.client_id
    answer = _request(probe, own, probe.redirect_url)
    if answer.kind not in {"wrong", "refused"}:
        return answer
    unknown_client = _request(probe, secrets.token_hex(16), probe.redirect_url)
    unknown_redirect = _request(probe, own, NOWHERE)
    if answer.fingerprint == unknown_redirect.fingerprint != unknown_client.fingerprint:
        return Answer("mismatch", answer.fingerprint)
    return answer


def _mismatch(probe: Probe) -> Finding:
    """Find the registered redirect URL among the usual variants of ours by trying each."""
    ours = ("Our redirect URL", probe.redirect_url)
    if probe.thorough:
        end = time.monotonic() + VARIANT_SECONDS
        for code, url in variants(probe.redirect_url, probe.our_hosts):
            answer = _request(probe, probe.registration.client_id, url)
            if answer.kind in {"page", "returned"}:
                return failed(code, ours, ("Registered in iManage", url.replace(" ", "␠")))
            if answer.kind == "intercepted" or time.monotonic() > end:
                break
    return failed("redirect.mismatch", ours)


def _message_facts(seen: ProbeResponse, secret_sent: str) -> Facts:
    refusal = read_refusal(seen.json, (secret_sent,))
    said = ": ".join(filter(None, [refusal.code, refusal.message]))
    found = {"Status": str(seen.status), "iManage says": said}
    return tuple((name, value) for name, value in found.items() if value)


def _stable(text: str) -> str:
    """Without what changes from answer to answer, such as request ids."""
    return _VOLATILE.sub("#", text)


def _is_about_the_client(seen: ProbeResponse) -> bool:
    refusal = read_refusal(seen.json)
    return seen.status in {400, 401, 403, 500} and any(
        map(_CLIENT_ERROR.search, filter(None, [refusal.code, refusal.message]))
    )


def _host_and_path(location: str) -> str:
    parts = urlsplit(location)
    return f"{parts.netloc}{parts.path}"
