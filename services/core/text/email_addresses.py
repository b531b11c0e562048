"""Email addresses: judged when they are entered, and compared without regard to letter case."""

from __future__ import annotations

import re

import idna

from imanage.hostnames import imitation
from services.core.text.normalise import clean_line, hidden_characters, normalise

LONGEST = 254
LONGEST_KEY = 320
LOCAL = re.compile(r"[^\s@\"(),:;<>\[\]\\]{1,64}")
LABEL = re.compile(r"(?!-)[\w-]{1,63}(?<!-)")
FAULT = "Enter an email address, such as name@example.com."


def email_key(email: str) -> str:
    """Two addresses with the same key are the same account."""
    return normalise("NFKC", clean_line(email.replace("\0", ""))).casefold()


def email_problem(email: str) -> str | None:
    """What is wrong with the address, None where it can be one."""
    if len(email) > LONGEST:
        return f"Use {LONGEST} characters or fewer."
    local, at, domain = email.rpartition("@")
    labels = domain.split(".")
    fine = (
        at
        and len(labels) > 1
        and LOCAL.fullmatch(local)
        and not local.startswith(".")
        and not local.endswith(".")
        and ".." not in local
        and all(LABEL.fullmatch(label) for label in labels)
        and not hidden_characters(email)
        and _is_domain(domain)
    )
    if not fine:
        return FAULT
    if kind := imitation(_shown(domain)):
        are = (
            "mixes letters of different alphabets"
            if kind == "mixed"
            else "has letters that only look like Latin ones"
        )
        return f"The domain {are}: it is really “{_spelled(domain)}”. Type it again by hand."
    if len(email_key(email)) > LONGEST_KEY:
        return f"Use {LONGEST} characters or fewer."
    return None


def _is_domain(domain: str) -> bool:
    """Whether DNS could know it, perhaps as punycode (RFC 5891)."""
    try:
        _shown(domain)
    except UnicodeError:
        return False
    return True


def _spelled(domain: str) -> str:
    return idna.encode(domain, uts46=True).decode("ascii")


def _shown(domain: str) -> str:
    """The domain in letters, also where it was typed as punycode."""
    return idna.decode(_spelled(domain))
