"""A large upload that is refused early: the page shows the refusal, not a network error."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.web import FLASK, Web, install, serving

MIB = 60


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with serving(install(tmp_path_factory.mktemp("web"), 1 << 20), *FLASK) as found:
        yield found


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place: Path = tmp_path_factory.mktemp("files") / "Bundle of exhibits.pdf"
    with place.open("wb") as writing:
        for _ in range(MIB):
            writing.write(uuid.uuid4().bytes.ljust(1 << 20, b"."))
    return place


@pytest.fixture
def page(chromium: Browser, web: Web) -> Iterator[Page]:
    context = chromium.new_context(base_url=f"http://127.0.0.1:{web.port}")
    cookie = web.installation.ann.cookie
    context.add_cookies([{"name": "counterpart", "value": cookie, "url": f"http://127.0.0.1:{web.port}"}])
    found = context.new_page()
    found.goto(web.installation.upload.removesuffix("/documents/new"))
    found.locator("[hx-get$='/documents/new'], a[href$='/documents/new']").first.click()
    yield found
    context.close()


def test_a_large_file_arrives(page: Page, file: Path) -> None:
    page.get_by_label("File").set_input_files(file)
    page.locator("dialog").get_by_role("button", name="Add document").click()
    expect(page.locator("dialog")).not_to_be_visible(timeout=60_000)
    expect(page.get_by_role("link", name=file.name, exact=True)).to_be_visible()


def test_after_signing_out_elsewhere_the_page_says_so(page: Page, web: Web, file: Path) -> None:
    page.get_by_label("File").set_input_files(file)
    page.context.clear_cookies()
    page.locator("dialog").get_by_role("button", name="Add document").click()
    expect(page.get_by_text("You were signed out").first).to_be_visible(timeout=60_000)
    expect(page.get_by_text("We could not reach Counterpart")).not_to_be_visible()
    assert web.spooled() == 0
