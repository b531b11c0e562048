"""Passwords: what opens, what may be chosen, and that a person who is not there costs as much."""

from __future__ import annotations

from typing import Literal

import pytest
import zxcvbn
from argon2 import PasswordHasher, extract_parameters

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


def test_a_member_who_does_not_exist_costs_the_same_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """One verification with the same parameters, not a measured time."""
    passwords._dummy_hash.cache_clear()  # another test may have made it with a cheaper hasher
    verified: list[str] = []

    class Spy(PasswordHasher):
        def verify(self, stored: str | bytes, password: str | bytes) -> Literal[True]:
            verified.append(str(stored))
            return super().verify(stored, password)

    usual = passwords._hasher
    monkeypatch.setattr(passwords, "_hasher", Spy(usual.time_cost, usual.memory_cost, usual.parallelism))
    stored = passwords.hash_of(GOOD)
    assert not passwords.verify(stored, "a wrong one") and not passwords.verify(None, "a wrong one")
    somebody, nobody = map(extract_parameters, verified)
    assert somebody == nobody


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


def test_the_estimator_never_sees_a_long_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time of its patterns grows faster than the length."""
    seen: list[str] = []
    monkeypatch.setattr(zxcvbn, "zxcvbn", lambda password, **_: seen.append(password) or {"score": 4})
    for worst in ("1a@4" * 50, "p4$$w0rD" * 25, "aA" * 100, "0123456789" * 20, "(" * 200):
        passwords.problem(worst, name="Zed", email="zed@firm.test")
    assert [len(each) for each in seen] == [passwords.MAX_SCORED] * 5


def test_made_passwords_are_good_and_never_the_same() -> None:
    made = {passwords.generate() for _ in range(50)}
    assert len(made) == 50
    assert all(passwords.problem(one, name="Anna", email="a@b.test") is None for one in made)
