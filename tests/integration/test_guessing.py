"""The limit on guessing holds when guesses come at one moment."""

from __future__ import annotations

from flask import Flask

from services import guessing
from services.errors import TooMany
from tests.support.crowd import at_once


def test_no_guess_slips_past_the_count(app: Flask, database: None) -> None:
    def guess() -> guessing.Guess:
        return guessing.register(guessing.account("anna@firm.test"), guessing.address("192.0.2.1"))

    answers = at_once(app, *[guess] * 12)
    assert sum(isinstance(answer, guessing.Guess) for answer in answers) <= guessing.PER_ACCOUNT
    assert all(isinstance(answer, guessing.Guess | TooMany) for answer in answers)
