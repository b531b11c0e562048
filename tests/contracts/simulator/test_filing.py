"""Where documents are: copies, moves, promoted versions, reserved numbers and the trash."""

from __future__ import annotations

import hashlib

from simulator import Container, Document, Simulator
from tests.contracts.simulator.caller import Caller


def agreement(sim: Simulator) -> Document:
    return sim.world.named("Share purchase agreement")


def folder(sim: Simulator, name: str) -> Container:
    return sim.world.folder(name)


def test_a_copy_is_a_document_of_its_own(office: Simulator, archer: Caller) -> None:
    document, target = agreement(office), folder(office, "Superseded")
    old = document.id(document.versions[0])
    made = archer.call("POST", f"documents/{old}/copy", json={"folder_id": target.id})
    row = made.json()["data"]
    assert (made.status_code, row["version"], row["name"]) == (201, 1, "Share purchase agreement")
    assert row["document_number"] != document.number
    assert archer.get(f"documents/{row['id']}/download").content == b"".join(
        document.versions[0].content.blocks()
    )
    search = folder(office, "All agreements").id
    assert archer.call("POST", f"documents/{old}/copy", json={"folder_id": search}).status_code == 400


def test_a_document_is_moved_and_taken_out_of_a_folder(office: Simulator, archer: Caller) -> None:
    document, source, target = agreement(office), folder(office, "Drafts"), folder(office, "Superseded")
    path = f"folders/{source.id}/documents/{document.id()}"
    assert archer.call("POST", f"{path}/move", json={"destination_folder_id": target.id}).status_code == 200
    assert archer.call("POST", f"{path}/move", json={"destination_folder_id": target.id}).status_code == 404
    (way,) = archer.data(f"documents/{document.id()}/path")
    assert way[-1]["name"] == "Superseded"
    last = archer.call("DELETE", f"folders/{target.id}/documents/{document.id()}")
    assert last.status_code == 400, "it is in no other folder"


def test_versions_are_listed_as_the_web_client_asks(office: Simulator, archer: Caller) -> None:
    query = "limit=1&offset=1&total=true&profile_check=true"
    answer = archer.get(f"documents/{agreement(office).id()}/versions?{query}").json()
    assert (answer["total_count"], [one["version"] for one in answer["data"]]) == (2, [2])


def test_an_old_version_is_promoted(office: Simulator, archer: Caller) -> None:
    document = agreement(office)
    made = archer.call("POST", f"documents/{document.id(document.versions[0])}/versions/promote")
    row = made.json()["data"]
    assert (made.status_code, row["version"], row["is_latest"]) == (201, 3, True)
    digest = document.versions[0].content.sha256
    assert hashlib.sha256(archer.get(f"documents/{row['id']}/download").content).hexdigest() == digest


def test_a_number_is_reserved_once(archer: Caller) -> None:
    one, two = archer.data("documents/reserve"), archer.data("documents/reserve")
    assert (one["version"], two["document_number"]) == (1, one["document_number"] + 1)


def test_deleted_versions_are_in_the_trash_until_restored_or_purged(
    office: Simulator, archer: Caller
) -> None:
    document = agreement(office)
    for version in document.versions:
        assert archer.call("DELETE", f"documents/{document.id(version)}").status_code == 204
    rows = archer.data(f"trash-bin/documents?document_number={document.number}")
    assert [one["version"] for one in rows] == [1, 2]
    body = {"folder_ids": [folder(office, "Superseded").id], "comments": "Needed"}
    back = archer.call("POST", f"trash-bin/documents/{rows[1]['id']}/restore", json=body)
    assert back.json()["data"]["version"] == 2
    assert archer.data(f"documents/{rows[1]['id']}/path")[0][-1]["name"] == "Superseded"
    assert archer.call("DELETE", f"trash-bin/documents/{rows[0]['id']}").status_code == 204
    assert archer.data("trash-bin/documents") == []
    assert archer.get(f"documents/{rows[0]['id']}").status_code == 404


def test_a_version_is_restored_where_its_document_is_now(office: Simulator, archer: Caller) -> None:
    document, source, target = agreement(office), folder(office, "Drafts"), folder(office, "Superseded")
    first = document.id(document.versions[0])
    archer.call("DELETE", f"documents/{first}")
    path = f"folders/{source.id}/documents/{document.id()}/move"
    archer.call("POST", path, json={"destination_folder_id": target.id})
    assert archer.call("POST", f"trash-bin/documents/{first}/restore", json={}).status_code == 200
    ways = archer.data(f"documents/{document.id()}/path")
    assert [way[-1]["name"] for way in ways] == ["Superseded"]
    assert len(archer.data(f"documents/{document.id()}/versions")) == 2


def test_a_server_without_trash_deletes_at_once(office: Simulator, archer: Caller) -> None:
    office.settings.trash = False
    document = agreement(office)
    archer.call("DELETE", f"documents/{document.id()}")
    assert archer.data("trash-bin/documents") == []
