"""`Person.check_page` itself: it finds a fault of each kind."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Visit
from tests.support.stack import Stack

FAULTS = {
    "axe": "document.querySelector('main').innerHTML += '<p><input type=text></p>'",
    "wider than 390": "document.querySelector('h1').style.width = '600px'",
    "console error": "console.error('failed')",
    "CSP": "document.body.append(Object.assign(document.createElement('script'), {textContent: '1'}))",
    "answered 404": "fetch('/static/nowhere.css')",
}


@pytest.mark.parametrize("said", FAULTS)
def test_check_page_finds(firm: Stack, visit: Visit, said: str) -> None:
    person = visit(firm)
    person.open("/sign-in")
    person.page.evaluate(f"async () => {{ await ({FAULTS[said]}); }}")
    with pytest.raises(AssertionError, match=said):
        person.check_page()
    person.problems.clear()
