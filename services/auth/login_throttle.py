"""The rate limit of failed sign-ins, counted in a table for all web processes.

An attempt is recorded before the password is checked, so that simultaneous attempts cannot slip past the limit.

An attempt from a browser that has signed in to the account before (see known_devices) counts for that browser alone.
Any other counts for the pair of address and account, for the address, and for the account. So attempts from elsewhere
never lock out an account's owner.
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
from services.guidance.refusals import worded

WINDOW = timedelta(minutes=15)
MAX_KEY_LENGTH = 80
PER_PAIR = 5
PER_DEVICE = 20
PER_ADDRESS = 50
PER_ACCOUNT = 100


@dataclass(frozen=True)
class Limit:
    """How many failed attempts a key may have within the window."""

    key: str
    most: int


@dataclass(frozen=True)
class Attempt:
    """A recorded attempt: it counts as failed until it is cleared. `own_key`: see clear()."""

    ids: tuple[uuid.UUID, ...]
    own_key: str


class LoginThrottledError(TooManyError):
    """A limit was reached. `is_first`: the first refusal by this limit within the window; `limit`: its kind."""

    def __init__(self, limit: Limit, wait: timedelta, *, is_first: bool) -> None:
        super().__init__(**worded("too_many", "sign_in", wait=_minutes(wait)))
        self.limit = limit.key.partition(":")[0]
        self.is_first = is_first


def device_limits(nonce: str) -> tuple[Limit, ...]:
    """The limit of a browser that has signed in to this account before."""
    return (Limit(f"device:{_hash(nonce)}", PER_DEVICE),)


def unknown_browser_limits(subject: str, from_address: str) -> tuple[Limit, ...]:
    """The limits of any other browser. The account need not exist."""
    by_address = address_limit(from_address)
    return (
        Limit(f"pair:{_hash(f'{subject} {by_address.key}')}", PER_PAIR),
        by_address,
        Limit(f"account:{_hash(subject)}", PER_ACCOUNT),
    )


def member_limits(subject: str) -> tuple[Limit, ...]:
    """The limit of a signed-in person who enters their password."""
    return (Limit(f"member:{_hash(subject)}", PER_PAIR),)


def address_limit(text: str) -> Limit:
    """The limit of one address. An IPv6 /64 network counts as one address."""
    try:
        ip = ipaddress.ip_address(text)
    except ValueError:
        return Limit("address:unknown", PER_ADDRESS)
    if ip.version == 6:
        return Limit(f"address:{ipaddress.ip_network((ip, 64), strict=False).network_address}", PER_ADDRESS)
    return Limit(f"address:{ip}", PER_ADDRESS)


def register(limits: Sequence[Limit]) -> Attempt:
    """Record an attempt.

    Raises LoginThrottledError if a limit is reached; a throttled attempt does not count.
    """
    now = utcnow()
    rows = {limit: new_id() for limit in limits}
    with unit_of_work() as writing:
        writing.execute(delete(SignInAttempt).where(SignInAttempt.at < now - WINDOW))
        for limit, row_id in rows.items():
            writing.add(SignInAttempt(id=row_id, key=limit.key, at=now))
    reached = {limit: at for limit in rows if (at := _retry_at(limit, now)) is not None}
    if reached:
        clear(Attempt(tuple(rows.values()), ""))
        limit, retry_at = max(reached.items(), key=lambda each: each[1])
        raise LoginThrottledError(limit, retry_at - now, is_first=_is_first(limit, now))
    return Attempt(tuple(rows.values()), limits[0].key)


def clear(attempt: Attempt) -> None:
    """The attempt succeeded: delete it, and the earlier failures of its first limit.

    Those of the address and the account stay: otherwise a person with one account could attack others without limit.
    """
    with unit_of_work() as writing:
        writing.execute(
            delete(SignInAttempt).where(
                SignInAttempt.id.in_(attempt.ids) | (SignInAttempt.key == attempt.own_key)
            )
        )


def _is_first(limit: Limit, now: datetime) -> bool:
    """Whether this limit refuses for the first time within the window. Recorded in the same table."""
    key = f"refused {_hash(limit.key)}"[:MAX_KEY_LENGTH]
    with unit_of_work() as writing:
        if writing.scalar(select(exists().where(SignInAttempt.key == key, SignInAttempt.at > now - WINDOW))):
            return False
        writing.add(SignInAttempt(key=key, at=now))
        return True


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _retry_at(limit: Limit, now: datetime) -> datetime | None:
    """When the next attempt is allowed; None if this one is. This one is recorded already."""
    newest = select(SignInAttempt.at).where(SignInAttempt.key == limit.key, SignInAttempt.at > now - WINDOW)
    times = session().scalars(newest.order_by(SignInAttempt.at.desc()).limit(limit.most + 1)).all()
    return times[-1] + WINDOW if len(times) > limit.most else None


def _minutes(wait: timedelta) -> str:
    minutes = max(1, -(-int(wait.total_seconds()) // 60))
    return "1 minute" if minutes == 1 else f"{minutes} minutes"
