"""Recreates the pictures of docs/screenshots: `python -m tests.browser.screenshots`."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, expect, sync_playwright

from commands.demo_firm import ADMIN, ALICE, GITA
from tests.browser.conftest import CHROMIUM
from tests.browser.imanage import expect_outcome, go_into, search, sign_in_from_account, tick
from tests.browser.person import NARROW, Person
from tests.support.stack import REPOSITORY, Stack, installation, until

PICTURES = REPOSITORY / "docs" / "screenshots"
COLOURS = 192
MATTER = "Project Heron"
SERVER = "Practice iManage"


class Camera:
    def __init__(self, person: Person) -> None:
        self.person = person

    def wide(self, name: str) -> None:
        self._take(name)

    def narrow(self, name: str) -> None:
        wide = self.person.page.viewport_size
        self.person.page.set_viewport_size(NARROW)
        self._take(name)
        if wide is not None:
            self.person.page.set_viewport_size(wide)

    def dark(self, name: str) -> None:
        self.person.page.emulate_media(color_scheme="dark")
        self._take(name)
        self.person.page.emulate_media(color_scheme="light")

    def _take(self, name: str) -> None:
        """Save what the window shows, with a palette of `COLOURS` colours."""
        self.person.page.mouse.move(0, 0)
        taken = Image.open(io.BytesIO(self.person.page.screenshot(animations="disabled", caret="hide")))
        few = taken.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        few.save(PICTURES / f"{name}.png", optimize=True)


def sign_in_page(browser: Browser, stack: Stack) -> None:
    visitor = Person(browser, stack)
    visitor.open("/sign-in")
    Camera(visitor).wide("sign-in")
    visitor.close()


def associate_pages(browser: Browser, stack: Stack) -> None:
    alice = Person(browser, stack).sign_in(ALICE.member.email)
    camera = Camera(alice)
    camera.wide("matters")
    sign_in_from_account(alice, "alice")
    alice.open("/account")
    camera.wide("account")

    alice.open_matter(MATTER)
    alice.button("Get from iManage").click()
    go_into(alice, MATTER, "Drafts")
    tick(alice, "SPA – Project Heron.docx")
    tick(alice, "Heads of terms – Project Heron")
    camera.wide("get-from-imanage")
    camera.narrow("get-from-imanage-narrow")
    search(alice, "Company search")
    alice.in_dialog("Search all of iManage").click()
    alice.dialog().get_by_role("checkbox").first.check()
    alice.in_dialog("Get").click()
    expect_outcome(alice, "All 3 documents arrived from iManage.")
    camera.wide("transfer")

    large_transfer(alice, camera)
    stack.practice.add_version("bram", "Active!1645.3", b"Marked up in iManage")
    alice.open_matter(MATTER)
    alice.button("Check for newer versions").click()
    expect(alice.page.get_by_text("Newer in iManage").first).to_be_visible()
    alice.open_matter(MATTER)
    camera.wide("matter")
    camera.narrow("matter-narrow")
    camera.dark("matter-dark")
    alice.link("SPA – Project Heron.docx").click()
    expect(alice.heading("SPA – Project Heron.docx")).to_be_visible()
    camera.wide("document")
    alice.button("Save to iManage").click()
    alice.dialog().get_by_role("radio", name="Save as new document").check()
    go_into(alice, MATTER, "Drafts")
    camera.wide("save-to-imanage")
    alice.open_matter(MATTER)
    alice.page.get_by_role("navigation", name="Matter").get_by_role("link", name="People").click()
    camera.wide("people")
    alice.close()


def large_transfer(alice: Person, camera: Camera) -> None:
    stack = alice.stack
    stack.practice.fault("trickle", path="/download", rate=1 << 20, times=None)
    alice.open_matter(MATTER)
    alice.button("Get from iManage").click()
    go_into(alice, MATTER, "Data room")
    tick(alice, "Data room index.pdf")
    alice.in_dialog("Get").click()
    progress = alice.page.get_by_role("progressbar", name="Progress of Data room index.pdf")
    expect(progress).to_be_visible()
    until(lambda: float(progress.get_attribute("value") or 0) > 4 << 20, "Four megabytes")
    alice.page.wait_for_timeout(600)  # the bar is animated
    camera.dark("transfer-running-dark")
    camera.narrow("transfer-running-narrow")
    stack.practice.clear_faults()
    expect_outcome(alice, "arrived from iManage")


def admin_pages(browser: Browser, stack: Stack) -> None:
    ada = Person(browser, stack).sign_in(ADMIN.member.email)
    camera = Camera(ada)
    ada.open("/admin/integrations/imanage")
    ada.button("Add server").click()
    ada.dialog().get_by_role("radio", name="On-premise").check()
    ada.dialog().get_by_label("Name").fill("London")
    ada.dialog().get_by_label("URL", exact=True).fill("ftp://imanage.harbourvale.example")
    ada.in_dialog("Add server").click()
    expect(ada.dialog().get_by_role("alert")).to_be_visible()
    camera.wide("add-server")
    ada.page.keyboard.press("Escape")
    ada.in_dialog("Leave").click()
    expect(ada.dialog()).to_have_count(0)
    ada.link(SERVER).click()
    expect(ada.heading(SERVER)).to_be_visible()
    camera.wide("server")
    camera.narrow("server-narrow")
    ada.open("/admin/members")
    camera.wide("members")
    ada.open("/admin/audit")
    camera.wide("audit")
    ada.close()


def connection_pages(browser: Browser, stack: Stack) -> None:
    """An application package, a server not yet registered with iManage, and connection checks that fail and pass."""
    ada = Person(browser, stack).sign_in(ADMIN.member.email)
    camera = Camera(ada)
    page = ada.open("/admin/integrations/imanage")
    ada.button("Add practice server").click()
    expect(ada.in_dialog("Add practice server")).to_be_visible()
    camera.wide("add-practice-server")
    ada.open("/admin/integrations/imanage/package")
    ada.button("Make package").click()
    expect(page.get_by_text("These are only shown once")).to_be_visible()
    camera.wide("package")
    ada.button("Use it in Add server").click()
    ada.dialog().get_by_label("Name").fill("London")
    ada.dialog().get_by_label("URL", exact=True).fill(stack.practice.url.replace("127.0.0.1", "localhost"))
    ada.in_dialog("Add server").click()
    expect(ada.heading("London")).to_be_visible()
    check_connection(ada, camera, "check-failing")
    page.reload()
    page.evaluate("window.scrollTo(0, 0)")
    camera.wide("checklist")
    camera.narrow("checklist-narrow")
    page.get_by_role("link", name="Why can’t a member use it?").click()
    ada.check_page()
    page.get_by_label("Search members").press_sequentially("gita", delay=20)
    page.get_by_role("link", name=GITA.member.email).click()
    page.wait_for_load_state("networkidle")
    camera.wide("why")
    ada.open("/admin/integrations/imanage")
    ada.link(SERVER).click()
    expect(ada.heading(SERVER)).to_be_visible()
    check_connection(ada, camera, "check-passing")
    page.reload()
    strip = page.get_by_role("heading", name="Last 30 days")
    strip.evaluate("heading => heading.scrollIntoView({behavior: 'instant', block: 'center'})")
    camera.wide("health-strip")
    page.get_by_role("link", name="Request sheet for your network team").click()
    ada.check_page()
    camera.wide("request-sheet")
    ada.close()


def check_connection(ada: Person, camera: Camera, name: str) -> None:
    ada.button("Check connection").last.click()
    expect(ada.page.locator("#check").get_by_text("Checking", exact=True)).to_be_visible()
    expect(ada.button("Copy report")).to_be_visible(timeout=30_000)
    ada.page.locator("#check").evaluate("card => card.scrollIntoView({behavior: 'instant'})")
    camera.wide(name)


def people_pages(browser: Browser, stack: Stack) -> None:
    ada = Person(browser, stack).sign_in(ADMIN.member.email)
    camera = Camera(ada)
    page = ada.open("/admin/groups")
    ada.button("New group").first.click()
    ada.dialog().get_by_label("Name").fill("Finance")
    ada.dialog().get_by_role("button").last.click()
    expect(ada.heading("Finance")).to_be_visible()
    page.get_by_label("Search members").press_sequentially("alice", delay=20)
    page.get_by_role("button", name=ALICE.member.email).click()
    expect(page.get_by_role("row").filter(has_text=ALICE.member.email)).to_be_visible()
    camera.wide("group")
    ada.open("/admin/members/import")
    table = "Name,Email\nLena Ford,lena@harbourvale.example\nUna Blake,una@\nAlice Archer,alice@practice.example\n"
    page.locator("input[type=file]").set_input_files(
        {"name": "people.csv", "mimeType": "text/csv", "buffer": table.encode()}
    )
    page.get_by_role("main").get_by_role("button").last.click()
    expect(page.get_by_text("Nothing is saved yet")).to_be_visible()
    camera.wide("members-import")
    ada.close()


def guest_page(browser: Browser, stack: Stack) -> None:
    gita = Person(browser, stack).sign_in(GITA.member.email)
    gita.open_matter(MATTER)
    Camera(gita).wide("matter-as-guest")
    gita.close()


def leaver_pages(browser: Browser, stack: Stack) -> None:
    """The last story: the lead of a matter is deactivated, and another one appointed."""
    ada = Person(browser, stack).sign_in(ADMIN.member.email)
    camera = Camera(ada)
    page = ada.open("/admin/members")
    page.get_by_role("link", name=ALICE.member.email).click()
    ada.link("Deactivate").click()
    expect(ada.in_dialog("Deactivate")).to_be_visible()
    camera.wide("deactivate")
    ada.in_dialog("Deactivate").click()
    expect(page.get_by_text("deactivated and signed out everywhere")).to_be_visible()
    ada.open("/admin/members")
    ada.link("Appoint a lead").click()
    expect(ada.heading("Matters without a lead")).to_be_visible()
    ada.check_page()
    ada.link("Appoint a lead").first.click()
    expect(ada.dialog().get_by_label("Search members")).to_be_visible()
    ada.check_page()
    camera.wide("appoint-a-lead")
    camera.narrow("appoint-a-lead-narrow")
    ada.close()


STORIES: tuple[Callable[[Browser, Stack], None], ...] = (
    sign_in_page,
    associate_pages,
    admin_pages,
    connection_pages,
    people_pages,
    guest_page,
    leaver_pages,
)


def main() -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    for old in PICTURES.glob("*.png"):
        old.unlink()
    with (
        tempfile.TemporaryDirectory() as folder,
        installation(Path(folder), with_firm=True) as stack,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        for story in STORIES:
            story(browser, stack)
        browser.close()


if __name__ == "__main__":
    main()
