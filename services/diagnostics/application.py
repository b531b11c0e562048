"""Our registration with the server: its sign-in page, the Client ID, the redirect URL and the Client Secret.

What cannot be told from outside is said to be so. Each answer is held against a control: a question that a server
which looks at all must answer differently.
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
from imanage.responses import error_details, sanitise
from services.diagnostics.network import facts_of, stopped_on_the_way
from services.diagnostics.probe_session import Found, Visit, failed, passed, skipped, warned
from services.diagnostics.redirect_variants import variants

Kind = Literal["page", "returned", "mismatch", "unknown_client", "blocked", "wrong", "stopped", "refused"]

NOWHERE = "https://connection-check.invalid/not-registered"
VARIANT_SECONDS = 20.0
# These meet foreign pages: every repetition has an upper end, so that no text takes the square of its length.
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
_CLIENT_SAID = re.compile(r"invalid_?client|unauthorized_?client|client.?(id|secret)", re.IGNORECASE)
_PASSING = re.compile(r"[0-9a-f-]{8,}|\d{4,}", re.IGNORECASE)


@dataclass(frozen=True)
class Reading:
    """What the authorize address answered. Two answers that `look` alike cannot be told apart from outside."""

    kind: Kind
    look: tuple[str, ...]
    error: str = ""


def sign_in_page(visit: Visit, origin: str) -> Found:
    if visit.credentials is None:
        return skipped("Not looked at, because there are no credentials to ask with.")
    seen = visit.authorize(visit.registration.client_id, visit.redirect_url)
    reading = _ours(visit)
    facts = facts_of(seen)
    if reading.kind == "stopped":
        return stopped_on_the_way(seen) or failed("sign_in_page.missing", *facts)
    if reading.kind == "blocked":
        return failed("sign_in_page.content_blocked", *facts)
    if reading.kind == "wrong":
        return failed("sign_in_page.something_went_wrong", *facts)
    if reading.kind == "refused":
        return failed("sign_in_page.refused", *facts)
    return passed("iManage’s sign-in answers at this address.", *facts)


def client_id(visit: Visit, origin: str) -> Found:
    if visit.credentials is None:
        return failed(visit.lacking)
    reading, named = _ours(visit), ("Client ID", visit.registration.client_id)
    if reading.kind == "unknown_client" or _CLIENT_SAID.search(reading.error):
        return failed("client.not_uploaded" if visit.is_of_package else "client.unknown", named)
    if reading.kind == "returned" and reading.error:
        return failed("client.refused", named, ("iManage says", reading.error))
    if _read(visit, secrets.token_hex(16), visit.redirect_url).look == reading.look:
        return warned("client.inconclusive", named)
    return passed("iManage knows this Client ID: it refuses another.", named)


def redirect_url(visit: Visit, origin: str) -> Found:
    if visit.credentials is None:
        return skipped("Not looked at, because there are no credentials to ask with.")
    reading, ours = _ours(visit), ("Our redirect URL", visit.redirect_url)
    if reading.kind == "mismatch":
        return _mismatch(visit)
    if reading.kind == "returned":
        return passed("iManage sends people back to our redirect URL.", ours)
    if _read(visit, visit.registration.client_id, NOWHERE).look == reading.look:
        return warned("redirect.inconclusive", ours)
    return passed("iManage accepts our redirect URL: it refuses another.", ours)


def secret(visit: Visit, origin: str) -> Found:
    if visit.credentials is None:
        return skipped("Not looked at, because there are no credentials to ask with.")
    right = visit.exchange(visit.registration.client_secret)
    if found := stopped_on_the_way(right):
        return found
    if not isinstance(right.json, dict):
        return failed("token.not_imanage", *facts_of(right))
    wrong = secrets.token_hex(16)
    said = _said(right, visit.registration.client_secret)
    if _is_about_the_client(right):
        return failed("secret.wrong", ("Client ID", visit.registration.client_id), *said)
    if not visit.thorough:
        return skipped("Only looked at when a person asks: it needs a try with a wrong secret on purpose.")
    control = visit.exchange(wrong)
    if control.status == 429:
        return warned("throttled.calls", *facts_of(control))
    if _lasting(str(_said(control, wrong))) == _lasting(str(said)):
        return warned("secret.inconclusive", *said)
    return passed("iManage accepts the Client Secret: it refuses a wrong one.")


def _read(visit: Visit, client: str, redirect_url: str) -> Reading:
    """What the authorize address answers. Only lasting features count: pages carry fresh numbers, and echoes."""
    seen = visit.authorize(client, redirect_url)
    page, text = seen.page, seen.page.words
    features = (str(seen.status), _host_and_path(seen.location), page.title, page.heading)
    look = tuple(_lasting(each.replace(client, "").replace(redirect_url, "")) for each in features)
    error = ""
    kind: Kind = "page"
    if stopped_on_the_way(seen) or seen.status == 404:
        kind = "stopped"
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
    return Reading(kind, (kind, *look, error), error)


def _ours(visit: Visit) -> Reading:
    """The answer to our own question. One that only says no is understood by what the controls are told."""
    own = visit.registration.client_id
    reading = _read(visit, own, visit.redirect_url)
    if reading.kind not in {"wrong", "refused"}:
        return reading
    stranger = _read(visit, secrets.token_hex(16), visit.redirect_url)
    elsewhere = _read(visit, own, NOWHERE)
    if reading.look == elsewhere.look != stranger.look:
        return Reading("mismatch", reading.look)
    return reading


def _mismatch(visit: Visit) -> Found:
    """Which near spelling of our redirect URL is the registered one, found by asking for each."""
    ours = ("Our redirect URL", visit.redirect_url)
    if visit.thorough:
        end = time.monotonic() + VARIANT_SECONDS
        for code, url in variants(visit.redirect_url, visit.our_hosts):
            reading = _read(visit, visit.registration.client_id, url)
            if reading.kind in {"page", "returned"}:
                return failed(code, ours, ("Registered in iManage", _visible(url)))
            if reading.kind == "stopped" or time.monotonic() > end:
                break
    return failed("redirect.mismatch", ours)


def _visible(url: str) -> str:
    """Spaces at the ends can be seen."""
    return url.replace(" ", "␠")


def _said(seen: ProbeResponse, secret_sent: str) -> Facts:
    code, message, _ = error_details(seen.json, (secret_sent,))
    found = {"Status": str(seen.status), "iManage says": ": ".join(filter(None, [code, message]))}
    return tuple((name, value) for name, value in found.items() if value)


def _lasting(text: str) -> str:
    """Without what is new in each answer, such as the number of a request."""
    return _PASSING.sub("#", text)


def _is_about_the_client(seen: ProbeResponse) -> bool:
    return seen.status in {400, 401, 403} and any(
        map(_CLIENT_SAID.search, filter(None, error_details(seen.json)[:2]))
    )


def _host_and_path(location: str) -> str:
    parts = urlsplit(location)
    return f"{parts.netloc}{parts.path}"
