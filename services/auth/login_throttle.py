"""Limits on guessing, counted in a table so that they hold over all web processes.

A guess is put on record before it is judged: of many guesses at the same moment, none slips past the count.

A guess from a browser that has signed in to the account before (see devices) counts for that browser alone. Any other
counts for its address with this account, for its address, and for the account; so nobody who guesses at an account
from elsewhere keeps its owner out of it.
"""

from __future__ import annotations

import hashlib
import ipaddress
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, exists, select

from models import SignInAttempt, new_id, utcnow
from services.core.errors import TooManyError
from services.core.unit_of_work import session, unit_of_work

WINDOW = timedelta(minutes=15)
KEY = 80
PER_PAIR = 5
PER_DEVICE = 20
PER_ADDRESS = 50
PER_ACCOUNT = 100


@dataclass(frozen=True)
class Limit:
    """How many wrong guesses a key may have within the window."""

    key: str
    most: int


@dataclass(frozen=True)
class Guess:
    """A guess on record that has not been judged yet: wrong until it is forgiven. `own_key`: see clear()."""

    ids: tuple[uuid.UUID, ...]
    own_key: str


class LoginThrottledError(TooManyError):
    """A limit was reached. `is_first`: the first refusal of this limit within the window; `limit`: its kind."""

    def __init__(self, limit: Limit, wait: timedelta, *, is_first: bool) -> None:
        super().__init__(
            f"There were too many wrong tries. Try again in {_minutes(wait)}.",
            next_step="Nothing is wrong with your account.",
        )
        self.limit = limit.key.partition(":")[0]
        self.is_first = is_first


def of_device(nonce: str) -> tuple[Limit, ...]:
    """The limit of a browser that has signed in to this account before."""
    return (Limit(f"device:{_hash(nonce)}", PER_DEVICE),)


def of_stranger(subject: str, from_address: str) -> tuple[Limit, ...]:
    """The limits of everybody else. There need be no such account."""
    by_address = address(from_address)
    return (
        Limit(f"pair:{_hash(f'{subject} {by_address.key}')}", PER_PAIR),
        by_address,
        Limit(f"account:{_hash(subject)}", PER_ACCOUNT),
    )


def of_member(subject: str) -> tuple[Limit, ...]:
    """The limit of somebody who is signed in and types a password."""
    return (Limit(f"member:{_hash(subject)}", PER_PAIR),)


def address(text: str) -> Limit:
    """The limit of one address. An IPv6 household has 2**64 of them, so it counts as one."""
    try:
        ip = ipaddress.ip_address(text)
    except ValueError:
        return Limit("address:unknown", PER_ADDRESS)
    if ip.version == 6:
        return Limit(f"address:{ipaddress.ip_network((ip, 64), strict=False).network_address}", PER_ADDRESS)
    return Limit(f"address:{ip}", PER_ADDRESS)


def register(limits: Sequence[Limit]) -> Guess:
    """Put a guess on record.

    Raises LoginThrottledError where a limit is reached; a guess refused so does not count.
    """
    now = utcnow()
    mine = {limit: new_id() for limit in limits}
    with unit_of_work() as writing:
        writing.execute(delete(SignInAttempt).where(SignInAttempt.at < now - WINDOW))
        for limit, row_id in mine.items():
            writing.add(SignInAttempt(id=row_id, key=limit.key, at=now))
    reached = {limit: at for limit in mine if (at := _free_again(limit, now)) is not None}
    if reached:
        clear(Guess(tuple(mine.values()), ""))
        limit, free_again = max(reached.items(), key=lambda each: each[1])
        raise LoginThrottledError(limit, free_again - now, is_first=_is_first(limit, now))
    return Guess(tuple(mine.values()), limits[0].key)


def clear(guess: Guess) -> None:
    """The guess was right: it is taken off the record, and with it the earlier wrong ones of the first limit.

    Those of the address and of the account stay, or somebody with one account could guess at others without end.
    """
    with unit_of_work() as writing:
        writing.execute(
            delete(SignInAttempt).where(
                SignInAttempt.id.in_(guess.ids) | (SignInAttempt.key == guess.own_key)
            )
        )


def _is_first(limit: Limit, now: datetime) -> bool:
    """Whether nobody was refused by this limit within the window. Noted in the same table."""
    key = f"refused {_hash(limit.key)}"[:KEY]
    with unit_of_work() as writing:
        if writing.scalar(select(exists().where(SignInAttempt.key == key, SignInAttempt.at > now - WINDOW))):
            return False
        writing.add(SignInAttempt(key=key, at=now))
        return True


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _free_again(limit: Limit, now: datetime) -> datetime | None:
    """When the next guess is allowed, None where this one is. This one is on record already."""
    newest = select(SignInAttempt.at).where(SignInAttempt.key == limit.key, SignInAttempt.at > now - WINDOW)
    times = session().scalars(newest.order_by(SignInAttempt.at.desc()).limit(limit.most + 1)).all()
    return times[-1] + WINDOW if len(times) > limit.most else None


def _minutes(wait: timedelta) -> str:
    minutes = max(1, -(-int(wait.total_seconds()) // 60))
    return "1 minute" if minutes == 1 else f"{minutes} minutes"
