"""Limits on guessing, counted in a table so that they hold over all web processes.

A guess is put on record before it is judged: of many guesses at the same moment, none slips past the count.
"""

from __future__ import annotations

import hashlib
import ipaddress
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from models import SignInAttempt, new_id, utcnow
from services.errors import TooMany
from services.unit import session, unit

WINDOW = timedelta(minutes=15)
PER_ACCOUNT = 5
PER_ADDRESS = 50


@dataclass(frozen=True)
class Limit:
    """How many wrong guesses a key may have within the window."""

    key: str
    most: int


@dataclass(frozen=True)
class Guess:
    """A guess on record that has not been judged yet: wrong until it is forgiven."""

    ids: tuple[uuid.UUID, ...]
    account_key: str


def account(subject: str) -> Limit:
    """The limit of one account, whether there is such an account or not."""
    return Limit(f"account:{hashlib.sha256(subject.encode()).hexdigest()}", PER_ACCOUNT)


def address(text: str) -> Limit:
    """The limit of one address. An IPv6 household has 2**64 of them, so it counts as one."""
    try:
        ip = ipaddress.ip_address(text)
    except ValueError:
        return Limit("address:unknown", PER_ADDRESS)
    if ip.version == 6:
        return Limit(f"address:{ipaddress.ip_network((ip, 64), strict=False).network_address}", PER_ADDRESS)
    return Limit(f"address:{ip}", PER_ADDRESS)


def register(by_account: Limit, by_address: Limit) -> Guess:
    """Put a guess on record. Raises TooMany where a limit is reached; a guess refused so does not count."""
    now = utcnow()
    mine = {limit: new_id() for limit in (by_account, by_address)}
    with unit() as writing:
        writing.execute(delete(SignInAttempt).where(SignInAttempt.at < now - WINDOW))
        for limit, row_id in mine.items():
            writing.add(SignInAttempt(id=row_id, key=limit.key, at=now))
    free_again = max(filter(None, (_free_again(limit, now) for limit in mine)), default=None)
    if free_again is not None:
        forgive(Guess(tuple(mine.values()), ""))
        raise TooMany(
            f"There were too many wrong tries. Try again in {_minutes(free_again - now)}.",
            next_step="Nothing is wrong with your account.",
        )
    return Guess(tuple(mine.values()), by_account.key)


def forgive(guess: Guess) -> None:
    """The guess was right: it is taken off the record, and with it the account's earlier wrong ones.

    The address's earlier ones stay, or somebody with one account could guess at others without end.
    """
    with unit() as writing:
        writing.execute(
            delete(SignInAttempt).where(
                SignInAttempt.id.in_(guess.ids) | (SignInAttempt.key == guess.account_key)
            )
        )


def _free_again(limit: Limit, now: datetime) -> datetime | None:
    """When the next guess is allowed, None where this one is. This one is on record already."""
    newest = select(SignInAttempt.at).where(SignInAttempt.key == limit.key, SignInAttempt.at > now - WINDOW)
    times = session().scalars(newest.order_by(SignInAttempt.at.desc()).limit(limit.most + 1)).all()
    return times[-1] + WINDOW if len(times) > limit.most else None


def _minutes(wait: timedelta) -> str:
    minutes = max(1, -(-int(wait.total_seconds()) // 60))
    return "1 minute" if minutes == 1 else f"{minutes} minutes"
