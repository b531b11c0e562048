"""Passwords: hashed with argon2id, checked at one cost whoever is asked for, and refused where soon guessed."""

from __future__ import annotations

import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from services.text import fold, normalise

SHORTEST = 12
LONGEST = 200
# Without letters and digits that look alike, because it may be read out.
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
GROUPS = 4
GROUP = 5

_hasher = PasswordHasher(time_cost=3, memory_cost=19 * 1024, parallelism=1)


def hash_of(password: str) -> str:
    return _hasher.hash(_normal(password))


def is_right(stored: str | None, password: str) -> bool:
    """Whether the password opens this hash. Without a hash it takes as long and says no."""
    stand_in = _nobodys_hash()
    if len(password) > LONGEST:
        password = ""
    try:
        return _hasher.verify(stored or stand_in, _normal(password)) and bool(stored)
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(stored: str) -> bool:
    """Whether the hash was made under weaker settings than today's."""
    return _hasher.check_needs_rehash(stored)


def fault(password: str, *, name: str, email: str) -> str | None:
    """What is wrong with a new password, None where it may be used."""
    if len(password) < SHORTEST:
        return f"Use {SHORTEST} characters or more. A few words together are easy to remember."
    if len(password) > LONGEST:
        return f"Use {LONGEST} characters or fewer."
    folded = fold(password)
    if folded in {fold(name), fold(email), fold(email.partition("@")[0])}:
        return "Choose a password that is not the name or e-mail address."
    if len(set(folded)) < 4:
        return "Choose a password with more than a few different characters."
    return None


def generate() -> str:
    """A password to hand over once: 99 bits, in groups that can be read out."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(GROUP)) for _ in range(GROUPS))


def _normal(password: str) -> str:
    """The same password whether the keyboard sends an accent with its letter or after it."""
    return normalise("NFC", password)


@cache
def _nobodys_hash() -> str:
    return hash_of(secrets.token_urlsafe())
