"""Learning from a server that answers strangely."""

from __future__ import annotations

import time

import responses

from imanage.guard import build_session
from imanage.learning import MOST_PAGES, PRODUCT_LIMIT, Reading
from imanage.learning_calls import Caller, Found
from imanage.networks import AddressRules
from tests.unit.imanage.support import BASE, ENDPOINTS, TOKEN

TYPES = f"{BASE}/libraries/Active/types"


def reading() -> Reading:
    caller = Caller(build_session(AddressRules()), ENDPOINTS, TOKEN)
    caller.base = BASE
    found = Reading(caller, ENDPOINTS, Found())
    found.library = "Active"
    return found


@responses.activate
def test_a_long_list_that_ignores_limit_and_offset_is_read_twice_in_linear_time() -> None:
    rows = [{"id": f"T{number}", "app_extension": f"e{number}"} for number in range(20_000)]
    responses.get(TYPES, json={"data": rows})
    run, began = reading(), time.process_time()
    run._types()
    assert time.process_time() - began < 3
    assert len(responses.calls) == 2
    assert run.found.values["types"] == {f"e{number}": f"T{number}" for number in range(20_000)}


@responses.activate
def test_pages_that_overlap_are_joined() -> None:
    rows = [{"id": f"T{number}", "app_extension": f"e{number}"} for number in range(PRODUCT_LIMIT + 5)]
    responses.get(TYPES, json={"data": rows[:PRODUCT_LIMIT]})
    responses.get(TYPES, json={"data": rows[-10:]})
    run = reading()
    run._types()
    assert len(responses.calls) == 2 < MOST_PAGES
    assert run.found.values["types"] == {row["app_extension"]: row["id"] for row in rows}
