"""The path, query and number of calls of each browsing function."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from imanage import containers, documents
from imanage.client import Client
from imanage.errors import BadIdError, NotIManageError
from imanage.ids import VersionId
from imanage.types import Container, Document, Library
from tests.unit.imanage.support import BASE, client, document_row, folder_row, workspace_row

PAGED = {"limit": "100", "offset": "0", "total": "true"}


@pytest.mark.parametrize(
    ("ask", "path", "query"),
    [
        (containers.recent_workspaces, "recent-workspaces", {"limit": "100"}),
        (
            lambda c: containers.recent_workspaces(c, "Active", 5),
            "libraries/Active/recent-workspaces",
            {"limit": "5"},
        ),
        (
            lambda c: containers.my_matters(c, "Active", "JDOE"),
            "libraries/Active/users/JDOE/my-matters/children",
            {},
        ),
        (
            lambda c: containers.favourites(c, "Active"),
            "libraries/Active/my-favorites/children",
            {"limit": "500"},
        ),
        (
            lambda c: containers.search_workspaces(c, "proj heron"),
            "workspaces",
            {"name": "proj heron", **PAGED},
        ),
        (
            lambda c: containers.search_workspaces(c, "x", "Active", 10, 20),
            "libraries/Active/workspaces",
            {"name": "x", "limit": "10", "offset": "20", "total": "true"},
        ),
        (
            lambda c: containers.workspace_children(c, "Active!88231"),
            "libraries/Active/workspaces/Active!88231/children",
            PAGED,
        ),
        (
            lambda c: containers.folder_children(c, "Active!427", 100),
            "libraries/Active/folders/Active!427/children",
            {**PAGED, "offset": "100"},
        ),
        (
            lambda c: documents.folder_documents(c, "Active!427", limit=7),
            "libraries/Active/folders/Active!427/documents",
            {**PAGED, "limit": "7"},
        ),
        (
            lambda c: documents.search(c, "a&b=c"),
            "documents",
            {"anywhere": "a&b=c", "latest": "true", **PAGED},
        ),
        (
            lambda c: documents.search(c, "x", container_id="Active!427"),
            "libraries/Active/documents",
            {"anywhere": "x", "latest": "true", "container_id": "Active!427", **PAGED},
        ),
    ],
)
@responses.activate
def test_one_call_per_list(ask: Callable[[Client], Any], path: str, query: dict[str, str]) -> None:
    responses.get(f"{BASE}/{path}", json={"data": {"results": []}, "total_count": 0})
    assert ask(client()).items == ()
    (call,) = responses.calls
    url = urlsplit(str(call.request.url))
    assert {name: values[0] for name, values in parse_qs(url.query).items()} == query


@responses.activate
def test_a_folder_of_three_thousand_costs_one_call_per_hundred() -> None:
    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        query = parse_qs(urlsplit(request.url).query)
        start, limit = int(query["offset"][0]), int(query["limit"][0])
        rows = [
            document_row(id=f"Active!{number}.1", version=1)
            for number in range(start, min(start + limit, 3000))
        ]
        return 200, {}, json.dumps({"data": rows, "total_count": 3000})

    responses.add_callback("GET", f"{BASE}/libraries/Active/folders/Active!427/children", answer)
    one, offset, seen = client(), 0, 0
    while True:
        page = containers.folder_children(one, "Active!427", offset)
        seen += len(page.items)
        if page.next_offset is None:
            break
        offset = page.next_offset
    assert (seen, len(responses.calls)) == (3000, 30)


@responses.activate
def test_children_are_folders_and_documents_in_the_servers_order() -> None:
    rows = [folder_row(), document_row(), {"id": "Active!U", "wstype": "user"}]
    responses.get(f"{BASE}/libraries/Active/folders/Active!427/children", json={"data": rows})
    page = containers.folder_children(client(), "Active!427")
    assert [type(item) for item in page.items] == [Container, Document]


@responses.activate
def test_libraries_without_link_sites() -> None:
    rows = [
        {"id": "Active", "type": "worksite", "display_name": "Active matters"},
        {"id": "Old", "is_hidden": True},
        {"id": "Links", "type": "linksite"},
        {"type": "worksite"},
    ]
    responses.get(f"{BASE}/libraries", json={"data": rows})
    assert containers.libraries(client()) == (
        Library("Active", "Active matters"),
        Library("Old", "Old", hidden=True),
    )


@responses.activate
def test_single_containers_and_rights() -> None:
    responses.get(f"{BASE}/libraries/Active/workspaces/Active!88231", json={"data": workspace_row()})
    responses.get(f"{BASE}/libraries/Active/folders/Active!427", json={"data": folder_row()})
    assert containers.workspace(client(), "Active!88231").name == "Project Heron"
    assert containers.folder(client(), "Active!427").parent_id == "Active!88231"


@responses.activate
def test_an_empty_object_is_not_a_folder() -> None:
    responses.get(f"{BASE}/libraries/Active/folders/Active!427", json={"data": {}})
    with pytest.raises(NotIManageError):
        containers.folder(client(), "Active!427")


@responses.activate
def test_profiles_and_versions() -> None:
    url = f"{BASE}/libraries/Active/documents/Active!104512.3"
    responses.get(url, json={"data": document_row()})
    responses.get(
        f"{url}/versions", json={"data": [document_row(), document_row(id="Active!104512.1", version=1), {}]}
    )
    documents.profile(client(), VersionId("Active", 104512, 3), latest=True, operations=True)
    query = parse_qs(urlsplit(str(responses.calls[0].request.url)).query)
    assert query == {"is_latest": ["true"], "include_operations": ["true"]}
    found = documents.versions(client(), VersionId("Active", 104512, 3))
    assert ([each.version for each in found.items], found.unreadable) == ([1, 3], 1)


@pytest.mark.parametrize("hostile", ["Active!1/../2", "../x!1", "Active!1\n", ""])
@responses.activate
def test_hostile_ids_never_leave(hostile: str) -> None:
    asks: list[Callable[[Client], Any]] = [
        lambda c: containers.workspace(c, hostile),
        lambda c: containers.folder_children(c, hostile),
        lambda c: containers.favourites(c, hostile),
        lambda c: containers.my_matters(c, "Active", hostile),
        lambda c: documents.profile(c, VersionId(hostile, 1, 1)),
        lambda c: documents.search(c, "x", container_id=hostile) if hostile else VersionId.parse(hostile),
        lambda c: documents.versions(c, VersionId(hostile, 1, 1)),
        lambda c: documents.download(c, VersionId(hostile, 1, 1)),
    ]
    for ask in asks:
        with pytest.raises(BadIdError):
            ask(client())
    assert len(responses.calls) == 0
