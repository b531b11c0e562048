"""An installation whose only way out is a proxy that asks for a sign-in: from adding a server to a document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.imanage import get_closing_bible, sign_in_from_picker
from tests.browser.person import Person, fill_set_up
from tests.support.outbound_proxy import PASSWORD, SOURCE, USER, OutboundProxy, outbound_proxy
from tests.support.stack import CLIENT_ID, Stack, free_port, installation, practice_password

ADMIN, WORDS = "nora@harbourvale.example", "four plain words here"
PATIENT = 30_000


@dataclass
class Office:
    stack: Stack
    proxy: OutboundProxy


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    port = free_port()
    password = tmp_path / "proxy.password"
    password.write_text(f"{PASSWORD}\n")
    password.chmod(0o600)
    with outbound_proxy(port, signs_in=True) as proxy:
        settings = {
            "COUNTERPART_OUTBOUND_PROXY": f"http://{USER}@127.0.0.1:{proxy.port}",
            "COUNTERPART_OUTBOUND_PROXY_PASSWORD_FILE": str(password),
        }
        folder = tmp_path / "installation"
        folder.mkdir()
        with installation(folder, with_firm=False, practice_port=port, settings=settings) as stack:
            yield Office(stack, proxy)


def test_from_adding_a_server_to_a_document_through_the_proxy(office: Office, visit: Visit) -> None:
    stack, proxy = office.stack, office.proxy
    nora = visit(stack)
    fill_set_up(nora, ADMIN, WORDS)
    nora.page.get_by_role("button").last.click()
    expect(nora.heading("Matters")).to_be_visible()
    add_server(nora)
    expect(nora.page.locator("#connection")).to_contain_text(f"Through the proxy 127.0.0.1:{proxy.port}")
    nora.check_page()

    check_connection(nora)
    expect(nora.page.locator("#check")).to_contain_text(
        "The proxy accepts Counterpart’s sign-in and connects"
    )
    nora.check_page()

    choose_route(nora, "Direct")
    expect(nora.page.locator("#connection")).to_contain_text(re.compile(r"Route\s*Direct"))
    choose_route(nora, "As set for this installation")
    expect(nora.page.locator("#connection")).to_contain_text("Through the proxy")
    stack.practice.control("DELETE", "requests")

    switch = nora.page.get_by_role("switch", name="Enabled")
    switch.click()
    expect(switch).to_be_checked()
    get_document(nora)
    ours = [
        call
        for call in stack.practice.calls()
        if call["path"].startswith(("/work/api", "/auth/oauth2/token"))
    ]
    assert ours and {call["client"] for call in ours} == {SOURCE}
    for process in stack.processes.values():
        assert PASSWORD not in process.said()


def add_server(nora: Person) -> None:
    nora.link("Admin System").click()
    nora.button("Add server").first.click()
    dialog = nora.dialog()
    dialog.get_by_role("radio", name="On-premise").check()
    dialog.get_by_label("URL", exact=True).fill(nora.stack.practice.url)
    dialog.get_by_label("Name").fill("London")
    dialog.get_by_label("Client ID").fill(CLIENT_ID)
    dialog.get_by_label("Client Secret").fill(practice_password(CLIENT_ID))
    nora.in_dialog("Add server").click()
    expect(nora.heading("London")).to_be_visible()


def check_connection(nora: Person) -> None:
    nora.page.locator("#check").get_by_role("button", name="Check connection").click()
    expect(nora.button("Copy report")).to_be_visible(timeout=PATIENT)
    expect(nora.page.locator("#check").get_by_text("Failed:")).to_have_count(0)


def choose_route(nora: Person, route: str) -> None:
    nora.button("Change route").click()
    nora.dialog().get_by_role("radio", name=route).check()
    nora.check_page()
    nora.in_dialog("Save").click()
    expect(nora.page.get_by_text("Saved the route.")).to_be_visible()
    expect(nora.button("Copy report")).to_be_visible(timeout=PATIENT)


def get_document(nora: Person) -> None:
    nora.link("Matters").first.click()
    nora.button("New matter").first.click()
    nora.dialog().get_by_label("Name").fill("Sale of the mill")
    nora.in_dialog("Open matter").click()
    expect(nora.heading("Sale of the mill")).to_be_visible()
    sign_in_from_picker(nora, "bram")
    get_closing_bible(nora)
