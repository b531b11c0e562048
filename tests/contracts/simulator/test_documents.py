"""Profiles, downloads, uploads, versions and locks."""

from __future__ import annotations

import hashlib
import json
import resource
import time
from collections.abc import Iterator

import pytest
import requests

from simulator import Document, Simulator
from tests.contracts.simulator.caller import Caller


def spa(sim: Simulator) -> Document:
    return sim.world.named("SPA – Project Heron")


def drafts(sim: Simulator) -> str:
    return sim.world.folder("Drafts").id


def test_a_profile_has_the_fields_of_the_page(alice: Caller) -> None:
    document = spa(alice.sim)
    row = alice.data(f"documents/{document.id()}?include_operations=true")
    assert row["id"] == f"Active!{document.number}.3"
    assert (row["database"], row["version"], row["latest"], row["is_latest"]) == ("ACTIVE", 3, "3", True)
    assert (row["name"], row["extension"], row["type"]) == ("SPA – Project Heron", "DOCX", "WORDX")
    assert row["checksum"] == "SHA256:" + document.latest.content.sha256.upper()
    assert row["size"] == document.latest.content.size
    assert row["operations"]["create_new_version"] is True
    assert row["document_url"] == f"{alice.sim.url}/work/link/d/{row['id']}"
    old = f"documents/Active!{document.number}.1"
    assert alice.data(old)["is_latest"] is False
    assert alice.data(old + "?is_latest=true")["version"] == 3


@pytest.mark.parametrize(
    "wrong", ["Active!999999.1", "Active!1645.99", "Knowledge!1645.1", "x", "Active!1645.b"]
)
def test_what_is_not_there_is_404(alice: Caller, wrong: str) -> None:
    for path in (f"documents/{wrong}", f"documents/{wrong}/download"):
        answer = alice.get(path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NRC_NO_RECORD")


def test_checksums_can_lie_or_be_absent(sim: Simulator, alice: Caller) -> None:
    sim.settings.checksum = "absent"
    assert "checksum" not in alice.data(f"documents/{spa(sim).id()}")
    sim.settings.checksum = "wrong"
    assert alice.data(f"documents/{spa(sim).id()}")["checksum"] == "SHA256:" + "0" * 64


def test_each_version_is_downloaded_as_it_is(alice: Caller) -> None:
    document = spa(alice.sim)
    for version in document.versions:
        answer = alice.get(f"documents/{document.id(version)}/download")
        assert hashlib.sha256(answer.content).hexdigest() == version.content.sha256
        assert (
            "filename*=UTF-8''SPA%20%E2%80%93%20Project%20Heron.docx" in answer.headers["Content-Disposition"]
        )
    newest = alice.get(f"documents/Active!{document.number}.1/download?latest=true")
    assert newest.content == b"".join(document.latest.content.blocks())
    assert alice.get(f"documents/Active!{document.number}/download").status_code == 400


def test_ranges_are_a_dial(sim: Simulator, alice: Caller) -> None:
    path = f"documents/{sim.world.named('Data room index').id()}/download"
    size = 10 << 20
    part = alice.get(path, headers={"Range": "bytes=1048570-1048585"})
    whole = alice.get(path).content
    assert len(whole) == size
    assert (part.status_code, part.content) == (206, whole[1048570:1048586])
    assert part.headers["Content-Range"] == f"bytes 1048570-1048585/{size}"
    assert alice.get(path, headers={"Range": "bytes=-5"}).content == whole[-5:]
    assert alice.get(path, headers={"Range": f"bytes={size}-"}).status_code == 416
    sim.settings.range_supported = False
    assert alice.get(path, headers={"Range": "bytes=0-1"}).status_code == 200


def test_an_empty_file_is_nothing_in_full(alice: Caller) -> None:
    answer = alice.get(f"documents/{alice.sim.world.named('Empty file').id()}/download")
    assert (answer.status_code, answer.content, answer.headers["Content-Length"]) == (200, b"", "0")


def test_a_gibibyte_streams_and_has_the_hash_that_its_profile_says(alice: Caller) -> None:
    document = alice.sim.world.named("Server image (1 GiB)")
    digest, size = hashlib.sha256(), 0
    with alice.get(f"documents/{document.id()}/download", stream=True) as answer:
        for block in answer.iter_content(1 << 20):
            digest.update(block)
            size += len(block)
    assert size == 1 << 30
    assert "SHA256:" + digest.hexdigest().upper() == alice.data(f"documents/{document.id()}")["checksum"]


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


def test_names_can_be_mended_and_doubles_refused(sim: Simulator, alice: Caller) -> None:
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


def test_a_version_can_appear_behind_ones_back(alice: Caller) -> None:
    document = alice.sim.world.named("Board minutes – Project Heron")
    alice.sim.world.add_version(document, b"newer", "BRAM")
    row = alice.data(f"documents/{document.id()}?is_latest=true")
    assert row["version"] == document.latest.number + 1
    assert row["last_user"] == "BRAM"


def test_locks(alice: Caller, bram: Caller) -> None:
    document = alice.sim.world.named("Heads of terms – Project Heron")
    path = f"documents/{document.id()}"
    assert alice.get(f"{path}/checkout").status_code == 404
    assert alice.call("POST", f"{path}/lock", json={"comments": "Mine"}).status_code == 200
    held = bram.data(f"{path}/checkout")
    assert (held["comments"], held["in_use_by"]) == ("Mine", "ALICE")
    row = bram.data(path)
    assert (row["is_checked_out"], row["in_use_by"]) == (True, "ALICE")
    for refused in (
        bram.call("POST", f"{path}/lock"),
        bram.send("POST", f"{path}/versions", b"x"),
        bram.send("PUT", f"{path}/file", b"x"),
    ):
        assert refused.status_code == 409
    assert bram.data(f"{path}/operations")["create_new_version"] is False
    assert document.id() in {one["id"] for one in alice.data("documents/checked-out")}
    assert alice.call("PATCH", path, json={"comment": "c"}).status_code == 409
    kept = alice.send("POST", f"{path}/versions", b"x", keep_locked=True).json()["data"]
    assert kept["is_checked_out"] is True
    assert alice.call("DELETE", f"documents/{kept['id']}/lock").status_code == 200
    assert alice.call("DELETE", f"documents/{kept['id']}/lock").status_code == 404
    taken = alice.call("POST", f"documents/{kept['id']}/checkout")
    assert taken.content == b"x"
    assert alice.call("DELETE", f"documents/{kept['id']}/lock").status_code == 200
    assert (
        alice.call("PATCH", f"documents/{kept['id']}", json={"comment": "c"}).json()["data"]["comment"] == "c"
    )


def test_documents_that_somebody_else_has(alice: Caller) -> None:
    row = alice.data(f"documents/{alice.sim.world.named('Disclosure letter').id()}")
    assert (row["in_use_by"], row["checkout_date"]) == ("CAROL", "2026-10-02T08:30:00Z")


def test_the_path_and_the_parents(alice: Caller) -> None:
    document = spa(alice.sim)
    (way,) = alice.data(f"documents/{document.id()}/path")
    assert [one["name"] for one in way] == ["Project Heron", "Drafts"]
    parents = alice.call(
        "POST", "documents/parents", json={"document_numbers": [document.number], "limit": 5}
    )
    assert [one["name"] for one in parents.json()["data"]] == ["Drafts"]


def test_a_version_and_a_document_can_be_deleted(alice: Caller) -> None:
    made = alice.send(
        "POST", f"folders/{drafts(alice.sim)}/documents", b"one", {"name": "Goes", "extension": "txt"}
    ).json()["data"]
    alice.send("POST", f"documents/{made['id']}/versions", b"two")
    assert alice.call("DELETE", f"documents/{made['id']}").status_code == 204
    assert alice.get(f"documents/{made['id']}").status_code == 404
    last = f"documents/Active!{made['document_number']}.2"
    assert alice.call("DELETE", last).status_code == 204
    assert alice.get(last).status_code == 404


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


def test_web_links_show_the_document_to_who_is_signed_in(sim: Simulator) -> None:
    link = f"{sim.url}/work/link/d/{spa(sim).id()}"
    with requests.Session() as browser:
        page = browser.get(link, timeout=5)
        assert "/login" in page.url
        form = {"username": "alice", "password": "alice-practice"}
        shown = browser.post(page.url, data=form, timeout=5)
        assert shown.url == link
        assert "SPA – Project Heron.docx" in shown.text
        assert "Practice iManage: not a real system" in shown.text
        assert browser.get(f"{link}/download", timeout=5).content.startswith(b"PK")
        assert "Project Heron" in browser.get(f"{sim.url}/work/web", timeout=5).text
        hidden = sim.world.folder("Project Kestrel")
        assert browser.get(f"{sim.url}/work/link/w/{hidden.id}", timeout=5).status_code == 404
        elsewhere = browser.post(
            f"{sim.url}/login?next=//evil.example/", data=form, allow_redirects=False, timeout=5
        )
        assert elsewhere.headers["Location"] == "/work/web"


def test_three_hundred_calls_a_second(alice: Caller) -> None:
    path = f"documents/{spa(alice.sim).id()}"
    rates = []
    for _ in range(6):
        began = time.perf_counter()
        for _ in range(40):
            alice.get(path)
        rates.append(40 / (time.perf_counter() - began))
    assert max(rates) > 300
