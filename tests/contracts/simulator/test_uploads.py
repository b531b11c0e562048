"""New documents, new versions and replaced files: stored content, and refusals that store nothing."""

from __future__ import annotations

import hashlib
import json
import resource
from collections.abc import Iterator

import pytest

from simulator import Simulator
from tests.contracts.simulator.caller import Caller


def drafts(sim: Simulator) -> str:
    return sim.world.folder("Drafts").id


def test_a_new_document_is_stored_as_sent(alice: Caller) -> None:
    content = b"\r\n--boundary\x00" + bytes(range(256)) * 5000
    sent = alice.send(
        "POST",
        f"folders/{drafts(alice.sim)}/documents",
        content,
        {"name": "Ünïcode – 契約", "extension": "docx", "custom3": "X", "comment": "c"},
        audit={"comments": "Filed by the product"},
        inherit_profile_from_folder=True,
    )
    assert sent.status_code == 201
    row = sent.json()["data"]
    assert (row["version"], row["type"], row["custom3"], row["author"]) == (1, "WORDX", "X", "ALICE")
    assert row["custom1"] == "10042", "taken from the workspace"
    assert row["checksum"] == "SHA256:" + hashlib.sha256(content).hexdigest().upper()
    assert alice.get(f"documents/{row['id']}/download").content == content
    stored = alice.sim.world.document("Active", row["document_number"])
    assert stored and stored.latest.content.sha256 == hashlib.sha256(content).hexdigest()
    assert alice.data(f"documents/{row['id']}/history")[0]["comments"] == "Filed by the product"


def test_a_profile_part_with_a_file_name_is_read_too(alice: Caller) -> None:
    text = json.dumps({"doc_profile": {"name": "Blob", "type": "ACROBAT"}})
    parts = {"file": ("a.pdf", b"%PDF"), "profile": ("blob", text, "application/json")}
    answer = alice.call("POST", f"folders/{drafts(alice.sim)}/documents", files=parts)
    assert answer.json()["data"]["extension"] == "PDF"


@pytest.mark.parametrize(
    ("profile", "field"),
    [
        ({"extension": "docx"}, "name"),
        ({"name": "x"}, "extension"),
        ({"name": "a/b", "extension": "docx"}, "name"),
        ({"name": "x" * 255, "extension": "docx"}, "name"),
        ({"name": "x", "extension": "docx", "colour": "red"}, "colour"),
        ({"name": "x", "extension": "docx", "class": "NONE"}, "class"),
        ({"name": "x", "extension": "docx", "class": "AGREEMENT"}, "custom2"),
        ({"name": "x", "extension": "docx", "author": "NOBODY"}, "author"),
    ],
)
def test_a_bad_profile_is_refused_by_field_and_nothing_is_stored(
    alice: Caller, profile: dict[str, str], field: str
) -> None:
    before = alice.sim.world.documents("Active"), list(alice.sim.files())
    answer = alice.send("POST", f"folders/{drafts(alice.sim)}/documents", b"x", profile)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "NRC_INVALID_PARAM")
    assert error["messages"][0]["field"] == field
    assert (alice.sim.world.documents("Active"), list(alice.sim.files())) == before


def test_a_missing_required_field_can_be_a_warning(alice: Caller) -> None:
    answer = alice.send(
        "POST",
        f"folders/{drafts(alice.sim)}/documents",
        b"x",
        {"name": "Agreement", "extension": "docx", "class": "AGREEMENT"},
        warnings_for_required_and_disabled_fields=True,
    )
    assert answer.json()["warnings"] == [{"field": "custom2", "error": "This field is required"}]


def test_names_can_be_cleaned_and_duplicates_refused(sim: Simulator, alice: Caller) -> None:
    sim.settings.name_rule = "replace"
    path, profile = f"folders/{drafts(sim)}/documents", {"name": "a/b", "extension": "txt"}
    assert alice.send("POST", path, b"x", profile).json()["data"]["name"] == "a_b"
    sim.settings.duplicate_names = False
    assert alice.send("POST", path, b"x", profile).status_code == 409


def test_size_and_form_are_checked(sim: Simulator, alice: Caller) -> None:
    path = f"folders/{drafts(sim)}/documents"
    assert alice.call("POST", path, json={"doc_profile": {}}).status_code == 415
    sim.settings.max_upload_bytes = 10
    assert alice.send("POST", path, b"x" * 11, {"name": "n", "extension": "txt"}).status_code == 413


def test_who_may_only_read_cannot_write(bram: Caller) -> None:
    closed = bram.sim.world.folder("Read only")
    refused = bram.send("POST", f"folders/{closed.id}/documents", b"x", {"name": "n", "extension": "txt"})
    assert refused.status_code == 403
    inside = bram.sim.world.documents_in(closed)[0]
    assert (
        bram.send("POST", f"documents/{inside.id()}/versions", b"x", {"extension": "pdf"}).status_code == 403
    )
    assert bram.data(f"documents/{inside.id()}/operations")["create_new_version"] is False


def test_versions_grow_and_a_file_can_be_replaced(alice: Caller) -> None:
    made = alice.send(
        "POST", f"folders/{drafts(alice.sim)}/documents", b"one", {"name": "Grows", "extension": "txt"}
    ).json()["data"]
    second = alice.send("POST", f"documents/{made['id']}/versions", b"two")
    assert second.status_code == 201
    assert (second.json()["data"]["version"], second.json()["data"]["extension"]) == (2, "TXT")
    assert second.json()["data"]["id"] == f"Active!{made['document_number']}.2"
    replaced = alice.send("PUT", f"documents/{second.json()['data']['id']}/file", b"two again")
    assert (replaced.status_code, replaced.json()["data"]["version"]) == (200, 2)
    rows = alice.data(f"documents/{made['id']}/versions")
    assert [(one["version"], one["is_latest"]) for one in rows] == [(1, False), (2, True)]
    bytes_of = [alice.get(f"documents/{one['id']}/download").content for one in rows]
    assert bytes_of == [b"one", b"two again"]
    activities = [line["activity"] for line in alice.data(f"documents/{made['id']}/history")]
    assert activities == ["Replace", "Create Version", "Create"]


def test_a_large_upload_takes_little_memory(alice: Caller) -> None:
    class Parts:
        """A sized body, so that this test holds little memory too."""

        head = (
            b'--b\r\nContent-Disposition: form-data; name="profile"\r\nContent-Type: application/json\r\n\r\n'
            b'{"doc_profile":{"name":"Large","extension":"dat"}}\r\n'
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="l"\r\n\r\n'
        )
        tail = b"\r\n--b--\r\n"
        block, count = b"\x0d\x0a-x" * (1 << 18), 200

        def __len__(self) -> int:
            return len(self.head) + len(self.block) * self.count + len(self.tail)

        def __iter__(self) -> Iterator[bytes]:
            yield self.head
            for _ in range(self.count):
                yield self.block
            yield self.tail

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answer = alice.call(
        "POST",
        f"folders/{drafts(alice.sim)}/documents",
        data=Parts(),
        headers={"Content-Type": "multipart/form-data; boundary=b"},
    )
    assert answer.json()["data"]["size"] == 200 << 20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10
