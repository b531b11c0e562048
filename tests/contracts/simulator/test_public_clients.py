"""What public clients ask for beyond the core: categories, search folders, e-mails, rights, events, forms."""

from __future__ import annotations

import json

import pytest
import requests

from simulator import Container, Document, Simulator
from tests.contracts.simulator.caller import Caller, refused_field


def agreement(sim: Simulator) -> Document:
    return sim.world.named("Share purchase agreement")


def by_name(caller: Caller, path: str) -> dict[str, dict[str, object]]:
    return {str(one["name"]): one for one in caller.data(path)}


# -- favourites, My Matters and their categories --------------------------------------------------------------


def test_a_category_of_favourites_has_a_path_of_its_own(office: Simulator, archer: Caller) -> None:
    rows = by_name(archer, "my-favorites/children")
    assert list(rows) == ["Deals", "Harbour lease", "Drafts"]
    deals = rows["Deals"]
    assert (deals["category_type"], deals["wstype"], "target" in deals) == ("my_favorites", "category", False)
    inside = archer.data(f"my-favorites/categories/{deals['id']}/children")
    assert [one["wstype"] for one in inside] == ["workspace_shortcut", "document"]
    assert archer.get(f"folders/{deals['id']}/children").status_code == 404
    with Caller(office, "bram", "Legal") as bram:
        assert bram.get(f"my-favorites/categories/{deals['id']}/children").status_code == 404


def test_a_category_of_my_matters(archer: Caller) -> None:
    rows = archer.data("users/alice/my-matters/children")
    assert [one["name"] for one in rows] == ["This month"], "the matter inside is not listed beside it"
    path = f"users/alice/my-matters/categories/{rows[0]['id']}/children"
    assert [one["target"]["wstype"] for one in archer.data(path)] == ["workspace"]
    assert archer.get(path.replace("alice", "bram")).status_code == 403


def test_categories_can_come_without_wstype(office: Simulator, archer: Caller) -> None:
    office.settings.category_rows = "without_wstype"
    deals = archer.data("my-favorites/children")[0]
    assert deals["category_type"] == "my_favorites" and "wstype" not in deals


def test_a_custom_field_can_be_one_of_a_list(archer: Caller) -> None:
    rows = archer.data("workspaces?custom1=10042&custom2=0007,0008")["results"]
    assert [one["name"] for one in rows] == ["Harbour lease", "Project Heron"]
    assert archer.data("workspaces?custom2=0007,0009")["results"][0]["custom2"] == "0007"


def test_recent_workspaces_with_fields(archer: Caller) -> None:
    body = {"profile_fields": {"workspace": ["id", "name", "custom2"]}}
    rows = archer.call("POST", "recent-workspaces?total=true", json=body).json()
    assert rows["total_count"] == 2
    assert rows["data"][0].keys() <= {"id", "name", "custom2"}


# -- tabs and search folders ------------------------------------------------------------------------------------


def folder(sim: Simulator, name: str) -> Container:
    return sim.world.folder(name)


def test_a_search_folder_has_three_marks_and_takes_no_documents(office: Simulator, archer: Caller) -> None:
    found = folder(office, "All agreements")
    row = archer.data(f"folders/{found.id}")
    assert (row["folder_type"], row["view_type"]) == ("search", "document_search")
    assert row["is_content_saved_search"] is True
    assert archer.data(f"folders/{found.id}/operations")["add_documents"] is False
    sent = archer.send("POST", f"folders/{found.id}/documents", b"x", {"name": "New", "extension": "txt"})
    assert refused_field(sent) == "folder_id"
    inside = archer.data(f"folders/{found.id}/children")
    assert [one["name"] for one in inside] == ["Share purchase agreement"]


@pytest.mark.parametrize("mark", ["folder_type", "view_type", "saved_search"])
def test_a_search_folder_can_have_one_mark_only(office: Simulator, archer: Caller, mark: str) -> None:
    office.settings.search_folder_marks = (mark,)
    row = archer.data(f"folders/{folder(office, 'All agreements').id}")
    marks = {
        "folder_type": row["folder_type"] == "search",
        "view_type": row["view_type"] == "document_search",
        "saved_search": row["is_content_saved_search"],
    }
    assert [name for name, there in marks.items() if there] == [mark]


def test_a_search_folder_can_be_opened_by_browse_only(office: Simulator, archer: Caller) -> None:
    office.settings.search_folder_children = "browse_only"
    path = f"folders/{folder(office, 'All agreements').id}/children"
    assert archer.get(path).status_code == 400
    body = {"profile_fields": {"document": ["id", "name"], "folder": ["id", "name"]}}
    (row,) = archer.call("POST", f"{path}/browse", json=body).json()["data"]
    assert row == {"id": agreement(office).id(), "name": "Share purchase agreement"}


def test_a_tab_is_a_folder_of_its_own_type(office: Simulator, archer: Caller) -> None:
    rows = by_name(archer, f"workspaces/{folder(office, 'Project Heron').id}/children")
    assert [row["folder_type"] for row in rows.values()] == ["regular", "tab", "search"]
    path = f"folders/{rows['Correspondence']['id']}/documents"
    assert archer.send("POST", path, b"x", {"name": "A", "extension": "txt"}).status_code == 201
    office.settings.document_containers = ("regular",)
    assert archer.send("POST", path, b"x", {"name": "B", "extension": "txt"}).status_code == 400


def test_children_by_type(office: Simulator, archer: Caller) -> None:
    heron, drafts = folder(office, "Project Heron").id, folder(office, "Drafts").id
    tabs = archer.data(f"workspaces/{heron}/children?children_type=tab")
    assert [one["name"] for one in tabs] == ["Correspondence"]
    for asked, kinds in (
        ("all", {"folder", "document"}),
        ("folders", {"folder"}),
        ("document", {"document"}),
    ):
        rows = archer.data(f"folders/{drafts}/children?children_type={asked}")
        assert {one["wstype"] for one in rows} == kinds
    assert archer.get(f"folders/{drafts}/children?children_type=colour").status_code == 400


def test_folders_are_searched_and_listed_without_a_container(office: Simulator, archer: Caller) -> None:
    body = {"filters": {"name": "draft"}, "profile_fields": {"folder": ["name", "folder_type"]}}
    found = archer.call("POST", "folders/search", json=body).json()
    assert found == {"data": [{"name": "Drafts", "folder_type": "regular"}], "overflow": False}
    assert "Leases" not in by_name(archer, "folders?limit=100")
    everywhere = archer.session.get(f"{archer.customer}/folders?limit=100", timeout=5).json()["data"]
    assert {"Drafts", "Leases"} <= {one["name"] for one in everywhere}
    assert "Interviews" not in {one["name"] for one in everywhere}, "behind a wall"


def test_a_folder_is_moved(office: Simulator, archer: Caller) -> None:
    old, new = folder(office, "Superseded"), folder(office, "Project Heron")
    moved = archer.call("POST", f"folders/{old.id}/move", json={"destination_id": new.id})
    assert moved.status_code == 204
    assert archer.data(f"folders/{old.id}")["parent_id"] == new.id
    inside = folder(office, "Drafts")
    for wrong in (inside.id, "Legal!9"):
        refused = archer.call("POST", f"folders/{inside.id}/move", json={"destination_id": wrong})
        assert refused.status_code in (400, 404)


# -- e-mails ---------------------------------------------------------------------------------------------------


def test_an_email_is_a_kind_of_its_own(office: Simulator, archer: Caller) -> None:
    rows = archer.data(f"folders/{folder(office, 'Correspondence').id}/children")
    first, answer = [one for one in rows if one["wstype"] == "email"]
    assert (first["from"], first["to"]) == ("alice@practice.example", "counsel@other.example")
    assert (first["cc"], first["sent_date"]) == ("bram@practice.example", "2026-09-01T09:30:00Z")
    assert answer["received_date"] == "2026-09-01T10:06:00Z"
    assert first["conversation_id"] == answer["conversation_id"] == "HERON-1"
    assert (first["has_attachment"], answer["has_attachment"]) == (True, False)
    assert archer.data(f"documents/{first['id']}")["conversation_count"] == 2
    content = archer.get(f"documents/{first['id']}/download").content
    assert content.startswith(b"From: alice@practice.example\n")


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"sender": "counsel"}, 1),
        ({"recipient": "bram@practice.example"}, 1),
        ({"subject": "completion"}, 2),
        ({"sent_date": "2026-09-01"}, 2),
        ({"received_date": "2026-09-02"}, 0),
        ({"has_attachment": True}, 1),
        ({"email_only": True}, 2),
    ],
)
def test_emails_are_found_by_their_headers(archer: Caller, filters: dict[str, object], count: int) -> None:
    found = archer.call("POST", "documents/search", json={"filters": filters}).json()["data"]
    assert [one["wstype"] for one in found] == ["email"] * count


def test_an_email_is_uploaded_with_its_headers(office: Simulator, archer: Caller) -> None:
    given = {"name": "Hello", "extension": "msg", "from": "a@b.example", "sent_date": "2026-09-03T08:00:00Z"}
    made = archer.send("POST", f"folders/{folder(office, 'Drafts').id}/documents", b"x", given).json()["data"]
    assert (made["wstype"], made["from"], made["subject"]) == ("email", "a@b.example", "Hello")
    assert made["sent_date"] == "2026-09-03T08:00:00Z"
    wrong = archer.send(
        "POST", f"folders/{folder(office, 'Drafts').id}/documents", b"x", given | {"sent_date": "soon"}
    )
    assert refused_field(wrong) == "sent_date"


# -- profiles and records -----------------------------------------------------------------------------------


def test_a_record_cannot_be_edited(office: Simulator, archer: Caller) -> None:
    path = f"documents/{office.world.named('Signed deed').id()}"
    row = archer.data(f"{path}?include_operations=true")
    assert row["is_declared"] is True
    assert not row["operations"]["create_new_version"] and not row["operations"]["update"]
    for refused in (
        archer.send("POST", f"{path}/versions", b"x"),
        archer.send("PUT", f"{path}/file", b"x"),
        archer.call("PATCH", path, json={"comment": "x"}),
        archer.call("POST", f"{path}/lock"),
        archer.call("DELETE", path),
    ):
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "NRC_DECLARED")
    assert archer.get(f"{path}/download").status_code == 200


def test_a_profile_is_changed_with_warnings(office: Simulator, archer: Caller) -> None:
    path = f"documents/{agreement(office).id()}"
    given = {"doc_profile": {"comment": "Final", "custom2": ""}}
    refused = archer.call("PATCH", path, json=given)
    assert refused_field(refused) == "custom2"
    changed = archer.call("PATCH", path, json=given | {"warnings_for_required_and_disabled_fields": True})
    assert changed.json()["data"]["comment"] == "Final"
    assert [one["field"] for one in changed.json()["warnings"]] == ["custom2"]
    assert archer.call("PATCH", path, json={"comment": "Flat"}).json()["data"]["comment"] == "Flat"


def test_forms_name_visible_and_required_fields(office: Simulator, archer: Caller) -> None:
    def required(query: str) -> set[str]:
        rows = archer.data(f"forms/visible-fields?form_type=edit_document{query}")
        assert all(one["visible"] for one in rows)
        return {one["name"] for one in rows if one["required"]}

    assert required("") == {"name"}
    assert required("&class=AGREEMENT") == {"name", "custom2"}
    office.settings.required_fields = {"DOC": ["custom3"]}
    assert required("") == {"name", "custom3"}
    assert archer.get("forms/visible-fields").status_code == 400
    assert archer.get("forms/visible-fields?form_type=edit_document&class=NONE").status_code == 404


def test_types_by_extension(archer: Caller) -> None:
    assert [one["id"] for one in archer.data("types?app_extension=docx")] == ["WORDX"]
    assert archer.data("types?app_extension=dwg") == []


def test_customs_are_searched_within_their_parent(archer: Caller) -> None:
    rows = archer.data("customs/custom2/search?query=lease&parent_alias=10042")
    assert [(one["id"], one["parent"]["id"]) for one in rows] == [("0008", "10042")]
    assert archer.data("customs/custom2/search?parent_alias=1") == []
    assert [one["description"] for one in archer.data("customs/custom1/search")] == ["Harbour Holdings plc"]


def test_templates_of_a_library_and_of_the_customer(archer: Caller) -> None:
    assert [one["id"] for one in archer.data("templates")] == ["LITIGATION", "DEAL"]
    assert [one["name"] for one in archer.data("templates?id=DEAL")] == ["Deal"]
    assert len(archer.session.get(f"{archer.customer}/templates", timeout=5).json()["data"]) == 2


# -- rights --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["documents", "folders", "workspaces"])
def test_security_is_read_and_set(office: Simulator, archer: Caller, kind: str) -> None:
    things = {
        "documents": agreement(office).id(),
        "folders": folder(office, "Drafts").id,
        "workspaces": folder(office, "Project Heron").id,
    }
    path = f"{kind}/{things[kind]}"
    body = {"default_security": "private", "user_trustees": [{"id": "farid", "access_level": "read"}]}
    assert archer.call("PUT", f"{path}/security", json=body).status_code == 200
    row = archer.data(f"{path}/security")
    assert (row["default_security"], row["effective_security"]) == ("private", "full_access")
    assert [(one["id"], one["access_level"]) for one in row["user_trustees"]] == [("FARID", "read")]
    assert archer.data(f"{path}/trustees") == row["user_trustees"]
    with Caller(office, "farid", "Legal") as farid:
        assert farid.get(path).status_code == 200
        assert farid.call("PUT", f"{path}/security", json=body).status_code == 403
    with Caller(office, "bram", "Legal") as bram:
        assert bram.get(path).status_code == 403
    for field, value in (
        ("default_security", "open"),
        ("group_trustees", [{"id": "ALL"}]),
        ("user_trustees", ["a"]),
    ):
        wrong = archer.call("PUT", f"{path}/security", json={field: value})
        assert refused_field(wrong) == field


def test_trustees_can_be_inside_the_profile_of_an_upload(office: Simulator, archer: Caller) -> None:
    given = {"name": "For Farid", "extension": "txt", "default_security": "private"}
    given |= {"user_trustees": [{"id": "FARID", "access_level": "read"}]}
    made = archer.send("POST", f"folders/{folder(office, 'Drafts').id}/documents", b"x", given)
    with Caller(office, "farid", "Legal") as farid:
        assert farid.get(f"documents/{made.json()['data']['id']}").status_code == 200


# -- change events and crawl ------------------------------------------------------------------------------------


def test_change_events_follow_a_cursor(office: Simulator, archer: Caller) -> None:
    start = archer.get("change-events").json()
    assert start["data"] == []
    document, drafts = agreement(office), folder(office, "Drafts")
    archer.send("POST", f"documents/{document.id()}/versions", b"new")
    archer.call("PATCH", f"documents/{document.id()}", json={"comment": "x"})
    made = archer.send("POST", f"folders/{drafts.id}/documents", b"x", {"name": "New", "extension": "txt"})
    new = made.json()["data"]["id"]
    archer.call("DELETE", f"documents/{new}")
    seen, cursor = [], start["cursor"]
    while True:
        page = archer.get(f"change-events?cursor={cursor}&limit=2").json()
        seen += page["data"]
        cursor = page["cursor"]
        if not page["overflow"]:
            break
    actions = [(one["action_type"], one["object_id"]) for one in seen]
    latest = document.id().replace(".2", ".3")
    expected = [("update", latest), ("profile_update", latest), ("insert", new), ("document_link", new)]
    assert actions == [*expected, ("delete", new)]
    assert {one["root_id"] for one in seen} == {folder(office, "Project Heron").id}
    assert archer.get(f"change-events?cursor={cursor}").json()["data"] == []
    only = archer.get(f"change-events?cursor={start['cursor']}&actions=delete&item_types=document").json()
    assert [one["object_id"] for one in only["data"]] == [new]
    assert archer.get(f"change-events?cursor={cursor}&actions=shout").status_code == 400


def test_a_queue_keeps_a_position(archer: Caller) -> None:
    path = "change-events/queues"
    made = archer.call("POST", path, json={"queue_id": "nightly", "event_id": "7"})
    assert (made.status_code, made.json()["data"]["event_id"]) == (201, "7")
    assert archer.call("PUT", f"{path}/nightly", json={"event_id": "9"}).status_code == 200
    assert archer.data(f"{path}/nightly")["event_id"] == "9"
    assert archer.call("DELETE", f"{path}/nightly").status_code == 204
    assert archer.get(f"{path}/nightly").status_code == 404


def test_change_events_can_be_missing(office: Simulator, archer: Caller) -> None:
    office.settings.change_events = False
    assert archer.get("change-events").status_code == 404


def test_only_system_users_crawl(office: Simulator, archer: Caller) -> None:
    path = "sync/documents/crawl"
    assert archer.call("POST", path, json={}).status_code == 403
    with Caller(office, "work_migration", "Legal") as crawler:
        numbers, cursor = [], None
        while True:
            page = crawler.call("POST", path, json={"limit": 4, "cursor": cursor}).json()
            numbers += [one["document_number"] for one in page["data"]]
            cursor = page["cursor"]
            if len(page["data"]) < 4:
                break
    assert len(numbers) == len(set(numbers)) == 7


# -- HTTP -----------------------------------------------------------------------------------------------------


def test_paths_with_two_slashes(office: Simulator, archer: Caller) -> None:
    answer = archer.session.get(f"{archer.customer}//libraries/Legal//types?limit=1", timeout=5)
    assert (answer.status_code, answer.history) == (200, [])


def test_head_of_a_download_has_its_headers(office: Simulator, archer: Caller) -> None:
    document = agreement(office)
    answer = archer.call("HEAD", f"documents/{document.id()}/download")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Content-Length"] == str(document.latest.content.size)
    assert "Share purchase agreement.docx" in answer.headers["Content-Disposition"]


def test_a_public_client_has_no_secret(office: Simulator) -> None:
    form = {"grant_type": "password", "username": "alice", "password": "alice-practice"}

    def token(**more: str) -> requests.Response:
        return requests.post(f"{office.url}/auth/oauth2/token", data=form | more, timeout=5)

    answer = token(client_id="public-client")
    assert answer.status_code == 200
    assert token(client_id="public-client", client_secret="wrong").status_code == 401
    assert token(client_id="counterpart-practice").status_code == 401
    refresh = {"grant_type": "refresh_token", "refresh_token": answer.json()["refresh_token"]}
    again = requests.post(
        f"{office.url}/auth/oauth2/token", data=refresh | {"client_id": "public-client"}, timeout=5
    )
    assert again.status_code == 200


# -- lenient ---------------------------------------------------------------------------------------------------

NAMELESS = (
    "--b\r\nContent-Disposition: form-data; name=profile\r\nContent-Type: application/json\r\n\r\n{profile}\r\n"
    "--b\r\nContent-Disposition: form-data; name=file\r\n\r\nthe bytes\r\n--b--\r\n"
)


@pytest.mark.parametrize("lenient", [True, False])
def test_lenient_servers_take_nameless_files_and_unknown_fields(
    office: Simulator, archer: Caller, lenient: bool
) -> None:
    office.settings.lenient = lenient
    path = f"folders/{folder(office, 'Drafts').id}/documents"
    known = {"name": "Nameless", "extension": "txt"}

    def post(profile: dict[str, object]) -> requests.Response:
        body = NAMELESS.replace("{profile}", json.dumps(profile)).encode()
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        return archer.call("POST", path, data=body, headers=headers)

    nameless = post({"doc_profile": known})
    unknown = archer.send("POST", path, b"x", known | {"colour": "red"})
    beside = archer.send("POST", path, b"x", known, colour="red")
    statuses = [one.status_code for one in (nameless, unknown, beside)]
    assert statuses == ([201] * 3 if lenient else [400] * 3)
    if lenient:
        made = nameless.json()["data"]["id"]
        assert archer.get(f"documents/{made}/download").content == b"the bytes"


# -- pages -------------------------------------------------------------------------------------------------------


def test_pages_show_emails_search_folders_and_changed_settings(office: Simulator) -> None:
    office.settings.lenient = True
    with requests.Session() as browser:
        form = {"username": "alice", "password": "alice-practice"}
        browser.post(f"{office.url}/login", data=form, timeout=5)
        email = office.world.named("Completion on Friday")
        page = browser.get(f"{office.url}/work/link/d/{email.id()}", timeout=5).text
        assert "counsel@other.example" in page and "1 September 2026, 09:30" in page
        found = folder(office, "All agreements")
        assert "class=AGREEMENT" in browser.get(f"{office.url}/work/link/f/{found.id}", timeout=5).text
    control = requests.get(f"{office.url}/_simulator/", timeout=5).text
    assert control.count("<mark>changed</mark>") == 1
    assert "a file part without a name is accepted" in control
