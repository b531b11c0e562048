"""The rules about who may use which iManage server, as pure functions of facts.

Enforcement, the greyed-out button and the explanation to an admin all ask the same function, so they cannot differ.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ServerUse:
    """The facts on which the use of a server is decided."""

    member_is_active: bool
    member_is_guest: bool
    server_is_enabled: bool
    server_is_restricted: bool
    member_is_listed: bool


@dataclass(frozen=True)
class Denial:
    """The first rule that fails. `is_secret` means that the person must not learn of the server at all."""

    code: str
    sentence: str
    is_secret: bool


def server_use_denial(facts: ServerUse) -> Denial | None:
    """None where the member may use the server."""
    if not facts.member_is_active:
        return Denial("member.inactive", "The member is not active.", True)
    if facts.member_is_guest:
        return Denial("member.guest", "Guests never see anything of iManage.", True)
    if facts.server_is_restricted and not facts.member_is_listed:
        return Denial("server.restricted", "The server is restricted to members who are listed.", True)
    if not facts.server_is_enabled:
        return Denial("server.disabled", "The server is switched off.", False)
    return None
