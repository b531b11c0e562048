"""A person with a browser. Each page they visit is checked: console, requests, axe, and overflow at 390 pixels."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote_plus, urlsplit

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, ConsoleMessage, Download, Locator, Page, Request, Response, expect

from commands.demo_firm import PASSWORD
from simulator import practice_password
from tests.support.stack import Stack

WIDE = {"width": 1280, "height": 900}
NARROW = {"width": 390, "height": 844}
ABORTED = "net::ERR_ABORTED"  # a request open when the page was left, or a download
SERIOUS = frozenset({"serious", "critical"})
REPORTED_BY_RESPONSE = (
    "Failed to load resource",
    "Response Status Error Code",
)  # the response itself is checked
REPORTED_BY_REQUEST = (
    "htmx:afterRequest",
    "htmx:sendAbort",
)  # failed requests are checked too; a request replaced by a later one is no failure
REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
"""
ANIMATIONS_ENDED = """() => document.getAnimations()
  .every((one) => one.effect.getComputedTiming().endTime === Infinity || one.playState === "finished")"""
NAMES = re.compile(
    "@|heron|granary|kestrel|alice|archer|bram|vries|carol|mensah|lindqvist|northwind|facility|steps paper"
)
"""Words from the names of the practice firm's people, clients, matters and documents: no address may contain one."""
CHANGING = re.compile(
    r"[\w-]{30,}\.[\w-]{6}\.[\w-]{20,}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|127\.0\.0\.1:\d+"
    r"|\d+(?=[^<>]*<)"
)
"""What differs between two loads of the same page: CSRF tokens, ids, ports, and numbers and times in its text."""
AXE = "axe.run({resultTypes: ['violations']}).then((found) => found.violations)"
CHECKED: set[tuple[str, bool]] = set()
OVERFLOWING = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  return [...document.body.querySelectorAll("*")]
    .filter((one) => one.getBoundingClientRect().right > width + 1)
    .slice(0, 5).map((one) => one.outerHTML.slice(0, 120));
}"""


class Person:
    """A browser with its own cookies. Call `check_page()` after each new page or pop-up."""

    def __init__(self, browser: Browser, stack: Stack, **options: Any) -> None:
        self.stack = stack
        self.context = browser.new_context(base_url=stack.url, viewport=WIDE, **options)
        self.context.add_init_script(REPORT_VIOLATIONS)
        self.context.set_default_timeout(15_000)
        self.allowed: set[int] = {422}
        self.problems: list[str] = []
        self.context.on("console", self._on_console)
        self.context.on("weberror", lambda error: self.problems.append(f"error: {error.error}"))
        self.context.on("requestfailed", self._on_request_failed)
        self.context.on("response", self._on_response)
        self.context.on("request", self._on_request)
        self.page = self.context.new_page()

    # -- actions --------------------------------------------------------------------------------------------

    def open(self, path: str) -> Page:
        self.page.goto(path)
        return self.check_page()

    def sign_in(self, email: str, password: str = PASSWORD) -> Person:
        self.open("/sign-in")
        self.page.get_by_label("Email").fill(email)
        self.page.get_by_label("Password").fill(password)
        self.button("Sign in").click()
        expect(self.heading("Matters")).to_be_visible()
        self.check_page()
        return self

    def enter(self, email: str) -> Person:
        """Be signed in, with the session of an earlier test unless it has ended, and look at Matters."""
        self.context.add_cookies(self.stack.cookies.get(email, []))
        self.page.goto("/matters")
        if self.heading("Matters").is_visible():
            self.check_page()
        else:
            self.sign_in(email)
            self.stack.cookies[email] = self.context.cookies()
        return self

    def open_matter(self, name: str) -> Page:
        self.page.goto("/matters")
        self.page.get_by_role("link", name=name, exact=True).click()
        expect(self.heading(name)).to_be_visible()
        return self.check_page()

    def sign_in_at_imanage(self, user: str) -> None:
        """Enter user and password on the practice server's sign-in page and allow access."""
        page = self.page
        expect(page.get_by_role("heading", name="Sign in to iManage Work")).to_be_visible()
        page.get_by_label("User", exact=True).fill(user)
        page.get_by_label("Password", exact=True).fill(practice_password(user))
        page.get_by_role("button", name="Allow").click()

    def download(self, link: Locator) -> Download:
        with self.page.expect_download() as info:
            link.click()
        return info.value

    def close(self) -> None:
        """Close the browser and report problems since the last check."""
        self.context.close()
        self.assert_no_problems()

    # -- locators -------------------------------------------------------------------------------------------

    def heading(self, name: str) -> Locator:
        return self.page.get_by_role("heading", name=name, level=1)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def link(self, name: str) -> Locator:
        return self.page.get_by_role("link", name=name, exact=True)

    def dialog(self) -> Locator:
        return self.page.get_by_role("dialog")

    def in_dialog(self, name: str) -> Locator:
        return self.dialog().get_by_role("button", name=name, exact=True)

    # -- checks ---------------------------------------------------------------------------------------------

    def check_page(self) -> Page:
        """Check the page as it is now, wide and narrow. Markup that was checked before is not checked again."""
        self.page.wait_for_load_state("load")
        self.page.wait_for_function(ANIMATIONS_ENDED)  # what still fades in has too little contrast
        if (markup := self._markup()) not in CHECKED:
            self._check_markup()
            CHECKED.add(markup)
        self.assert_no_problems()
        return self.page

    def _markup(self) -> tuple[str, bool]:
        """The page without its tokens and ids, and whether its colours are dark."""
        dark = self.page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
        return CHANGING.sub("", self.page.content()), bool(dark)

    def _check_markup(self) -> None:
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE_SCRIPT)
        serious = [one for one in self.page.evaluate(AXE) if one["impact"] in SERIOUS]
        violations = [
            f"{one['id']}: {node['html'][:200]} ({node['failureSummary']})"
            for one in serious
            for node in one["nodes"][:3]
        ]
        assert not violations, f"axe at {self.page.url}:\n" + "\n".join(violations)
        before = self.page.viewport_size or WIDE
        self.page.set_viewport_size(NARROW)
        beyond = self.page.evaluate(OVERFLOWING)
        self.page.set_viewport_size(before)
        assert not beyond, f"{self.page.url} is wider than 390 pixels: {beyond}"

    def assert_no_problems(self) -> None:
        assert not self.problems, f"At {self.page.url}:\n" + "\n".join(self.problems)

    @contextmanager
    def expecting(self, *statuses: int) -> Iterator[None]:
        """Allow these error statuses within the block."""
        before = set(self.allowed)
        self.allowed |= set(statuses)
        yield
        self.page.wait_for_load_state("load")
        self.allowed = before

    def _is_ours(self, url: str) -> bool:
        return urlsplit(url).netloc == urlsplit(self.stack.url).netloc

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith(
            REPORTED_BY_RESPONSE + REPORTED_BY_REQUEST
        ):
            self.problems.append(f"console {message.type}: {message.text}")

    def _on_request_failed(self, request: Request) -> None:
        if self._is_ours(request.url) and request.failure != ABORTED:
            self.problems.append(f"{request.method} {request.url}: {request.failure}")

    def _on_request(self, request: Request) -> None:
        if self._is_ours(request.url) and (name := NAMES.search(unquote_plus(request.url).casefold())):
            self.problems.append(f"{request.method} {request.url} names {name[0]}")

    def _on_response(self, response: Response) -> None:
        if self._is_ours(response.url) and response.status >= 400 and response.status not in self.allowed:
            self.problems.append(f"{response.request.method} {response.url} answered {response.status}")


def fill_set_up(person: Person, email: str, password: str) -> None:
    """The form of the first System Admin, with the code that the terminal shows."""
    page = person.open("/")
    found = re.search(r"Set-up code:\s+(\S+)", person.stack.processes["up"].said())
    assert found, person.stack.processes["up"].said()
    page.get_by_label("Set-up code").fill(found[1])
    page.get_by_label("Name").fill("Nora Vale")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
