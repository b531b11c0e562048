"""Browsing servers that differ from the usual one in lists, categories, search folders, refusals and sign-ins."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from models import Connection
from services.core.unit_of_work import session
from simulator import Container, Fault, Simulator
from simulator.values import Security
from tests.support.pages import Page
from tests.support.picker import Desk, step


@pytest.fixture(autouse=True)
def kept_categories(practice: Simulator) -> Iterator[None]:
    kept = dict(practice.world.categories)
    yield
    practice.world.categories = kept


@pytest.fixture
def agreements(practice: Simulator) -> Iterator[Container]:
    """A search folder."""
    heron = practice.world.folder("Project Heron")
    made = practice.world.add_folder(
        heron, "All agreements", folder_type="search", query={"name": "agreement"}
    )
    yield made
    practice.world.remove_folder(made)


def sources(page: Page) -> list[str]:
    return [str(each["value"]) for each in page.controls if each.get("name") == "source"]


def refused(desk: Desk, *steps: str, **more: object) -> str:
    return desk.look(*steps, status=502, **more).text


# -- lists of all libraries --------------------------------------------------------------------------------


@pytest.mark.parametrize("more", [{"shelf": "recent"}, {"q": "finance"}, {"q": "heron"}])
def test_lists_of_the_customer_fall_back_to_its_libraries(desk: Desk, more: dict[str, str]) -> None:
    usual = desk.look(**more)
    desk.practice.settings.update({"customer_lists": False})
    desk.practice.forget_requests()
    found = desk.look(**more)
    assert set(sources(found)) == set(sources(usual))
    for name in ("Corporate precedents", "Project Heron"):
        assert (name in usual.text) == (name in found.text)
    calls = desk.calls()
    lists = 2 if "q" in more else 1  # workspaces and documents
    assert len(calls) == lists * (1 + 1 + 2)
    assert "incomplete" not in found.text


def test_the_next_page_of_a_search_is_that_of_every_library(desk: Desk) -> None:
    def everything() -> set[str]:
        found, offset = set[str](), 0
        while page := desk.look(q="Müller", offset=offset):
            found |= set(sources(page))
            if "Show 100 more" not in page.text:
                return found
            offset += 100 if desk.practice.settings.customer_lists else 50
        raise AssertionError

    usual = everything()
    desk.practice.settings.update({"customer_lists": False})
    assert everything() == usual


def test_a_library_that_does_not_answer_is_named(desk: Desk) -> None:
    desk.practice.settings.update({"customer_lists": False})
    desk.practice.faults.add(Fault("status", path="Knowledge/recent-workspaces", status=500, times=None))
    page = desk.look(shelf="recent")
    assert "This list is incomplete Not included: library Knowledge." in page.text
    assert "Поставка оборудования" in page.text
    desk.practice.faults.add(Fault("status", path="Active/recent-workspaces", status=500, times=None))
    assert "has an internal error" in refused(desk, shelf="recent")


def test_a_search_of_everything_says_which_library_it_left_out(desk: Desk) -> None:
    desk.practice.settings.update({"customer_lists": False})
    desk.practice.faults.add(Fault("status", path="Knowledge/documents", status=500, times=None))
    response = desk.browser.post(
        f"/matters/{desk.matter_id}/everything/{desk.server_id}", {"q": "heron"}, htmx=True
    )
    assert "Not included: library Knowledge." in response.get_data(as_text=True)


def test_favourites_and_my_matters_are_those_of_all_libraries(desk: Desk) -> None:
    """Alice has favourites in both, and owns matters in both."""
    for shelf in ("favourites", "mine"):
        page = desk.look(shelf=shelf)
        assert "Project Heron" in page.text and "Corporate precedents" in page.text
    assert len(desk.calls()) == 2 * (1 + 2)


def test_at_most_eight_libraries_are_asked(desk: Desk) -> None:
    names = [f"Library{number}" for number in range(1, 12)]
    rows = [{"id": name, "type": "worksite"} for name in names]
    desk.practice.faults.add(Fault("json", path="/libraries$", body={"data": rows}, times=None))
    desk.practice.faults.add(Fault("json", path="libraries/.*/my-favorites", body={"data": []}, times=None))
    page = desk.look(shelf="favourites")
    assert len(desk.calls()) == 1 + 8
    assert "Not included: libraries Library8, Library9, Library10, Library11." in page.text


def test_a_search_of_everything_asks_the_libraries_of_the_list(desk: Desk) -> None:
    """With more libraries than are asked, the member's own is among them."""
    desk.practice.settings.update({"customer_lists": False})
    rows = [{"id": name, "type": "worksite"} for name in (*(f"Library{n}" for n in range(1, 9)), "Active")]
    desk.practice.faults.add(Fault("json", path="/libraries$", body={"data": rows}, times=None))
    listed = sources(desk.look(q="heron"))
    response = desk.browser.post(
        f"/matters/{desk.matter_id}/everything/{desk.server_id}", {"q": "heron"}, htmx=True
    )
    assert response.status_code == 200
    selected = response.get_data(as_text=True)
    assert listed and all(source in selected for source in listed)


# -- categories ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", ["with_wstype", "without_wstype"])
@pytest.mark.parametrize(
    ("shelf", "kind", "letter"), [("favourites", "my_favorites", "v"), ("mine", "my_matters", "m")]
)
def test_a_category_opens(desk: Desk, rows: str, shelf: str, kind: str, letter: str) -> None:
    desk.practice.settings.update({"category_rows": rows})
    world = desk.practice.world
    heron, spa = world.folder("Project Heron"), world.named("SPA – Project Heron")
    made = world.add_category("Active", "Closing soon", "ALICE", [heron, spa], kind)
    top = desk.look(shelf=shelf)
    assert "Closing soon" in top.text
    assert f"{letter}:{made.id}:Closing soon" in top.html
    assert f"w:{made.id}" not in top.html
    inside = desk.look(f"{letter}:{made.id}:Closing soon")
    assert "Project Heron" in inside.text
    assert sources(inside) == [spa.id()]
    assert "Select everything in this" not in inside.text


def test_an_empty_category_says_so_and_takes_no_document(desk: Desk) -> None:
    made = desk.practice.world.add_category("Active", "Later", "ALICE", [])
    page = desk.look(f"v:{made.id}:Later", saving=1)
    assert "This category is empty" in page.text
    assert "Open the folder to save in." in page.text


def test_a_search_in_a_category_searches_everywhere(desk: Desk) -> None:
    made = desk.practice.world.add_category("Active", "Later", "ALICE", [])
    page = desk.look(f"v:{made.id}:Later", q="heron")
    assert "Project Heron" in page.text
    assert "Later" not in page.text


# -- folders -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mark", ["folder_type", "view_type", "saved_search"])
def test_a_search_folder_by_any_mark_is_no_place_to_save(
    desk: Desk, agreements: Container, mark: str
) -> None:
    desk.practice.settings.update({"search_folder_marks": (mark,)})
    page = desk.look(step(desk.practice, "Project Heron", "w"), saving=1)
    assert f"c:{agreements.id}:All agreements" in page.html
    assert "You cannot save here" in page.text


def test_a_search_folder_that_only_opens_with_browse(desk: Desk, agreements: Container) -> None:
    place = f"c:{agreements.id}:All agreements"
    usual = desk.look(place)
    assert sources(usual)
    desk.practice.settings.update({"search_folder_children": "browse_only"})
    assert sources(desk.look(place)) == sources(usual)
    response = desk.browser.post(
        f"/matters/{desk.matter_id}/everything/{desk.server_id}", {"step": [place]}, htmx=True
    )
    assert sources(usual)[0] in response.get_data(as_text=True)


@pytest.mark.parametrize("dial", ["absent", "other_words"])
def test_a_folder_whose_access_is_not_known_is_tried(desk: Desk, dial: str) -> None:
    practice = desk.practice
    heron = practice.world.folder("Project Heron")
    closed = practice.world.add_folder(heron, "Closed", "CAROL", Security("private", (("ALICE", "read"),)))
    try:
        place = step(practice, "Project Heron", "w")
        assert f"c:{closed.id}:Closed" in desk.look(place, saving=1).html
        practice.settings.update({"effective_security": dial})
        page = desk.look(place, saving=1)
        assert f"f:{closed.id}:Closed" in page.html
        assert "You cannot save here" not in page.text
    finally:
        practice.world.remove_folder(closed)


# -- shapes ------------------------------------------------------------------------------------------------


def test_an_unknown_list_key_is_not_an_empty_list(desk: Desk) -> None:
    desk.practice.settings.update({"list_shape": "unknown_key"})
    for more in ({"shelf": "recent"}, {"q": "heron"}):
        assert "answered in a form that Counterpart does not understand" in refused(desk, **more)
    assert "does not understand" in refused(desk, step(desk.practice, "Drafts"))


def test_a_list_without_data_is_empty(desk: Desk) -> None:
    desk.practice.settings.update({"list_shape": "empty_without_data"})
    assert "This folder is empty" in desk.look(step(desk.practice, "Empty folder")).text
    assert "Nothing found" in desk.look(q="zyxwvut").text


@pytest.mark.parametrize("version_ids", ["either", "required"])
def test_versions_are_listed_by_an_id_with_a_version(desk: Desk, version_ids: str) -> None:
    desk.practice.settings.update({"version_ids": version_ids})
    spa = desk.practice.world.named("SPA – Project Heron")
    page = desk.look(f"d:{spa.id()}:SPA")
    assert sources(page) == [f"Active!{spa.number}.{version}" for version in (3, 2, 1)]


@pytest.mark.parametrize("status", [429, 500, 502])
def test_a_fault_that_passes_is_not_shown(desk: Desk, status: int) -> None:
    fault = (
        Fault("throttle", path="/children", reset=1)
        if status == 429
        else Fault("status", path="/children", status=status)
    )
    desk.practice.faults.add(fault)
    assert "Heads of terms" in desk.look(step(desk.practice, "Drafts")).text
    assert len(desk.calls()) == 2


# -- refusals ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "code"), [(500, "NRC_INDEX_UNAVAILABLE"), (400, "NRC_INDEX_UNAVAILABLE")])
def test_an_index_that_is_not_available(desk: Desk, status: int, code: str) -> None:
    desk.practice.faults.add(Fault("status", path="documents", status=status, code=code, times=None))
    said = refused(desk, step(desk.practice, "Drafts"), q="heron")
    assert "Search is not available in iManage at the moment." in said
    assert code in said


def test_what_imanage_says_follows_ours_and_cannot_be_markup(desk: Desk) -> None:
    body = {
        "error": {
            "code": "NRC_FAILURE",
            "code_message": "The folder is locked by <script>alert(1)</script>.",
            "messages": [{"code": "NRC_WALL", "code_message": "A wall forbids it. " + "x" * 500}],
        }
    }
    desk.practice.faults.add(Fault("status", path="/children", status=403, body=body, times=None))
    page = desk.look(step(desk.practice, "Drafts"), status=502)
    assert "You do not have permission" in page.text or "checked out" in page.text
    assert "The folder is locked by <script>alert(1)</script>.; A wall forbids it." in page.text
    assert "(NRC_FAILURE)" in page.text
    assert "<script>alert" not in page.html
    assert "x" * 300 not in page.text


# -- sign-ins ----------------------------------------------------------------------------------------------


def state_of_sign_in() -> str:
    session().rollback()
    return session().scalars(select(Connection)).one().state


@pytest.mark.parametrize("dial", ["401", "403", "redirect", "page"])
def test_a_session_that_ended_is_renewed_and_then_asked_for_again(desk: Desk, dial: str) -> None:
    desk.practice.settings.update({"ended_sessions": dial})
    desk.practice.expire_tokens()
    assert "Heads of terms" in desk.look(step(desk.practice, "Drafts")).text
    desk.practice.revoke()
    page = desk.look(step(desk.practice, "Drafts"), status=409)
    assert "Sign in to iManage" in page.text
    assert state_of_sign_in() == "sign_in_again"


def test_missing_rights_told_as_401_do_not_end_the_sign_in(desk: Desk) -> None:
    desk.practice.settings.update({"wall_status": 401})
    wall = desk.practice.world.folder("Internal investigation")
    for _ in range(2):
        said = refused(desk, f"w:{wall.id}:Internal investigation")
        assert "You do not have permission to do this in iManage." in said
    assert state_of_sign_in() == "connected"
    assert "Heads of terms" in desk.look(step(desk.practice, "Drafts")).text


@pytest.mark.parametrize("how", ["", "redirect"])
def test_a_sign_in_page_in_front_of_imanage_does_not_end_the_sign_in(desk: Desk, how: str) -> None:
    desk.practice.faults.add(Fault("sign_in_page", path="/work/api", how=how, times=None))
    said = refused(desk, step(desk.practice, "Drafts"))
    assert "A sign-in page in front of iManage answered in place of iManage." in said
    assert "your network team" in said
    assert state_of_sign_in() == "connected"
