"""Accessibility: names of menus, ambiguous times, and the current tab in forced colours."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.support.stack import Stack

BRAM = "bram@harbourvale.example"
MATTER = "Project Heron"
# On this day the hour from one to two occurs twice in London.
SUMMER, WINTER, EVENING = "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T19:30:00Z"
SHOW = """(moments) => {
  const box = document.createElement("p");
  box.innerHTML = moments.map((one) => `<time datetime="${one}" data-local></time> `).join("");
  document.getElementById("content").append(box);
  htmx.trigger(box, "htmx:load", { elt: box });
  return [...box.children].map((one) => [one.textContent, one.title]);
}"""
BORDERS = """(links) => links.map((one) => [one.getAttribute("aria-current") !== null,
  getComputedStyle(one).borderBottomColor, getComputedStyle(one).textDecorationLine])"""


def test_a_row_menu_is_labelled_with_the_document_name(firm: Stack, visit: Visit) -> None:
    bram = visit(firm, BRAM)
    page = bram.open_matter(MATTER)
    for name in ("Facility agreement.docx", "Steps paper.pdf"):
        expect(page.get_by_role("button", name=f"Actions {name}", exact=True)).to_have_count(1)
    expect(bram.button("Actions")).to_have_count(0)


def test_times_in_the_repeated_autumn_hour_show_their_zone(firm: Stack, visit: Visit) -> None:
    bram = visit(firm, BRAM, timezone_id="Europe/London", locale="en-GB")
    assert bram.page.evaluate(SHOW, [SUMMER, WINTER, EVENING]) == [
        ["25 Oct 2026, 01:30 BST", "25 Oct 2026, 01:30 BST"],
        ["25 Oct 2026, 01:30 GMT", "25 Oct 2026, 01:30 GMT"],
        ["25 Oct 2026, 19:30", "25 Oct 2026, 19:30 GMT"],
    ]
    kept = visit(firm, BRAM, timezone_id="Asia/Kolkata")
    assert kept.page.evaluate(SHOW, [SUMMER, WINTER])[0][0] == "25 Oct 2026, 06:00"


def test_in_forced_colours_the_current_tab_is_marked(firm: Stack, visit: Visit) -> None:
    bram = visit(firm, BRAM)
    page = bram.open_matter(MATTER)
    page.emulate_media(forced_colors="active")
    for links in (page.locator(".cp-tabs a"), page.locator(".cp-topnav a")):
        found = links.evaluate_all(BORDERS)
        current = {(border, line) for is_current, border, line in found if is_current}
        others = {(border, line) for is_current, border, line in found if not is_current}
        assert len(current) == 1 and len(others) == 1
        assert not {border for border, _ in current} & {border for border, _ in others}
        assert {line for _, line in current} == {"underline"}
    page.emulate_media(forced_colors="none")
