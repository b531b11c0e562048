"""A test browser that parses pages and checks the rules for all pages on every one of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from flask import Flask, g, has_app_context
from werkzeug.test import TestResponse

from blueprints.authorization import COOKIE_KEY
from models import Member
from services.auth import sessions
from services.core.unit_of_work import unit_of_work

VOID = frozenset(
    {
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
    }
)
NEEDS_LABEL = frozenset({"select", "textarea"})
SILENT_INPUTS = frozenset({"hidden", "submit", "button", "reset", "image"})


@dataclass
class Page(HTMLParser):
    """A parsed answer: its headings, ids, controls, links and text."""

    html: str
    h1: int = 0
    ids: Counter[str] = field(default_factory=Counter)
    labels_for: set[str] = field(default_factory=set)
    unlabelled: list[str] = field(default_factory=list)
    inline: list[str] = field(default_factory=list)
    unclosed: list[str] = field(default_factory=list)
    controls: list[dict[str, str]] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._stack: list[str] = []
        self._silent = 0
        self.feed(self.html)
        self.close()
        self.unclosed += self._stack

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.h1 += tag == "h1"
        if "id" in values:
            self.ids[values["id"]] += 1
        if tag == "label" and "for" in values:
            self.labels_for.add(values["for"])
        self.inline += [f"{tag} {name}" for name in values if name == "style" or name.startswith("on")]
        if (tag == "script" and "src" not in values) or tag == "style":
            self.inline.append(tag)
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if tag == "input" or tag in NEEDS_LABEL:
            self._control(tag, values)
        if tag in {"script", "style"}:
            self._silent += 1
        if tag not in VOID:
            self._stack.append(tag)

    def _control(self, tag: str, values: dict[str, str]) -> None:
        self.controls.append({"tag": tag, **values})
        if tag == "input" and values.get("type") in SILENT_INPUTS:
            return
        in_label = "label" in self._stack
        named = "aria-label" in values or "aria-labelledby" in values
        if not in_label and not named:
            self.unlabelled.append(values.get("id", "") or f"{tag} {values.get('name', '')}")

    def handle_endtag(self, tag: str) -> None:
        if tag in {"script", "style"}:
            self._silent -= 1
        if tag in VOID:
            return
        if tag not in self._stack:
            self.unclosed.append(f"/{tag}")
            return
        while (top := self._stack.pop()) != tag:
            self.unclosed.append(top)

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.text += f" {' '.join(data.split())}" if data.strip() else ""

    def value_of(self, name: str) -> str:
        """The value of the first control of that name."""
        return next(control.get("value", "") for control in self.controls if control.get("name") == name)


def check_page_rules(page: Page, *, whole: bool) -> None:
    """What must hold on every page (`whole`) and in every fragment."""
    assert not page.unclosed, f"The page does not parse: {page.unclosed}"
    doubled = [name for name, count in page.ids.items() if count > 1]
    assert not doubled, f"Two elements have the same id: {doubled}"
    assert not page.inline, f"Inline style, script or handler: {page.inline}"
    without = [name for name in page.unlabelled if name not in page.labels_for]
    assert not without, f"Controls without a label: {without}"
    if whole:
        assert page.h1 == 1, f"A page has one h1, this has {page.h1}."


class Browser:
    """A client of one person. `page()` returns a parsed page after checking the rules for all pages."""

    def __init__(self, app: Flask) -> None:
        self.client = app.test_client()
        self.app = app
        self._token = ("", "")

    def sign_in(self, member: Member) -> Browser:
        """Sign in without the sign-in page, whose own tests do that."""
        with unit_of_work():
            token = sessions.begin(member.id)
        with self.client.session_transaction() as cookie:
            cookie[COOKIE_KEY] = token
        return self

    def get(self, url: str, *, htmx: bool = False, **more: Any) -> TestResponse:
        self._forget_the_request_before()
        more.setdefault("buffered", True)
        return self.client.get(url, headers=self._headers(htmx, more), **more)

    def post(
        self, url: str, data: dict[str, Any] | bytes | None = None, *, htmx: bool = False, **more: Any
    ) -> TestResponse:
        """A form sent with a live CSRF token, as the page would."""
        headers = self._headers(htmx, more)
        headers["X-CSRFToken"] = self.csrf_token()
        self._forget_the_request_before()
        return self.client.post(url, data=data or {}, headers=headers, **more)

    def page(self, url: str, *, htmx: bool = False, status: int = 200) -> Page:
        response = self.get(url, htmx=htmx)
        assert response.status_code == status, f"{url} answered {response.status_code}"
        return read(response, whole=not htmx)

    def csrf_token(self) -> str:
        """The token of this session; a session that is as it was has the same one."""
        from flask import session
        from flask_wtf.csrf import generate_csrf

        if self._token[0] and self._token[0] == self._session_cookie():
            return self._token[1]
        with self.client.session_transaction() as cookie:
            kept = dict(cookie)
        with self.app.test_request_context():
            session.update(kept)
            g.pop("csrf_token", None)
            token: str = generate_csrf()
            raw = session["csrf_token"]
        with self.client.session_transaction() as cookie:
            cookie["csrf_token"] = raw
        self._token = self._session_cookie(), token
        return token

    def _session_cookie(self) -> str:
        found = self.client.get_cookie(self.app.config["SESSION_COOKIE_NAME"])
        return found.value if found else ""

    @staticmethod
    def _forget_the_request_before() -> None:
        """Requests of a test share the application context around it, and Flask-Login keeps the person there."""
        if has_app_context():
            g.pop("_login_user", None)

    @staticmethod
    def _headers(htmx: bool, more: dict[str, Any]) -> dict[str, str]:
        headers = dict(more.pop("headers", {}))
        if htmx:
            headers["HX-Request"] = "true"
        return headers


def read(response: TestResponse, *, whole: bool) -> Page:
    page = Page(response.get_data(as_text=True))
    check_page_rules(page, whole=whole)
    return page
