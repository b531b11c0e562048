"""A person at a browser. Every page they open is checked: its console, its requests, axe, and 390 pixels."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote_plus, urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Download, Locator, Page, Request, Response, expect

from commands.demo_firm import PASSWORD
from simulator import practice_password
from tests.support.stack import Stack

WIDE = {"width": 1280, "height": 900}
NARROW = {"width": 390, "height": 844}
LEFT_ALONE = "net::ERR_ABORTED"  # what a page still asked for when the person left it, or a download
SERIOUS = frozenset({"serious", "critical"})
SAY_ITS_STATUS = ("Failed to load resource", "Response Status Error Code")  # the response itself is judged
SAY_IT_ENDED = (
    "htmx:afterRequest",
    "htmx:sendAbort",
)  # so is a request that failed; one that a later one replaced has not
REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
"""
SETTLED = """() => document.getAnimations()
  .every((one) => one.effect.getComputedTiming().endTime === Infinity || one.playState === "finished")"""
NAMES = re.compile(
    "@|heron|granary|kestrel|alice|archer|bram|vries|carol|mensah|lindqvist|northwind|facility|steps paper"
)
"""Words of the practice firm's people, clients, matters and documents: none of them stands in an address."""
CHANGING = re.compile(
    r"[\w-]{30,}\.[\w-]{6}\.[\w-]{20,}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|127\.0\.0\.1:\d+"
)
"""What differs between two loads of the same page: CSRF tokens, ids, and the ports of the tests."""
CHECKED: set[tuple[str, bool]] = set()
OVERFLOWING = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  return [...document.body.querySelectorAll("*")]
    .filter((one) => one.getBoundingClientRect().right > width + 1)
    .slice(0, 5).map((one) => one.outerHTML.slice(0, 120));
}"""


class Person:
    """A browser of their own, with their own cookies. Use `look()` whenever a page or pop-up has come."""

    def __init__(self, browser: Browser, stack: Stack, **options: Any) -> None:
        self.stack = stack
        self.context = browser.new_context(base_url=stack.url, viewport=WIDE, **options)
        self.context.add_init_script(REPORT_VIOLATIONS)
        self.context.set_default_timeout(15_000)
        self.allowed: set[int] = {422}
        self.problems: list[str] = []
        self.context.on("console", self._hear)
        self.context.on("weberror", lambda error: self.problems.append(f"error: {error.error}"))
        self.context.on("requestfailed", self._failed)
        self.context.on("response", self._answered)
        self.context.on("request", self._asked)
        self.page = self.context.new_page()

    # -- going about ----------------------------------------------------------------------------------------

    def open(self, path: str) -> Page:
        self.page.goto(path)
        return self.look()

    def sign_in(self, email: str, password: str = PASSWORD) -> Person:
        self.open("/sign-in")
        self.page.get_by_label("Email").fill(email)
        self.page.get_by_label("Password").fill(password)
        self.button("Sign in").click()
        expect(self.heading("Matters")).to_be_visible()
        self.look()
        return self

    def open_matter(self, name: str) -> Page:
        self.page.goto("/matters")
        self.page.get_by_role("link", name=name, exact=True).click()
        expect(self.heading(name)).to_be_visible()
        return self.look()

    def sign_in_at_imanage(self, user: str) -> None:
        """On the practice server's own page: the password it shows, and Allow."""
        page = self.page
        expect(page.get_by_role("heading", name="Sign in to iManage Work")).to_be_visible()
        page.get_by_label("User", exact=True).fill(user)
        page.get_by_label("Password", exact=True).fill(practice_password(user))
        page.get_by_role("button", name="Allow").click()

    def download(self, link: Locator) -> Download:
        with self.page.expect_download() as info:
            link.click()
        return info.value

    def leave(self) -> None:
        """Close the browser; whatever went wrong since the last look is said now."""
        self.context.close()
        self.say_problems()

    # -- what is on the page --------------------------------------------------------------------------------

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

    # -- looking --------------------------------------------------------------------------------------------

    def look(self) -> Page:
        """Check the page as it is now, wide and narrow. Markup that was checked before is not checked again."""
        self.page.wait_for_load_state("load")
        self.page.wait_for_function(SETTLED)  # what still fades in has no contrast yet
        if (markup := self._markup()) not in CHECKED:
            self._check_markup()
            CHECKED.add(markup)
        self.say_problems()
        return self.page

    def _markup(self) -> tuple[str, bool]:
        """The page without its tokens and ids, and whether its colours are dark."""
        dark = self.page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
        return CHANGING.sub("", self.page.content()), bool(dark)

    def _check_markup(self) -> None:
        found = Axe().run(self.page)
        serious = [one for one in found.response["violations"] if one["impact"] in SERIOUS]
        places = [
            f"{one['id']}: {node['html'][:200]} ({node['failureSummary']})"
            for one in serious
            for node in one["nodes"][:3]
        ]
        assert not places, f"axe at {self.page.url}:\n" + "\n".join(places)
        self.page.set_viewport_size(NARROW)
        beyond = self.page.evaluate(OVERFLOWING)
        self.page.set_viewport_size(WIDE)
        assert not beyond, f"{self.page.url} is wider than 390 pixels: {beyond}"

    def say_problems(self) -> None:
        assert not self.problems, f"At {self.page.url}:\n" + "\n".join(self.problems)

    @contextmanager
    def expecting(self, *statuses: int) -> Iterator[None]:
        """Refusals that belong to the story told."""
        before = set(self.allowed)
        self.allowed |= set(statuses)
        yield
        self.page.wait_for_load_state("load")
        self.allowed = before

    def _is_ours(self, url: str) -> bool:
        return urlsplit(url).netloc == urlsplit(self.stack.url).netloc

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith(
            SAY_ITS_STATUS + SAY_IT_ENDED
        ):
            self.problems.append(f"console {message.type}: {message.text}")

    def _failed(self, request: Request) -> None:
        if self._is_ours(request.url) and request.failure != LEFT_ALONE:
            self.problems.append(f"{request.method} {request.url}: {request.failure}")

    def _asked(self, request: Request) -> None:
        if self._is_ours(request.url) and (name := NAMES.search(unquote_plus(request.url).casefold())):
            self.problems.append(f"{request.method} {request.url} names {name[0]}")

    def _answered(self, response: Response) -> None:
        if self._is_ours(response.url) and response.status >= 400 and response.status not in self.allowed:
            self.problems.append(f"{response.request.method} {response.url} answered {response.status}")
