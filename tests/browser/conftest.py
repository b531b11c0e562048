"""One Chromium for the run, two installations, and the people who use them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.person import Person
from tests.support.stack import Stack, installation

CHROMIUM = "/usr/bin/chromium"
DISABLED = (
    # The address bar's two pages, loaded for every new window: a second of CPU time each time.
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    # Playwright's own list for Linux, which this one replaces.
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable",
    "LensOverlay",
    "MediaRouter",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "OptimizationHints",
    "NetworkTimeServiceQuerying",
    "AimEnabled",
    "PreconnectToSearch",
)
expect.set_options(timeout=15_000)  # enough on a busy machine
Visit = Callable[..., Person]
PEOPLE = pytest.StashKey[list[Person]]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """The report of a failed test contains the page that each person saw."""
    report = yield
    if report.when == "call" and report.failed:
        for person in item.stash.get(PEOPLE, []):
            report.sections.append((person.page.url, person.page.locator("body").aria_snapshot()))
    return report


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[f"--disable-features={','.join(DISABLED)}"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The practice firm with its matters and its iManage."""
    with installation(tmp_path_factory.mktemp("firm"), with_firm=True) as stack:
        yield stack


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """An installation that has not been set up."""
    with installation(tmp_path_factory.mktemp("empty"), with_firm=False) as stack:
        yield stack


@pytest.fixture
def visit(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """Open a browser for another person. The test fails if one of them met a problem that it did not expect."""
    people = request.node.stash.setdefault(PEOPLE, [])

    def visit_as(stack: Stack, email: str = "", **options: object) -> Person:
        person = Person(chromium, stack, **options)
        people.append(person)
        return person.enter(email) if email else person

    yield visit_as
    for person in people:
        person.close()


@pytest.fixture
def firm_without_faults(firm: Stack) -> Iterator[Stack]:
    firm.practice.clear_faults()
    yield firm
    firm.practice.clear_faults()
