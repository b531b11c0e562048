"""Passwords: what opens, what may be chosen, and that a person who is not there costs as much."""

from __future__ import annotations

import time

import pytest

from services import passwords

GOOD = "correct horse battery"


def test_only_the_password_opens_its_hash() -> None:
    stored = passwords.hash_of(GOOD)
    assert GOOD not in stored and stored.startswith("$argon2id$")
    assert passwords.is_right(stored, GOOD)
    assert not passwords.is_right(stored, GOOD + " ")
    assert not passwords.is_right(stored, "")
    assert not passwords.is_outdated(stored)


def test_an_accent_is_the_same_however_the_keyboard_sends_it() -> None:
    assert passwords.is_right(passwords.hash_of("Zo\u00eb likes rivers"), "Zoe\u0308 likes rivers")


@pytest.mark.parametrize("stored", [None, "", "-", "plain", "$argon2id$broken"])
def test_without_a_hash_nothing_opens(stored: str | None) -> None:
    assert not passwords.is_right(stored, GOOD)


def test_nobody_costs_as_much_as_somebody() -> None:
    stored = passwords.hash_of(GOOD)
    passwords._nobodys_hash.cache_clear()  # it may stem from a test that hashed at less cost

    passwords.is_right(None, "the first one makes the stand-in")
    costs: dict[str | None, list[float]] = {stored: [], None: []}
    for _ in range(9):
        for hash_, times in costs.items():
            start = time.process_time()
            passwords.is_right(hash_, "a wrong one")
            times.append(time.process_time() - start)
    assert 0.6 < min(costs[None]) / min(costs[stored]) < 1.7


@pytest.mark.parametrize(
    "password",
    ["", "short", "eleven char", "a" * 201, "aaaaaaaaaaaa", "abababababab", "Anna Maria Müller", "anna maria muller",
     "ANNA.MARIA@firm.test", "anna.maria.m"],
)  # fmt: skip
def test_what_may_not_be_chosen(password: str) -> None:
    email = "anna.maria.m@firm.test" if password == "anna.maria.m" else "anna.maria@firm.test"
    assert passwords.fault(password, name="Anna Maria Müller", email=email)


@pytest.mark.parametrize(
    "password",
    [GOOD, "x" * 8 + "yzab", "密码很长也可以用的一句话啊", "a b c d e f ", "p" * 190 + "qrstuvwxyz"],
)
def test_what_may_be_chosen(password: str) -> None:
    assert passwords.fault(password, name="Anna", email="anna@firm.test") is None


def test_made_passwords_are_good_and_never_the_same() -> None:
    made = {passwords.generate() for _ in range(50)}
    assert len(made) == 50
    assert all(passwords.fault(one, name="Anna", email="a@b.test") is None for one in made)
