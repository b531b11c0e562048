"""Hostile names, two tabs at once, a browser without scripts, and a proxy's own limit."""

from __future__ import annotations

from playwright.sync_api import expect

from commands.demo_firm import PASSWORD
from tests.browser.conftest import Visit
from tests.browser.imanage import disconnect, document_row
from tests.support.stack import Stack

ALICE = "alice@practice.example"
CAROL = "carol@practice.example"
GITA = "gita@northwind.example"
MATTER = "Kestrel Robotics – Series B"
SHARED = "Project Heron"
DOCUMENT = "Steps paper.pdf"
MARKUP = "<img src=x onerror=alert(1)> {{ 7*7 }} & Söhne"
QUOTES = "' autofocus onfocus='alert(1) {{ 7-7 }} & Отчёт 報告書.txt"


def test_hostile_names_are_shown_as_text(firm: Stack, visit: Visit) -> None:
    carol = visit(firm, CAROL)
    carol.context.on("dialog", lambda _: carol.problems.append("A name opened a dialog."))
    carol.button("New matter").click()
    carol.dialog().get_by_label("Name").fill(MARKUP)
    carol.in_dialog("Open matter").click()
    expect(carol.heading(MARKUP)).to_be_visible()
    assert MARKUP in carol.page.title()
    carol.check_page()

    carol.button("Add document").first.click()
    carol.dialog().get_by_label("File").set_input_files(
        {"name": QUOTES, "mimeType": "text/plain", "buffer": b"Only a name"}
    )
    carol.in_dialog("Add document").click()
    expect(carol.dialog()).to_have_count(0)
    carol.check_page()
    carol.link(QUOTES).click()
    expect(carol.heading(QUOTES)).to_be_visible()
    assert carol.download(carol.link("Download")).path().read_bytes() == b"Only a name"
    carol.button("More").click()
    carol.button("Rename").click()
    expect(carol.dialog().get_by_label("Name")).to_be_focused()
    carol.check_page()
    assert carol.page.locator("img[src=x]").count() == 0
    carol.open("/matters")
    expect(carol.link(MARKUP)).to_be_visible()


def test_two_tabs_keep_their_own_sign_in_to_imanage(firm: Stack, visit: Visit) -> None:
    """The first tab returns after the second has begun: each returns to its own page."""
    alice = visit(firm, ALICE)
    disconnect(alice)
    first = alice.page
    alice.open_matter(MATTER)
    alice.button("Get from iManage").click()
    alice.in_dialog("Sign in to iManage").click()
    expect(first.get_by_role("button", name="Allow")).to_be_visible()

    second = alice.context.new_page()
    alice.page = second
    alice.open("/account")
    second.get_by_role("button", name="Sign in", exact=True).click()
    expect(second.get_by_role("button", name="Allow")).to_be_visible()

    alice.page = first
    alice.sign_in_at_imanage("alice")
    expect(alice.dialog().get_by_role("heading", name="Get from iManage")).to_be_visible()
    alice.page = second
    alice.sign_in_at_imanage("alice")
    expect(alice.heading("Account")).to_be_visible()
    alice.check_page()


def test_reading_works_without_javascript(firm: Stack, visit: Visit) -> None:
    gita = visit(firm, java_script_enabled=False)
    page = gita.page
    page.goto("/sign-in")
    page.get_by_label("Email").fill(GITA)
    page.get_by_label("Password").fill(PASSWORD)
    gita.button("Sign in").click()
    expect(gita.heading("Matters")).to_be_visible()
    page.get_by_role("link", name=SHARED).click()
    expect(document_row(gita, DOCUMENT)).to_be_visible()
    gita.link(DOCUMENT).click()
    assert gita.download(gita.link("Download")).path().read_bytes().startswith(b"%PDF")
    gita.button("Gita Rao").click()
    gita.button("Sign out").click()
    expect(gita.heading("Sign in")).to_be_visible()
    page.goto("/matters")
    expect(gita.heading("Sign in")).to_be_visible()


def test_a_limit_of_the_proxy_is_attributed_to_the_proxy(firm: Stack, visit: Visit) -> None:
    alice = visit(firm, ALICE)
    alice.open_matter(MATTER)
    refusal = "<html><head><title>413 Request Entity Too Large</title></head><body>nginx</body></html>"
    alice.page.route(
        "**/documents/new",
        lambda route: (
            route.fulfill(status=413, content_type="text/html", body=refusal)
            if route.request.method == "POST"
            else route.continue_()
        ),
    )
    alice.button("Add document").first.click()
    alice.dialog().get_by_label("File").set_input_files(
        {"name": "Large.pdf", "mimeType": "application/pdf", "buffer": b"large"}
    )
    alice.in_dialog("Add document").click()
    expect(alice.page.get_by_text("larger than the proxy in front of Counterpart allows")).to_be_visible()
    expect(alice.dialog()).to_be_visible()
    alice.problems.clear()  # the console names the 413
