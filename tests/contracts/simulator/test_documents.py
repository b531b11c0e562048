"""Profiles, downloads, versions, locks and web links."""

from __future__ import annotations

import hashlib
import time

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


def test_ranges_are_a_setting(sim: Simulator, alice: Caller) -> None:
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


def test_another_user_can_add_a_version(alice: Caller) -> None:
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


def test_documents_checked_out_by_others(alice: Caller) -> None:
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


def test_web_links_show_the_document_after_sign_in(sim: Simulator) -> None:
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


def test_three_hundred_calls_cost_less_than_a_second_of_a_processor(alice: Caller) -> None:
    """CPU time of this process, which includes the caller's share but no other load."""
    path = f"documents/{spa(alice.sim).id()}"
    rates = []
    for _ in range(6):
        began = time.process_time()
        for _ in range(40):
            alice.get(path)
        rates.append(40 / (time.process_time() - began))
    assert max(rates) > 300
