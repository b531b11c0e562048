"""An application package: its secret is shown once, its file is valid, and it becomes a server."""

from __future__ import annotations

import re
import zipfile

import yaml
from playwright.sync_api import expect

from commands.demo_firm import ADMIN
from tests.browser.conftest import Visit
from tests.support.stack import Stack

KEY = re.compile(r"\b[0-9a-f]{32}\b")


def test_a_package_shows_its_secret_once_and_becomes_a_server(firm: Stack, visit: Visit) -> None:
    ada = visit(firm, ADMIN.member.email)
    ada.open("/admin/integrations/imanage/package")
    ada.button("Make package").click()
    expect(ada.page.get_by_text("These are only shown once")).to_be_visible()
    client_id, secret = dict.fromkeys(KEY.findall(ada.page.get_by_role("main").inner_text()))

    ada.page.reload()
    expect(ada.page.get_by_text("They have already been shown")).to_be_visible()
    assert secret not in ada.page.content()
    with ada.page.expect_download() as downloading:
        ada.button("Download manifest.zip").click()
    with zipfile.ZipFile(downloading.value.path()) as archive:
        said = yaml.safe_load(archive.read("manifest.yaml"))
    assert (said["api_key"], said["api_secret"], said["version"]) == (client_id, secret, "2")
    assert said["redirect_url"] == f"{firm.url}/auth/v0/oauth2/authorized"

    ada.button("Use it in Add server").click()
    expect(ada.dialog().get_by_text("come from the package")).to_be_visible()
    assert secret not in ada.page.content()
    ada.dialog().get_by_label("Name").fill("Paris")
    other = firm.practice.url.replace("127.0.0.1", "127.0.0.2")
    ada.dialog().get_by_label("URL", exact=True).fill(other)
    ada.in_dialog("Add server").click()
    expect(ada.heading("Paris")).to_be_visible()
    expect(ada.page.locator("#checklist")).to_contain_text("3 of 9 steps complete")
    assert secret not in ada.page.content()
    ada.button("Remove server").click()
    ada.in_dialog("Remove server").click()
    expect(ada.page.get_by_text("“Paris” has been removed.")).to_be_visible()
