"""What is done about an error, by the word it carries, the wait it asks for, and how often it was tried."""

from itertools import count

import pytest

from copying.errors import (
    CheckedOutError,
    CutShortError,
    DifferentContentError,
    StoppedError,
    UncertainOutcomeError,
)
from copying.retry import DEFAULT, GiveUp, Policy, Resolve, SignIn, Wait, decide
from storage import BlobDamagedError, StorageFailedError, StorageFullError


class AskingError(Exception):
    """An error as the client raises it: it knows what it wants."""

    def __init__(self, retry: str, wait_seconds: float | None = None) -> None:
        super().__init__(retry)
        self.retry = retry
        self.wait_seconds = wait_seconds


@pytest.mark.parametrize(
    ("error", "decision"),
    [
        (AskingError("sign_in"), SignIn()),
        (AskingError("no"), GiveUp()),
        (UncertainOutcomeError(), Resolve()),
        (StoppedError("Cancelled."), GiveUp()),
        (CheckedOutError("Active!1.1", "CAROL", None), GiveUp()),
        (BlobDamagedError(), GiveUp()),
        (KeyError("a mistake of ours"), GiveUp()),
    ],
)
@pytest.mark.parametrize("attempt", [1, 10_000])
def test_what_is_never_tried_again_by_itself(error: Exception, decision: object, attempt: int) -> None:
    assert decide(error, attempt) == decision


def test_backing_off_doubles_up_to_the_cap_with_full_jitter() -> None:
    error = CutShortError(1, 2)
    longest = [decide(error, attempt, chance=lambda: 1.0) for attempt in range(1, 10)]
    assert longest == [Wait(seconds) for seconds in (1, 2, 4, 8, 16, 32, 60, 60, 60)]
    assert decide(error, 5, chance=lambda: 0.5) == Wait(8.0)


def test_never_hot() -> None:
    assert decide(CutShortError(1, 2), 1, chance=lambda: 0.0) == Wait(DEFAULT.least_seconds)
    assert decide(AskingError("later", 0.0), 1, chance=lambda: 0.0) == Wait(DEFAULT.least_seconds)
    assert decide(AskingError("later", -5.0), 1, chance=lambda: 0.0) == Wait(DEFAULT.least_seconds)


def test_the_servers_wait_is_a_floor_with_a_ceiling() -> None:
    assert decide(AskingError("later", 30.0), 1, chance=lambda: 0.0) == Wait(30.0)
    assert decide(AskingError("later", 30.0), 1, chance=lambda: 1.0) == Wait(33.0)
    assert decide(AskingError("later", 1e9), 1, chance=lambda: 1.0) == Wait(3_605.0)


def test_attempts_end() -> None:
    assert isinstance(decide(StorageFailedError(), DEFAULT.attempts - 1), Wait)
    assert decide(StorageFailedError(), DEFAULT.attempts) == GiveUp()
    assert decide(StorageFailedError(), 1, Policy(attempts=1)) == GiveUp()


def test_waiting_for_disk_space_has_no_end() -> None:
    for attempt in (1, DEFAULT.attempts, 10_000):
        waits = decide(StorageFullError(), attempt, chance=lambda: 1.0)
        assert isinstance(waits, Wait) and 0 < waits.seconds <= DEFAULT.most_seconds


def test_an_enormous_attempt_is_no_overflow() -> None:
    assert decide(CutShortError(1, 2), 5_000, Policy(attempts=10_000), chance=lambda: 1.0) == Wait(60.0)


def test_a_dear_error_is_tried_less_often() -> None:
    different = DifferentContentError("SHA-256", "aa", "bb")
    assert isinstance(decide(different, 2), Wait)
    assert decide(different, 3) == GiveUp()


def test_the_default_outlasts_a_network_away_for_ten_minutes() -> None:
    waited = 0.0
    for attempt in count(1):
        decision = decide(CutShortError(0, 1), attempt, chance=lambda: 0.5)
        if not isinstance(decision, Wait):
            break
        waited += decision.seconds
    assert waited > 600
