"""Where on a server's page a failure is mended, by the code of its check."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A part of the server's page: its id, and what a link to it says."""

    anchor: str
    label: str


OWN_CA = Place("own-ca", "Own CA")
CONNECTION = Place("connection", "Connection")
SIGN_INS = Place("sign-ins", "Signed in")
CHECK = Place("check", "The check that fails")
PLACES = {
    "tls.unknown_authority": OWN_CA,
    "tls.self_signed": OWN_CA,
    "ca": OWN_CA,
    "redirect": Place("connection", "Our redirect URL, to copy"),
    "client": Place("connection", "Client ID and Client Secret"),
    "secret": Place("connection", "Client ID and Client Secret"),
    "api_url": CONNECTION,
    "address": CONNECTION,
    "refresh": SIGN_INS,
}


def place_of(code: str) -> Place:
    """The place of the code, or of what it begins with; else the check itself, which says whose step it is."""
    while code:
        if code in PLACES:
            return PLACES[code]
        code = code.rpartition(".")[0]
    return CHECK
