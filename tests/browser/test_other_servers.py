"""Getting a document from a server that differs from the usual one in lists, categories and words."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from simulator import Settings
from tests.browser.conftest import Visit
from tests.browser.imanage import breadcrumb, expect_outcome, search, sign_in_from_account, tick
from tests.browser.person import Person
from tests.support.stack import Stack

ALICE = "alice@practice.example"
MATTER = "Project Heron"
OTHERWISE = {
    "customer_lists": False,
    "category_rows": "without_wstype",
    "effective_security": "other_words",
    "list_shape": "empty_without_data",
    "version_ids": "required",
    "ended_sessions": "page",
    "error_codes": "generic",
}


@pytest.fixture
def alice(firm_without_faults: Stack, visit: Visit) -> Iterator[Person]:
    person = visit(firm_without_faults, ALICE)
    sign_in_from_account(person, "alice")
    practice = firm_without_faults.practice
    practice.control("PUT", "settings", OTHERWISE)
    person.open_matter(MATTER)
    yield person
    usual = Settings().as_dict()
    practice.control("PUT", "settings", {name: usual[name] for name in OTHERWISE})


def test_from_a_category_to_a_document(alice: Person) -> None:
    practice = alice.stack.practice
    alice.button("Get from iManage").click()
    alice.in_dialog("Favourites").click()
    alice.dialog().get_by_role("button", name="Live deals").click()
    expect(breadcrumb(alice).get_by_text("Live deals", exact=True)).to_be_visible()
    alice.check_page()
    practice.fault("status", path="Knowledge/documents", status=500, times=None)
    search(alice, "SPA")
    expect(alice.dialog().get_by_text("This list is incomplete")).to_be_visible()
    expect(alice.dialog().get_by_text("Not included: library Knowledge.")).to_be_visible()
    alice.check_page()
    practice.clear_faults()
    practice.control("POST", "expire", {"user": "alice"})
    alice.in_dialog("Workspaces").click()
    alice.in_dialog("Favourites").click()
    alice.dialog().get_by_role("button", name="Live deals").click()
    tick(alice, "SPA – Project Heron.docx")
    alice.in_dialog("Get").click()
    expect_outcome(alice, "SPA – Project Heron.docx")
