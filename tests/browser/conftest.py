"""Chromium once for the run, two installations, and people who sit down at them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.person import Person
from tests.support.stack import Stack, installation

CHROMIUM = "/usr/bin/chromium"
Sit = Callable[..., Person]
THERE = pytest.StashKey[list[Person]]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test shows the page that each person had in front of them."""
    report = yield
    if report.when == "call" and report.failed:
        for person in item.stash.get(THERE, []):
            report.sections.append((person.page.url, person.page.locator("body").aria_snapshot()))
    return report


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The practice firm with its matters and its iManage."""
    with installation(tmp_path_factory.mktemp("firm"), with_firm=True) as stack:
        yield stack


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """An installation that nobody has set up."""
    with installation(tmp_path_factory.mktemp("empty"), with_firm=False) as stack:
        yield stack


@pytest.fixture
def sit(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Sit]:
    """Somebody new at a browser of their own. When the test ends, nothing may have gone wrong unseen."""
    there = request.node.stash.setdefault(THERE, [])

    def sit_down(stack: Stack, email: str = "", **options: object) -> Person:
        person = Person(chromium, stack, **options)
        there.append(person)
        return person.sign_in(email) if email else person

    yield sit_down
    for person in there:
        person.leave()


@pytest.fixture
def firm_without_faults(firm: Stack) -> Iterator[Stack]:
    firm.practice.clear_faults()
    yield firm
    firm.practice.clear_faults()
