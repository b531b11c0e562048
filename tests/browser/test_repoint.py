"""A System Admin re-points a server to the address that the firm's iManage moved to, and undoes it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from simulator import practice_password
from tests.browser.conftest import Visit
from tests.browser.imanage import get_closing_bible, sign_in_from_account
from tests.browser.person import Person
from tests.support.stack import CLIENT_ID, Stack, installation

ADMIN = "ada@harbourvale.example"
MEMBER = "alice@practice.example"
MATTER = "Kestrel Robotics – Series B"
OLD = "Practice iManage"
NEW = "New address"


@pytest.fixture(scope="module")
def moving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A firm of its own: a second server changes what the first is called."""
    with installation(tmp_path_factory.mktemp("moving"), with_firm=True) as stack:
        yield stack


def test_the_admin_re_points_and_undoes(moving: Stack, visit: Visit) -> None:
    alice = visit(moving, MEMBER)
    sign_in_from_account(alice, "alice")
    get_one(alice)
    ada = visit(moving, ADMIN)
    add_new_server(ada)

    open_server(ada, OLD)
    ada.link("Re-point").click()
    expect(ada.heading(f"Re-point {OLD}")).to_be_visible()
    ada.check_page()
    ada.page.get_by_label("Move the links to").select_option(label=NEW)
    ada.button("Continue").click()
    ada.button("Sign in to iManage").click()
    ada.sign_in_at_imanage("bram")
    expect(ada.page.get_by_label("Active")).to_have_value("Active")
    ada.check_page()
    ada.button("Preview").click()
    expect(ada.page.get_by_text("Preview. Nothing has changed yet.")).to_be_visible()
    expect(ada.page.get_by_text("(100%)")).to_be_visible()
    ada.check_page()
    ada.page.get_by_role("button", name="Re-point 1 link").click()
    expect(ada.page.get_by_text(f"1 link has moved to “{NEW}”.")).to_be_visible()
    expect(ada.page.get_by_role("switch", name="Enabled")).to_have_attribute("aria-checked", "false")
    ada.check_page()

    alice.open_matter(MATTER)
    expect(alice.page.get_by_text("Not checked").first).to_be_visible()
    alice.check_page()

    ada.button("Undo").click()
    expect(ada.dialog()).to_contain_text("1 link goes back")
    ada.check_page()
    ada.in_dialog("Undo re-point").click()
    expect(ada.page.get_by_text(f"1 link has moved back from “{NEW}”.")).to_be_visible()
    expect(ada.page.get_by_role("switch", name="Enabled")).to_have_attribute("aria-checked", "true")
    expect(ada.button("Undo")).to_have_count(0)
    ada.check_page()


def get_one(alice: Person) -> None:
    alice.open_matter(MATTER)
    alice.button("Get from iManage").click()
    get_closing_bible(alice)


def add_new_server(ada: Person) -> None:
    """The same iManage under another address."""
    page = ada.open("/admin/integrations/imanage")
    ada.button("Add server").click()
    dialog = ada.dialog()
    dialog.get_by_label("On-premise").check()
    dialog.get_by_label("Name", exact=True).fill(NEW)
    dialog.get_by_label("URL", exact=True).fill(ada.stack.practice.url.replace("127.0.0.1", "localhost"))
    dialog.get_by_label("Client ID").fill(CLIENT_ID)
    dialog.get_by_label("Client Secret").fill(practice_password(CLIENT_ID))
    ada.in_dialog("Add server").click()
    expect(ada.heading(NEW)).to_be_visible()
    page.get_by_role("switch", name="Enabled").click()
    ada.in_dialog("Enable anyway").click()
    expect(page.get_by_role("switch", name="Enabled")).to_have_attribute("aria-checked", "true")


def open_server(ada: Person, name: str) -> None:
    ada.open("/admin/integrations/imanage")
    ada.link(name).click()
    expect(ada.heading(name)).to_be_visible()
