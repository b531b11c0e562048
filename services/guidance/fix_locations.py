"""Where on a server's page a failed check is fixed, by its code."""

from __future__ import annotations

from dataclasses import dataclass

from services.guidance.advice import most_specific


@dataclass(frozen=True)
class FixLocation:
    """A part of the server's page: its id, and the text of a link to it."""

    anchor: str
    label: str


OWN_CA = FixLocation("own-ca", "Custom CA")
CONNECTION = FixLocation("connection", "Connection")
CREDENTIALS = FixLocation("connection", "Client ID and Client Secret")
SIGN_INS = FixLocation("sign-ins", "Signed in")
CHECK = FixLocation("check", "See the failed check")
LOCATIONS = {
    "tls.unknown_authority": OWN_CA,
    "tls.self_signed": OWN_CA,
    "proxy.own_certificate": OWN_CA,
    "proxy.not_set": CONNECTION,
    "ca": OWN_CA,
    "redirect": FixLocation("connection", "Copy the redirect URL"),
    "client": CREDENTIALS,
    "secret": CREDENTIALS,
    "api_url": CONNECTION,
    "address": CONNECTION,
    "refresh": SIGN_INS,
}


def fix_location(code: str) -> FixLocation:
    """Where to fix it; the check itself where that is outside Counterpart."""
    return most_specific(LOCATIONS, code) or CHECK
