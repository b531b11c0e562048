"""Passwords: hashed with argon2id, checked at one cost whoever is asked for, and refused where soon guessed."""

from __future__ import annotations

import re
import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from services.core.text.normalise import normalise, search_fold

SHORTEST = 12
LONGEST = 200
TELLING = 4
"""A name of so many letters is not to be anywhere in a password; a shorter one is not to be a word of it."""
HARD_ENOUGH = 3
MOST_JUDGED = 72
COMMON_LABELS = frozenset({"co", "com", "org", "net", "mail", "email", "law", "legal", "the", "and", "for"})
# Without letters and digits that look alike, because it may be read out.
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
GROUPS = 4
GROUP = 5

_BETWEEN_NAMES = re.compile(r"[._+-]")
_hasher = PasswordHasher(time_cost=3, memory_cost=19 * 1024, parallelism=1)


def hash_of(password: str) -> str:
    return _hasher.hash(_normal(password))


def verify(stored: str | None, password: str) -> bool:
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


def problem(password: str, *, name: str, email: str, organisation: str = "") -> str | None:
    """What is wrong with a new password, None where it may be used."""
    if len(password) < SHORTEST:
        return f"Use {SHORTEST} characters or more. A few words together are easy to remember."
    if len(password) > LONGEST:
        return f"Use {LONGEST} characters or fewer."
    told = _told_by(name, email, organisation)
    folded = search_fold(password)
    if any(word in (folded.split() if len(word) < TELLING else _letters(folded)) for word in told):
        return "Choose a password without the name, the e-mail address or the firm in it."
    if _score(password, told) < HARD_ENOUGH:
        return "This password would be guessed soon. Use a few words that have nothing to do with each other."
    return None


def _told_by(name: str, email: str, organisation: str) -> set[str]:
    """What is known of a person by whoever can write to them: words of three letters and more, in plain letters."""
    local, _, domain = search_fold(email).partition("@")
    labels = domain.split(".")[:-1] if "." in domain else [domain]
    words = [
        *search_fold(name).split(),
        *search_fold(organisation).split(),
        *_BETWEEN_NAMES.split(local),
        local,
    ]
    plain = {_letters(word) for word in (*words, *labels)} - COMMON_LABELS
    return {word for word in plain if len(word) >= TELLING - 1}


def _letters(text: str) -> str:
    return "".join(character for character in text if character.isalnum())


def _score(password: str, told: set[str]) -> int:
    """How hard it is to guess, from 0 to 4. Imported here: its lists of words are of no use to anything else."""
    from zxcvbn import zxcvbn

    return int(zxcvbn(password[:MOST_JUDGED], user_inputs=[*told, "counterpart"])["score"])


def generate() -> str:
    """A password to hand over once: 99 bits, in groups that can be read out."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(GROUP)) for _ in range(GROUPS))


def _normal(password: str) -> str:
    """The same password whether the keyboard sends an accent with its letter or after it."""
    return normalise("NFC", password)


@cache
def _nobodys_hash() -> str:
    return hash_of(secrets.token_urlsafe())
