"""The strings of the Big List of Naughty Strings through every input: refused in words, or kept and shown as text.

Every input takes each ninety-sixth of them, and its neighbour the next: together they take all. With FAULTS=all every
input takes all.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from flask import Flask

from models import Version
from services.core.unit_of_work import session
from tests.support.hostile_input import strings
from tests.support.pages import Page, check_page_rules
from tests.support.routes import Firm, make_firm

SERVERS = "/admin/integrations/imanage"
MATTER, DOCUMENT = "/matters/{matter}", "/documents/{document}"
MEMBERS, GROUP = "/admin/members", "/admin/groups/{group}"
KEY = {"request_key": "6e6c6d22-4c0e-4a4f-9c39-6f2f3b0d1c55"}
CLOUD = {"kind": "cloud", "name": "Amsterdam", "subdomain": "firm", "client_id": "x", "client_secret": "y"}
ON_PREMISE = {"kind": "on_premise", "name": "Paris", "url": "https://dms.firm.test"}
PACKAGE = KEY | {"application_id": "a", "name": "b", "publisher": "c", "organization": "d"}
NO_BRACES = str.maketrans("", "", "{}")
SAVE = KEY | {"target": "new_document", "folder": "Active!77", "name": "Lease"}


@dataclass(frozen=True)
class Input:
    """One field, or for a GET one argument, that a person or a machine can fill in. `others` are right."""

    person: str
    method: str
    path: str
    name: str
    others: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.method} {self.path.translate(NO_BRACES)} {self.name}"


def gets(person: str, path: str, *names: str) -> tuple[Input, ...]:
    return tuple(Input(person, "GET", path, name) for name in names)


def posts(person: str, path: str, others: dict[str, str], *names: str) -> tuple[Input, ...]:
    return tuple(Input(person, "POST", path, name, others) for name in names)


INPUTS = (
    *gets("nobody", "/sign-in", "next"),
    *posts("nobody", "/sign-in", {"password": ""}, "email"),
    *gets("nobody", "/join/", ""),
    *gets("lead", "/", "q", "page"),
    *posts("lead", "/matters/new", {"name": "Heron"}, "name", "client_number", "matter_number"),
    *posts("lead", f"{MATTER}/rename", {"name": "Heron"}, "name", "client_number", "matter_number"),
    *gets("lead", MATTER, "q", "open", "page"),
    *gets("lead", f"{MATTER}/people", "q"),
    *gets("lead", f"{MATTER}/people/search", "q"),
    *posts("lead", f"{MATTER}/people", {"role": "viewer"}, "member", "role", "q"),
    *posts("lead", f"{DOCUMENT}/rename", {}, "name"),
    *gets("lead", f"{MATTER}/get/{{server}}", "step", "q", "shelf", "document", "offset"),
    *gets("lead", f"{DOCUMENT}/save/{{server}}", "target", "name", "note"),
    *posts("lead", f"{MATTER}/get/{{server}}", KEY, "request_key", "source", "called", "document"),
    *posts("lead", f"{DOCUMENT}/save/{{server}}", SAVE, "target", "folder", "twin", "name", "note"),
    *posts("lead", f"{MATTER}/save-many/{{server}}", KEY, "document", "target", "folder"),
    *gets("lead", "/transfers/{transfer}", "show", "page"),
    *posts("lead", "/transfer-items/{item}/decide", KEY, "choice"),
    *gets("lead", "/auth/v0/oauth2/authorized", "state", "code", "error", "error_description", "iss"),
    *posts("lead", "/connect/{server}", {}, "return_to"),
    *gets("lead", "/troubleshooting/", ""),
    *posts("lead", "/account/mail", {}, "mail"),
    *gets("admin", "/admin/audit", "q", "outcome", "page"),
    *gets("admin", MEMBERS, "q", "state", "after"),
    *gets("admin", f"{MEMBERS}/export.csv", "q"),
    *posts(
        "admin", f"{MEMBERS}/new", {"kind": "member", "name": "Anna"}, "name", "email", "organisation", "kind"
    ),
    *posts(
        "admin", f"{MEMBERS}/{{member}}/edit", {"name": "Gail", "email": "g@x.test"}, "name", "organisation"
    ),
    *posts("admin", f"{MEMBERS}/invitations/new", {"email": "i@x.test"}, "email", "name", "organisation"),
    *posts("admin", "/admin/groups/new", {}, "name"),
    *posts("admin", f"{GROUP}/rename", {}, "name"),
    *gets("admin", f"{GROUP}/search", "q"),
    *posts("admin", f"{GROUP}/pasted", {}, "pasted"),
    *posts("admin", f"{SERVERS}/new", CLOUD, "kind", "name", "subdomain"),
    *posts("admin", f"{SERVERS}/new", ON_PREMISE, "name", "url", "api_url", "client_id", "client_secret"),
    *posts("admin", f"{SERVERS}/new/fields", ON_PREMISE, "kind", "url", "client_secret"),
    *posts("admin", f"{SERVERS}/{{server}}/edit", {"name": "Paris"}, "name", "at_once"),
    *posts("admin", f"{SERVERS}/{{server}}/own-ca", {}, "pem"),
    *posts("admin", f"{SERVERS}/{{server}}/route", {}, "route", "version"),
    *posts("admin", f"{SERVERS}/package", PACKAGE, "application_id", "name", "publisher", "organization"),
    *posts("admin", f"{SERVERS}/{{server}}/restriction", {}, "version", "chosen", "add"),
    *posts("admin", f"{SERVERS}/{{server}}/restriction/search", {}, "q"),
    *posts("admin", f"{SERVERS}/{{server}}/restriction/pasted", {}, "pasted"),
    *gets("admin", f"{SERVERS}/{{server}}/why", "q"),
    *gets("admin", f"{SERVERS}/{{server}}/sign-ins", "q"),
    *posts("admin", f"{SERVERS}/{{server}}/remove", {}, "name"),
)
EXPECTED = frozenset({200, 302, 303, 400, 404, 409, 413, 422, 429})
SPECIAL = frozenset("<>&\"'`")
SHARES = 1 if os.environ.get("FAULTS") == "all" else 96


@pytest.fixture
def firm(app: Flask, database: None) -> Firm:
    return make_firm(app)


def test_together_the_inputs_take_every_string() -> None:
    assert len(INPUTS) >= SHARES


def answers(firm: Firm, each: Input) -> Iterator[tuple[str, Any]]:
    browser, path = firm.browsers[each.person], each.path.format(**firm.places)
    for text in strings()[INPUTS.index(each) % SHARES :: SHARES]:
        if each.method == "GET":
            url = f"{path}?{each.name}={quote(text)}" if each.name else f"{path}{quote(text, safe='')}"
            yield text, browser.get(url)
        else:
            yield text, browser.post(path, each.others | {each.name: text})


@pytest.mark.parametrize("each", INPUTS, ids=str)
def test_no_string_breaks_an_input_or_is_echoed_raw(firm: Firm, each: Input) -> None:
    for text, answer in answers(firm, each):
        assert answer.status_code in EXPECTED, (text, answer.status_code)
        leads_to = urlsplit(answer.headers.get("Location", ""))
        assert leads_to.netloc in ("", "localhost"), (text, answer.headers["Location"])
        html = answer.get_data(as_text=True)
        if answer.mimetype == "text/html" and SPECIAL & set(text):
            if "<" in text:
                assert text not in html, text
            check_page_rules(Page(html), whole=html.startswith("<!doctype"))
        answer.close()


def test_each_string_is_a_file_s_name_and_its_content(firm: Firm) -> None:
    """The name is refused in words or adapted; the bytes come back as they were."""
    lead, url = firm.browsers["lead"], (MATTER + "/documents/new").format(**firm.places)
    kept = 0
    for text in strings()[:: min(SHARES, 16)]:
        content = f"{text}\n".encode()
        answer = lead.post(
            url,
            {"exposure": "members", "file": (io.BytesIO(content), f"{text}.txt")},
            content_type="multipart/form-data",
        )
        assert answer.status_code in (303, 422), (text, answer.status_code)
        if answer.status_code == 303:
            kept += 1
            newest = session().query(Version).order_by(Version.created_at.desc()).first()
            assert newest is not None
            back = lead.get(f"/versions/{newest.id}/download")
            assert back.get_data() == content
            assert "attachment" in back.headers["Content-Disposition"]
            assert back.headers["Content-Disposition"].isprintable()
            back.close()
        session().rollback()
    assert kept > 10
