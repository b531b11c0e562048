"""The first System Admin of an empty installation: created once, with a code shown in its terminal."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import replace

from sqlalchemy import exists, select

from models import Installation, Member, utcnow
from services.auth import login_throttle, sessions
from services.core.actor import Nobody
from services.core.errors import ConflictError, InvalidError
from services.core.unit_of_work import session, unit_of_work
from services.directory import people
from services.directory.people import NewMember, create
from services.guidance.refusals import refusal

ROW = 1
# Crockford's base 32: no letter that looks like a digit. 20 of them are 100 bits.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 20
GROUP = 5
CONFUSABLE = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})
WRONG_CODE = "This is not the current set-up code. Enter the code shown when Counterpart last started."


def is_needed() -> bool:
    """Whether the installation has no members yet."""
    return not session().scalar(select(exists(select(Member.id))))


def code_for_terminal() -> str | None:
    """A new set-up code for the terminal, which replaces earlier ones; None if the installation has members."""
    with unit_of_work() as writing:
        if not is_needed():
            return None
        letters = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
        row = writing.get(Installation, ROW)
        if row is None:
            row = Installation(id=ROW)
            writing.add(row)
        row.setup_code_hash = _hash(letters)
    return "-".join(letters[start : start + GROUP] for start in range(0, LENGTH, GROUP))


def set_up(who: Nobody, code: str, new: NewMember) -> str:
    """Create the first System Admin and return the token of their session. Raises ConflictError the second time."""
    found = problems(who, code, new)
    with unit_of_work() as writing:
        row = writing.get(Installation, ROW, with_for_update=True)
        if not is_needed():
            raise refusal(ConflictError, "conflict", "set_up")
        if row is None or not _is_code(code):
            raise InvalidError(found | {"code": WRONG_CODE})
        if found:
            raise InvalidError(found)
        member = create(replace(who, name="Set-up page"), new)
        row.setup_code_hash = None
        row.set_up_at = utcnow()
        return sessions.begin(member.id)


def problems(who: Nobody, code: str, new: NewMember) -> dict[str, str]:
    """Validation errors by field; entering a code counts as an attempt. Raises TooManyError."""
    if not code:
        return people.problems(new)
    attempt = login_throttle.register((login_throttle.address_limit(who.address),))
    if not _is_code(code):
        return {"code": WRONG_CODE} | people.problems(new)
    login_throttle.clear(attempt)
    return people.problems(new)


def _is_code(code: str) -> bool:
    row = session().get(Installation, ROW)
    return row is not None and hmac.compare_digest(row.setup_code_hash or "", _hash(code))


def _hash(code: str) -> str:
    return hashlib.sha256(code.upper().translate(CONFUSABLE).encode()).hexdigest()
