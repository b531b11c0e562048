"""Passwords: what opens, what may be chosen, and that a person who is not there costs as much."""

from __future__ import annotations

import time

import pytest

from services.auth import passwords

GOOD = "correct horse battery"


def test_only_the_password_opens_its_hash() -> None:
    stored = passwords.hash_of(GOOD)
    assert GOOD not in stored and stored.startswith("$argon2id$")
    assert passwords.verify(stored, GOOD)
    assert not passwords.verify(stored, GOOD + " ")
    assert not passwords.verify(stored, "")
    assert not passwords.is_outdated(stored)


def test_an_accent_is_the_same_however_the_keyboard_sends_it() -> None:
    assert passwords.verify(passwords.hash_of("Zo\u00eb likes rivers"), "Zoe\u0308 likes rivers")


@pytest.mark.parametrize("stored", [None, "", "-", "plain", "$argon2id$broken"])
def test_without_a_hash_nothing_opens(stored: str | None) -> None:
    assert not passwords.verify(stored, GOOD)


def test_nobody_costs_as_much_as_somebody() -> None:
    stored = passwords.hash_of(GOOD)
    passwords._dummy_hash.cache_clear()  # it may stem from a test that hashed at less cost

    passwords.verify(None, "the first one makes the stand-in")
    costs: dict[str | None, list[float]] = {stored: [], None: []}
    for _ in range(9):
        for hash_, times in costs.items():
            start = time.process_time()
            passwords.verify(hash_, "a wrong one")
            times.append(time.process_time() - start)
    assert 0.6 < min(costs[None]) / min(costs[stored]) < 1.7


@pytest.mark.parametrize(
    "password",
    ["", "short", "eleven char", "a" * 201, "aaaaaaaaaaaa", "abababababab", "Anna Maria Müller", "anna maria muller",
     "ANNA.MARIA@firm.test", "anna.maria.m",
     "password1234", "PasswordPassword", "qwertyuiop123", "123456789012", "letmeinletmein", "abcdefghijkl",
     "Pa$$word2026", "iloveyou123456", "my müller rivers",
     "Anna likes rivers", "rivers-of-m-u-l-l-e-r", "rivers firm north",
     "harlow and finch together", "H4RLOWFINCH2026", "x" * 8 + "yzab"],
)  # fmt: skip
def test_what_may_not_be_chosen(password: str) -> None:
    email = "anna.maria.m@firm.test" if password == "anna.maria.m" else "anna.maria@firm.test"
    assert passwords.problem(password, name="Anna Maria Müller", email=email, organisation="Harlow Finch LLP")


@pytest.mark.parametrize(
    "password",
    [
        GOOD,
        "密码很长也可以用的一句话啊",
        "four plain words here",
        "kq7-vvd3-pxw9",
        "w8 for the tide to turn " * 8,
    ],
)
def test_what_may_be_chosen(password: str) -> None:
    assert passwords.problem(password, name="Ann Bo", email="ann@firm.test") is None


def test_a_short_name_may_be_part_of_a_word() -> None:
    assert passwords.problem("planned a canal trip", name="Ann", email="ann@x.test") is None
    assert passwords.problem("go ann canal trip", name="Ann", email="a@x.test")


def test_judging_takes_little_time_whatever_was_typed() -> None:
    """In ratio to a usual one: the library's patterns meet what anybody types."""
    usual = min(_seconds(GOOD) for _ in range(3))
    for worst in ("1a@4" * 50, "p4$$w0rD" * 25, "aA" * 100, "0123456789" * 20, "(" * 200):
        assert _seconds(worst) < 100 * max(usual, 0.005)


def _seconds(password: str) -> float:
    start = time.process_time()
    passwords.problem(password, name="Zed", email="zed@firm.test")
    return time.process_time() - start


def test_made_passwords_are_good_and_never_the_same() -> None:
    made = {passwords.generate() for _ in range(50)}
    assert len(made) == 50
    assert all(passwords.problem(one, name="Anna", email="a@b.test") is None for one in made)
