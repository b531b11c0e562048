"""Libraries and people whose ids have a space or a backslash, and rows whose ids nobody can ask for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from imanage.ids import VersionId
from services.transfers import update_check
from simulator import Fault, Simulator
from simulator.unusual_ids import DOCUMENT, DOMAIN_USER, FOLDER, LIBRARY, SPACED_USER, WORKSPACE, add_unusual
from tests.support.pages import Browser, Page, read
from tests.support.practice import practice_imanage
from tests.support.transfers import (
    Desk,
    add_version,
    carry,
    carry_all,
    get,
    links,
    make_desk,
    save,
    sha256,
    skip_wait,
)


@pytest.fixture(scope="module")
def practice_running() -> Iterator[Simulator]:
    with practice_imanage() as practice:
        add_unusual(practice.world)
        yield practice


@pytest.fixture(params=[DOMAIN_USER, SPACED_USER])
def desk(browser: Browser, practice: Simulator, request: pytest.FixtureRequest) -> Desk:
    return make_desk(browser, practice, request.param)


def look(desk: Desk, *steps: str, status: int = 200, **more: object) -> Page:
    form = {"step": list(steps), **more}
    response = desk.browser.post(f"/matters/{desk.matter_id}/browse/{desk.server.id}", form, htmx=True)
    assert response.status_code == status, response.get_data(as_text=True)
    return read(response, whole=False)


@pytest.mark.parametrize("desk", [DOMAIN_USER], indirect=True)
def test_a_domain_user_opens_the_shelf_of_their_own_matters(desk: Desk) -> None:
    assert WORKSPACE in look(desk, shelf="mine").text


def test_all_that_a_library_with_a_space_holds_can_be_listed_got_saved_and_checked(desk: Desk) -> None:
    world = desk.practice.world
    folder, document = world.folder(FOLDER, LIBRARY), world.named(DOCUMENT)
    version = VersionId.parse(document.id())
    assert str(version).startswith("Legal Team!")
    assert WORKSPACE in look(desk, shelf="favourites").text
    listed = look(desk, f"f:{folder.id}:Bills")
    assert str(version) in [each.get("value") for each in listed.controls]
    assert str(version) in [each.get("value") for each in look(desk, q="costs").controls]

    (got,) = carry_all(get(desk, str(version)))
    assert got.state == "done", got.error_sentence
    assert got.document_id is not None
    assert "Legal%20Team!" in links()[0].url
    add_version(desk, got.document_id, desk.actor.name.encode())
    (item,) = carry_all(save(desk, got.document_id, "new_version", str(version)))
    assert item.state == "done", item.error_sentence
    assert world.named(DOCUMENT).latest.content.sha256 == sha256(desk.actor.name.encode())
    assert DOCUMENT in update_check.check(desk.actor, desk.matter_id, got.document_id).sentence
    (item,) = carry_all(save(desk, got.document_id, "new_document", folder.id))
    assert item.state == "done", item.error_sentence


@pytest.mark.parametrize(
    ("path", "steps", "more"),
    [
        ("recent-workspaces", (), {}),
        ("my-favorites/children", (), {"shelf": "favourites"}),
        ("my-matters/children", (), {"shelf": "mine"}),
        ("/workspaces", (), {"q": "costs", "saving": 1}),
        ("/documents", (), {"q": "costs"}),
        ("/children", ("workspace",), {}),
        ("/children", ("folder",), {}),
        ("/versions", ("document",), {}),
    ],
)
@pytest.mark.parametrize("desk", [DOMAIN_USER], indirect=True)
def test_no_list_keeps_quiet_about_what_it_leaves_out(
    desk: Desk, path: str, steps: tuple[str, ...], more: dict[str, object]
) -> None:
    world = desk.practice.world
    ways = {
        "workspace": f"w:{world.folder(WORKSPACE, LIBRARY).id}:Costs",
        "folder": f"f:{world.folder(FOLDER, LIBRARY).id}:Bills",
        "document": f"d:{world.named(DOCUMENT).id()}:Bill",
    }
    desk.practice.faults.add(Fault("odd_ids", path=path, at=1, times=None))
    page = look(desk, *[ways[each] for each in steps], **more)
    assert "1 item could not be shown." in page.text
    assert "This folder is empty" not in page.text


@pytest.mark.parametrize("desk", [DOMAIN_USER], indirect=True)
def test_everything_of_a_folder_says_what_it_leaves_out(desk: Desk) -> None:
    folder = desk.practice.world.folder(FOLDER, LIBRARY)
    desk.practice.faults.add(Fault("odd_ids", path="/documents", at=1, times=None))
    address = f"/matters/{desk.matter_id}/everything/{desk.server.id}"
    form = {"step": [f"f:{folder.id}:Bills"]}
    assert "1 item could not be shown." in desk.browser.post(address, form, htmx=True).get_data(as_text=True)


@pytest.mark.parametrize("desk", [DOMAIN_USER], indirect=True)
def test_what_may_have_arrived_among_unreadable_rows_is_not_sent_again(desk: Desk) -> None:
    folder = desk.practice.world.folder(FOLDER, LIBRARY)
    document_id = desk.add_document("Lost.docx", b"lost among odd rows")
    desk.practice.faults.add(Fault("lost_after", method="POST", path="/documents$", times=1))
    desk.practice.faults.add(Fault("odd_ids", method="GET", path="/documents", at=500, after=1, times=None))
    (item,) = carry_all(save(desk, document_id, "new_document", folder.id))
    for _ in range(3):
        if item.state == "needs_decision":
            break
        skip_wait(item.id, sent_long_ago=True)
        item = carry(item.id)
    assert item.state == "needs_decision"
    assert "Some of what iManage lists there cannot be read" in item.error_sentence
