"""Passwords: hashed with argon2id, verified in constant time per account, and refused if easy to guess."""

from __future__ import annotations

import re
import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from services.core.text.normalise import normalise, search_fold

SHORTEST = 12
LONGEST = 200
SUBSTRING_FROM = 4
"""A personal word of this length may be nowhere in a password; a shorter one may only not be a word of it."""
MIN_SCORE = 3
MAX_SCORED = 72
COMMON_LABELS = frozenset({"co", "com", "org", "net", "mail", "email", "law", "legal", "the", "and", "for"})
# Without letters and digits that look alike.
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
GROUPS = 4
GROUP = 5

_BETWEEN_NAMES = re.compile(r"[._+-]")
_hasher = PasswordHasher(time_cost=3, memory_cost=19 * 1024, parallelism=1)


def hash_of(password: str) -> str:
    return _hasher.hash(_normal(password))


def verify(stored: str | None, password: str) -> bool:
    """Whether the password matches the hash. Without a hash it takes as long and returns False."""
    dummy = _dummy_hash()
    if len(password) > LONGEST:
        password = ""
    try:
        return _hasher.verify(stored or dummy, _normal(password)) and bool(stored)
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(stored: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(stored)


def problem(password: str, *, name: str, email: str, organisation: str = "") -> str | None:
    """What is wrong with a new password; None if it is accepted."""
    if len(password) < SHORTEST:
        return f"Use {SHORTEST} characters or more. A few unrelated words are easy to remember."
    if len(password) > LONGEST:
        return f"Use {LONGEST} characters or fewer."
    personal = _personal_words(name, email, organisation)
    folded = search_fold(password)
    if any(word in (folded.split() if len(word) < SUBSTRING_FROM else _letters(folded)) for word in personal):
        return "Choose a password that does not contain your name, email address or organisation."
    if _score(password, personal) < MIN_SCORE:
        return "This password is easy to guess. Use a few unrelated words."
    return None


def _personal_words(name: str, email: str, organisation: str) -> set[str]:
    """Words from the name, address and organisation, of three letters or more, transliterated to ASCII."""
    local, _, domain = search_fold(email).partition("@")
    labels = domain.split(".")[:-1] if "." in domain else [domain]
    words = [
        *search_fold(name).split(),
        *search_fold(organisation).split(),
        *_BETWEEN_NAMES.split(local),
        local,
    ]
    plain = {_letters(word) for word in (*words, *labels)} - COMMON_LABELS
    return {word for word in plain if len(word) >= SUBSTRING_FROM - 1}


def _letters(text: str) -> str:
    return "".join(character for character in text if character.isalnum())


def _score(password: str, personal: set[str]) -> int:
    """The zxcvbn score, from 0 to 4. Imported here because its word lists take memory."""
    from zxcvbn import zxcvbn

    return int(zxcvbn(password[:MAX_SCORED], user_inputs=[*personal, "counterpart"])["score"])


def generate() -> str:
    """A generated password of 99 bits, in groups that can be read out."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(GROUP)) for _ in range(GROUPS))


def _normal(password: str) -> str:
    """NFC, since some keyboards send an accent and its letter as two characters."""
    return normalise("NFC", password)


@cache
def _dummy_hash() -> str:
    return hash_of(secrets.token_urlsafe())
