"""What to do about an error: wait, ask the member to sign in, resolve the outcome, or give up. Nothing sleeps here."""

import random
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Wait:
    """Try again after so many seconds."""

    seconds: float


@dataclass(frozen=True)
class SignIn:
    """The member has to sign in again; then the item is resumed."""


@dataclass(frozen=True)
class Resolve:
    """It may have been stored: resolve the outcome before anything is sent again."""


@dataclass(frozen=True)
class GiveUp:
    """Trying again by itself would not help."""


Decision = Wait | SignIn | Resolve | GiveUp


@dataclass(frozen=True)
class Policy:
    """How often and how long to retry. The default outlasts a network outage of ten minutes.

    `attempts` counts those in a row without progress: the caller starts again at one when bytes have moved.
    """

    attempts: int = 40
    first_seconds: float = 1.0
    most_seconds: float = 60.0
    least_seconds: float = 0.2
    most_asked_seconds: float = 3600.0


DEFAULT = Policy()


def decide(
    error: Exception,
    attempt: int,
    policy: Policy = DEFAULT,
    chance: Callable[[], float] = random.random,
) -> Decision:
    """`attempt` is the number of the attempt that failed, from one. An error without `retry` is not retried."""
    match getattr(error, "retry", "no"):
        case "sign_in":
            return SignIn()
        case "resolve":
            return Resolve()
        case "space":
            # It reserves no space meanwhile, and smaller files continue.
            return Wait(_seconds(None, attempt, policy, chance()))
        case "later" if attempt < _most(error, policy):
            return Wait(_seconds(getattr(error, "wait_seconds", None), attempt, policy, chance()))
    return GiveUp()


def _most(error: Exception, policy: Policy) -> int:
    own: int | None = getattr(error, "most_attempts", None)
    return policy.attempts if own is None else min(own, policy.attempts)


def _seconds(asked: float | None, attempt: int, policy: Policy, chance: float) -> float:
    if asked is not None:
        # Never sooner than the server asked, with jitter so that not all waiting runs call at once.
        asked = min(max(asked, policy.least_seconds), policy.most_asked_seconds)
        return asked + chance * min(asked * 0.1, 5.0)
    # The exponent is bounded: the power of a large attempt would not fit a float.
    ceiling = min(policy.most_seconds, policy.first_seconds * 2.0 ** min(attempt - 1, 30))
    return max(policy.least_seconds, chance * ceiling)
