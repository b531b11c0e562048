"""No name of a person, client or matter stands in an address: proxies and browsers keep those."""

from __future__ import annotations

import re
import uuid
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from flask import Flask

from blueprints.query_params import WORDS
from models import Matter, Participant
from services.core import sealed_query
from services.core.text.normalise import fold
from services.core.unit_of_work import unit_of_work
from tests.support.pages import Browser, Page, read
from tests.support.people import make_member
from tests.support.repository import ROOT
from tests.support.transfers import Desk

NAME = "Łukasz & Sons"


def searched(browser: Browser, url: str, words: str) -> tuple[Page, str]:
    """As the page does while one types; what came, and where the page then says that it is."""
    headers = {WORDS: quote(words), "HX-Current-URL": f"http://localhost{url}"}
    answer = browser.get(url, htmx=True, headers=headers)
    assert answer.status_code == 200
    return read(answer, whole=False), answer.headers.get("HX-Replace-Url", "")


def test_words_are_sealed_and_only_ours_open(app: Flask) -> None:
    sealed = sealed_query.seal(NAME)
    assert re.fullmatch(r"[\w-]+", sealed) and "ukasz" not in sealed
    assert sealed_query.unseal(sealed) == NAME
    assert sealed_query.seal(NAME) != sealed
    assert sealed_query.seal("") == sealed_query.unseal("") == ""
    for bad in (sealed[:-2], f"x{sealed}", "nonsense", "é" * 40, "a" * 5000, "="):
        assert sealed_query.unseal(bad) == ""


@pytest.mark.parametrize("url", ["/admin/members", "/admin/audit"])
def test_a_searched_page_keeps_its_search_without_showing_it(admin: Browser, url: str) -> None:
    make_member(NAME, email="lukasz@firm.test")
    page, stays_at = searched(admin, url, "łukasz")
    query = parse_qs(urlsplit(stays_at).query)
    assert set(query) == {"s"} and sealed_query.unseal(query["s"][0]) == "łukasz"
    again = admin.page(stays_at)
    assert again.value_of("q") == "łukasz"
    assert (NAME in page.text) == (NAME in again.text) == (url == "/admin/members")
    assert searched(admin, stays_at, "")[1] == url


def test_lists_links_and_exports_carry_sealed_words(admin: Browser) -> None:
    for number in range(3):
        make_member(f"{NAME} {number}")
    page, _ = searched(admin, "/admin/members", "łukasz")
    (export,) = [link for link in page.links if "export" in link]
    assert "ukasz" not in "".join(page.links)
    assert admin.get(export).get_data(as_text=True).count(NAME) == 3
    assert admin.page(f"/admin/members?q={quote('łukasz')}").text.count(NAME) == 3, "without scripts"


def test_pages_of_matters_and_documents_carry_sealed_words(browser: Browser) -> None:
    member = make_member("Alice Archer")
    browser.sign_in(member)
    with unit_of_work() as writing:
        for number in range(60):
            matter = Matter(
                id=uuid.uuid4(),
                name=f"Acme {number}",
                search_key=fold(f"Acme {number}"),
                created_by_id=member.id,
            )
            writing.add(matter)
            writing.flush()
            writing.add(Participant(matter_id=matter.id, member_id=member.id, role="lead"))
    page, _ = searched(browser, "/matters", "acme")
    (further,) = [link for link in page.links if "page=2" in link]
    assert "acme" not in further.casefold()
    second = browser.page(further)
    assert second.value_of("q") == "acme" and "Acme" in second.text


def test_the_picker_sends_names_in_the_body_alone(desk: Desk) -> None:
    folder = desk.practice.world.folder("Drafts")
    address = f"/matters/{desk.matter_id}/browse/{desk.server.id}"
    answer = desk.browser.post(address, {"step": f"f:{folder.id}:Drafts", "q": "SPA"}, htmx=True)
    urls = re.findall(r'(?:hx-(?:get|post)|href|action)="([^"]+)"', answer.get_data(as_text=True))
    assert urls and not [url for url in urls if "Drafts" in url or "SPA" in url or "step" in url]
    assert desk.browser.get(f"{address}?step=f:1:Drafts").status_code == 405


def test_no_template_puts_words_into_an_address() -> None:
    for path in (ROOT / "templates").rglob("*.html"):
        for call in re.findall(r"url_for\([^)]*\)", path.read_text(encoding="utf-8")):
            assert not re.search(r"\b(q|name|email|text|search|note)=", call), f"{path.name}: {call}"
