"""Discovery, libraries, containers, lists and searches."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from simulator import Simulator
from tests.contracts.simulator.caller import Caller


def test_discovery_without_a_token(sim: Simulator) -> None:
    for path in ("/api", "/work/api"):
        data = requests.get(sim.url + path, timeout=5).json()["data"]
        assert data["auth_status"] == "unauthenticated"
        assert "user" not in data
        assert data["versions"][0]["url"] == f"{sim.url}/work/api/v2"


def test_discovery_follows_the_settings(sim: Simulator, alice: Caller) -> None:
    sim.settings.update({"customer_id": 1, "public_url": "https://dms.example", "api_versions": ["v1", "v2"]})
    data = alice.session.get(sim.url + "/api", timeout=5).json()["data"]
    assert data["user"]["customer_id"] == 1
    assert [one["url"] for one in data["versions"]] == [
        "https://dms.example/work/api/v1",
        "https://dms.example/work/api/v2",
    ]
    assert alice.get("types").status_code == 404


@pytest.mark.parametrize("prefix", ["/work/api/v2", "/api/v2", "/work/web/api/v2"])
def test_every_prefix_is_the_same_api(sim: Simulator, alice: Caller, prefix: str) -> None:
    answer = alice.session.get(f"{sim.url}{prefix}/customers/4242/libraries", timeout=5)
    assert [one["id"] for one in answer.json()["data"]] == ["Active", "Knowledge"]


@pytest.mark.parametrize("path", ["/api/v1/x", "/work/api/v3/customers/4242/libraries", "/nothing"])
def test_other_paths_are_404(alice: Caller, sim: Simulator, path: str) -> None:
    assert alice.session.get(sim.url + path, timeout=5).status_code == 404


def test_the_library_in_a_path_is_found_in_any_case(alice: Caller) -> None:
    alice.library = "ACTIVE"
    row = alice.data(f"workspaces/{alice.sim.world.folder('Project Heron').id}")
    assert row["id"].startswith("Active!")
    assert row["database"] == "ACTIVE"


def test_lists_of_workspaces(alice: Caller) -> None:
    recent = alice.data("recent-workspaces")["results"]
    assert len(recent) == 20
    assert {one["wstype"] for one in recent} == {"workspace"}
    everywhere = alice.session.get(f"{alice.customer}/recent-workspaces", timeout=5).json()["data"]["results"]
    assert {one["database"] for one in everywhere} == {"ACTIVE", "KNOWLEDGE"}
    mine = alice.data("users/alice/my-matters/children")
    assert mine and all(one["wstype"] == "workspace_shortcut" and one["target"]["id"] for one in mine)
    assert alice.get("users/bram/my-matters/children").status_code == 403
    favourites = alice.data("my-favorites/children?limit=500")
    category, *others = favourites
    assert (category["category_type"], category["name"]) == ("my_favorites", "Live deals")
    assert others[0]["shortcut_id"] != others[0]["target"]["id"]


def test_a_workspace_by_name_and_by_body(alice: Caller) -> None:
    found = alice.get("workspaces?name=Heron&total=true").json()
    assert found["total_count"] == 1
    assert found["data"]["results"][0]["custom1"] == "10042"
    body = {"filters": {"custom2": "0007"}, "profile_fields": {"workspace": ["id", "name", "custom2"]}}
    posted = alice.call("POST", "workspaces/search", json=body).json()
    assert posted["data"][0] == {
        "id": found["data"]["results"][0]["id"],
        "name": "Project Heron",
        "custom2": "0007",
    }
    assert posted["overflow"] is False


@pytest.mark.parametrize(
    "name", ["Поставка", "اتفاقية", "合资", "業務提携", "Ναυλοσύμφωνο", "übernahme", "l'éclairage"]
)
def test_names_in_every_script_are_found(alice: Caller, name: str) -> None:
    found = alice.data("workspaces", params={"name": name})["results"]
    assert len(found) == 1
    assert name.casefold() in found[0]["name"].casefold()


def test_children_are_folders_first_then_documents(alice: Caller) -> None:
    heron = alice.sim.world.folder("Project Heron")
    drafts = next(one for one in alice.data(f"workspaces/{heron.id}/children") if one["name"] == "Drafts")
    assert drafts["parent_id"] == drafts["workspace_id"] == heron.id
    kinds = [one["wstype"] for one in alice.data(f"folders/{drafts['id']}/children")]
    assert kinds == sorted(kinds, reverse=True) and set(kinds) == {"folder", "document"}
    only = alice.data(f"folders/{drafts['id']}/children?exclude_docs=true")
    assert {one["wstype"] for one in only} == {"folder"}
    flat = alice.data(f"folders?container_id={heron.id}&limit=100")
    assert "Comments received" in {one["name"] for one in flat}
    assert alice.data(f"containers/{drafts['id']}")["wstype"] == "folder"


def test_three_thousand_documents_come_in_pages(alice: Caller) -> None:
    folder = alice.sim.world.folder("Disclosure")
    numbers: list[int] = []
    for offset in range(0, 3500, 700):
        answer = alice.get(f"folders/{folder.id}/documents?total=true&limit=700&offset={offset}").json()
        assert answer["total_count"] == 3000
        numbers += [one["document_number"] for one in answer["data"]]
    assert len(numbers) == len(set(numbers)) == 3000
    for limit in ("0", "10000", "x", "-1"):
        refused = alice.get(f"folders/{folder.id}/documents?limit={limit}")
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "NRC_INVALID_PARAM")


def test_a_cursor_neither_doubles_nor_loses(alice: Caller) -> None:
    folder = alice.sim.world.folder("Disclosure")

    def pages() -> Iterator[list[int]]:
        cursor: str | None = ""
        while cursor is not None:
            where = f"container_id={folder.id}&paging_mode=standard_cursor&limit=999&cursor={cursor}"
            answer = alice.get(f"documents?{where}").json()
            cursor = answer.get("cursor")
            yield [one["document_number"] for one in answer["data"]["results"]]

    sizes, seen = [], []
    for page in pages():
        sizes.append(len(page))
        seen += page
    assert sizes == [999, 999, 999, 3]
    assert len(set(seen)) == 3000


def test_unknown_filters_and_fields_are_refused_by_name(alice: Caller) -> None:
    for answer, field in (
        (alice.get("documents?colour=red"), "colour"),
        (alice.call("POST", "documents/search", json={"filters": {"colour": "red"}}), "colour"),
        (alice.call("POST", "documents/search", json={"filters": {}, "page": 2}), "page"),
        (alice.call("POST", "documents/search", json={"profile_fields": {"document": ["colour"]}}), "colour"),
        (
            alice.call("POST", "workspaces/search", json={"filters": {"container_id": "Active!1"}}),
            "container_id",
        ),
    ):
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (400, "NRC_INVALID_PARAM")
        assert error["messages"][0]["field"] == field


def test_search_by_place_and_by_words(alice: Caller) -> None:
    heron = alice.sim.world.folder("Project Heron")
    drafts = alice.sim.world.folder("Drafts")

    def names(**filters: object) -> set[str]:
        body = {"filters": filters, "profile_fields": {"document": ["name"]}, "limit": 9999}
        return {one["name"] for one in alice.call("POST", "documents/search", json=body).json()["data"]}

    assert "SPA – Project Heron" in names(name="spa heron", container_id=heron.id)
    assert not names(container_id=heron.id, include_subtree=False)
    below = names(container_id=drafts.id)
    assert names(container_id=drafts.id, include_subtree=False) < below
    assert names(checked_out=True) == {"Disclosure letter", "Tax deed", "Completion agenda"}
    assert names(document_number=alice.sim.world.named("Tax deed").number) == {"Tax deed"}


def test_without_profile_fields_little_comes_back_and_overflow_says_more(alice: Caller) -> None:
    answer = alice.call("POST", "documents/search", json={"limit": 2, "filters": {"name": "letter"}}).json()
    assert answer["overflow"] is True
    assert [set(one) for one in answer["data"]] == [{"id", "wstype", "iwl"}] * 2


@pytest.mark.parametrize(("dial", "kind"), [("array", list), ("results", dict), ("documented", list)])
def test_the_shape_of_lists_is_a_setting(sim: Simulator, alice: Caller, dial: str, kind: type) -> None:
    sim.settings.list_shape = dial
    assert isinstance(alice.data(f"folders/{sim.world.folder('Drafts').id}/documents"), kind)


def test_one_row_can_come_as_an_object(sim: Simulator, alice: Caller) -> None:
    sim.settings.list_shape = "object"
    folder = sim.world.folder("Read only")
    assert alice.data(f"folders/{folder.id}/documents")["name"] == "Closing bible"


def test_ethical_walls_hide_matters(sim: Simulator, alice: Caller) -> None:
    kestrel = sim.world.folder("Project Kestrel")
    assert alice.data("workspaces", params={"name": "Kestrel"})["results"] == []
    assert alice.get(f"workspaces/{kestrel.id}").status_code == 403
    sim.settings.wall_status = 404
    assert alice.get(f"workspaces/{kestrel.id}").json()["error"]["code"] == "NRC_NO_RECORD"
    inside = sim.world.documents_in(sim.world.folders_in(kestrel)[0])[0]
    assert alice.get(f"documents/{inside.id()}/download").status_code == 404
    with Caller(sim, "carol") as carol:
        assert carol.data(f"workspaces/{kestrel.id}")["name"] == "Project Kestrel"
        assert carol.get(f"documents/{inside.id()}/download").status_code == 200
    with Caller(sim, "dmitri") as dmitri:
        assert dmitri.get("recent-workspaces").status_code == 404
        assert [
            one["id"] for one in dmitri.session.get(f"{dmitri.customer}/libraries", timeout=5).json()["data"]
        ] == ["Knowledge"]
    with Caller(sim, "farid") as guest:
        assert [one["name"] for one in guest.data("workspaces")["results"]] == ["Harbour lease"]


def test_operations_say_what_may_be_done(alice: Caller) -> None:
    world = alice.sim.world
    assert alice.data(f"folders/{world.folder('Drafts').id}/operations")["add_documents"] is True
    closed = world.folder("Read only")
    assert alice.data(f"folders/{closed.id}/operations")["add_documents"] is True, "its owner may"
    with Caller(alice.sim, "bram") as bram:
        assert bram.data(f"folders/{closed.id}/operations")["add_documents"] is False
        assert bram.data(f"folders/{closed.id}")["effective_security"] == "read"


def test_types_classes_users_and_customs(alice: Caller) -> None:
    assert {"id": "WORDX", "description": "WORD 2007", "app_extension": "docx"} in alice.data(
        "types?limit=1000"
    )
    assert "DOC" in {one["id"] for one in alice.data("classes")}
    assert {one["id"] for one in alice.data("classes/AGREEMENT/subclasses")} == {"SPA", "NDA", "LEASE"}
    assert alice.data("users/bram")["full_name"] == "Bram de Vries"
    assert alice.data("customs/custom1/10042")["description"] == "Harbour Holdings plc"
    missing = alice.get("customs/custom1/nobody")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "NRC_NO_RECORD")
    assert alice.data("captions/custom2?language=en-gb")[0]["label"] == "Matter"


def test_new_folders(alice: Caller, bram: Caller) -> None:
    world = alice.sim.world
    made = alice.call("POST", f"workspaces/{world.folder('Project Heron').id}/folders", json={"name": "Ours"})
    assert made.status_code == 201
    below = alice.call(
        "POST", f"folders/{made.json()['data']['id']}/subfolders", json={"name": "Below"}
    ).json()["data"]
    assert below["parent_id"] == made.json()["data"]["id"]
    assert alice.call("DELETE", f"folders/{made.json()['data']['id']}").status_code == 409
    for one in (below, made.json()["data"]):
        assert alice.call("DELETE", f"folders/{one['id']}").status_code == 204
        assert alice.get(f"folders/{one['id']}").status_code == 404
    refused = bram.call("POST", f"folders/{world.folder('Read only').id}/subfolders", json={"name": "x"})
    assert refused.status_code == 403
