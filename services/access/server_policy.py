"""The rules of who may use which iManage server, as pure functions of facts.

Enforcement, the disabled button and the explanation to an admin use the same rules, so they cannot differ.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class ServerUse:
    """The facts that the rules decide on."""

    member_is_active: bool
    member_is_guest: bool
    server_is_enabled: bool
    server_is_restricted: bool
    member_is_listed: bool


@dataclass(frozen=True)
class Rule:
    """One condition of using a server; `services.guidance.access` has the words for the case in which it fails.

    `is_secret`: a member who fails it must not learn of the server at all.
    """

    code: str
    question: str
    is_secret: bool
    holds: Callable[[ServerUse], bool]


SERVER_USE = (
    Rule(
        "member.inactive",
        "Is the member active?",
        True,
        lambda facts: facts.member_is_active,
    ),
    Rule(
        "member.guest",
        "Is the person a member of the firm?",
        True,
        lambda facts: not facts.member_is_guest,
    ),
    Rule(
        "server.restricted",
        "Is the member listed, if the server is restricted?",
        True,
        lambda facts: facts.member_is_listed or not facts.server_is_restricted,
    ),
    Rule(
        "server.disabled",
        "Is the server switched on?",
        False,
        lambda facts: facts.server_is_enabled,
    ),
)
"""In the order of evaluation: the secret ones come first."""


def server_use_denial(facts: ServerUse) -> Rule | None:
    """The first rule that fails; None if the member may use the server."""
    return next((rule for rule in SERVER_USE if not rule.holds(facts)), None)
