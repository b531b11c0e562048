"""The look itself: a page with a fault of each kind is refused, so that a silent one means something."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Sit
from tests.support.stack import Stack

FAULTS = {
    "axe": "document.querySelector('main').innerHTML += '<p><input type=text></p>'",
    "wider than 390": "document.querySelector('h1').style.width = '600px'",
    "console error": "console.error('fallen')",
    "CSP": "document.body.append(Object.assign(document.createElement('script'), {textContent: '1'}))",
    "answered 404": "fetch('/static/nowhere.css')",
}


@pytest.mark.parametrize("said", FAULTS)
def test_a_look_finds(firm: Stack, sit: Sit, said: str) -> None:
    person = sit(firm)
    person.open("/sign-in")
    person.page.evaluate(f"async () => {{ await ({FAULTS[said]}); }}")
    with pytest.raises(AssertionError, match=said):
        person.look()
    person.problems.clear()
