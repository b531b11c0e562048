"""Every fault has its documented effect, once and only for matching calls, and the server recovers."""

from __future__ import annotations

import contextlib
import socket
import time

import pytest
import requests

from simulator import Document, Fault, Simulator
from simulator.faults import KINDS
from tests.contracts.simulator.caller import Caller

DOWNLOAD = r"/download$"


def document(sim: Simulator) -> Document:
    return sim.world.named("Data room index")


# -- matching ---------------------------------------------------------------------------------------------


def test_a_rule_applies_to_its_user_after_and_as_often_as_it_says(
    sim: Simulator, alice: Caller, bram: Caller
) -> None:
    rule = sim.faults.add(
        Fault("status", status=500, method="GET", path="/types", user="bram", after=1, times=2)
    )
    assert [bram.get("types").status_code for _ in range(5)] == [200, 500, 500, 200, 200]
    assert alice.get("types").status_code == 200
    assert sim.faults.times_applied(rule) == 2
    assert [one.faults for one in sim.requests].count(("status",)) == 2


def test_a_rule_can_be_permanent_and_be_removed(sim: Simulator, alice: Caller) -> None:
    rule = sim.faults.add(Fault("status", status=503, path="/types", times=None))
    assert {alice.get("types").status_code for _ in range(4)} == {503}
    sim.faults.remove(rule)
    assert alice.get("types").status_code == 200


def test_an_invalid_rule_is_refused() -> None:
    for wrong in ({"kind": "nonsense"}, {"kind": "status"}):
        with pytest.raises(ValueError):
            Fault(**wrong)
    assert "lost_after" in KINDS


# -- answers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [401, 403, 404, 409, 413, 415, 422, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("html", [False, True])
def test_every_status_as_envelope_or_page(sim: Simulator, alice: Caller, status: int, html: bool) -> None:
    sim.faults.add(Fault("status", status=status, html=html, path="/types"))
    answer = alice.get("types")
    assert answer.status_code == status
    if html:
        assert answer.headers["Content-Type"].startswith("text/html")
        assert "<h1>" in answer.text
    else:
        assert answer.json()["error"]["code"]


def test_a_refusal_can_name_its_field(sim: Simulator, alice: Caller) -> None:
    sim.faults.add(
        Fault("status", status=422, code="NRC_INVALID_PARAM", message="Matter is required", field="custom2")
    )
    error = alice.get("types").json()["error"]
    assert error["code"] == "NRC_INVALID_PARAM"
    assert [(line["field"], line["code_message"]) for line in error["messages"]] == [
        ("custom2", "Matter is required")
    ]


@pytest.mark.parametrize(
    ("reset", "remaining", "retry_after"), [(3, 0, None), (None, None, 7), (None, None, None)]
)
def test_throttling_with_each_header_or_none(
    sim: Simulator, alice: Caller, reset: int | None, remaining: int | None, retry_after: int | None
) -> None:
    sim.faults.add(Fault("throttle", reset=reset, remaining=remaining, retry_after=retry_after))
    answer = alice.get("types")
    assert answer.status_code == 429
    for name, value in (
        ("x-ratelimit-reset", reset),
        ("x-ratelimit-remaining", remaining),
        ("Retry-After", retry_after),
    ):
        assert answer.headers.get(name) == (None if value is None else str(value))


def test_a_real_limit_can_be_set(sim: Simulator, alice: Caller) -> None:
    sim.settings.rate_limit = 3
    answers = [alice.get("types") for _ in range(5)]
    assert [one.status_code for one in answers] == [200, 200, 200, 429, 429]
    assert answers[-1].headers["x-ratelimit-reset"] == "1"


def test_html_json_and_redirect_in_place_of_the_answer(sim: Simulator, alice: Caller) -> None:
    sim.faults.add(Fault("html", path="/types"))
    page = alice.get("types")
    assert (page.status_code, page.text[:15]) == (200, "<!doctype html>")
    sim.faults.clear()
    sim.faults.add(Fault("json", path="/types", body={"error": "odd"}))
    assert alice.get("types").json() == {"error": "odd"}
    sim.faults.clear()
    sim.faults.add(Fault("redirect", path="/types", location="http://elsewhere.example/"))
    moved = alice.get("types", allow_redirects=False)
    assert (moved.status_code, moved.headers["Location"]) == (302, "http://elsewhere.example/")


def test_endless_json_lasts_until_the_client_disconnects(sim: Simulator, alice: Caller) -> None:
    sim.faults.add(Fault("endless_json", path="/types"))
    size = 0
    with alice.get("types", stream=True) as answer:
        for block in answer.iter_content(1 << 16):
            size += len(block)
            if size > 20 << 20:
                break
    assert size > 20 << 20


def test_tokens_can_end_at_a_chosen_call(sim: Simulator, alice: Caller, bram: Caller) -> None:
    sim.faults.add(Fault("expire_tokens", path="/types", user="alice", after=1))
    assert [alice.get("types").status_code for _ in range(3)] == [200, 401, 401]
    assert bram.get("types").status_code == 200


def test_a_call_can_ask_for_the_other_header(sim: Simulator, alice: Caller) -> None:
    sim.faults.add(Fault("require_header", how="bearer", path="/types"))
    assert [alice.get("types").status_code for _ in range(2)] == [401, 200]


def test_checksums_can_be_wrong_for_one_call(sim: Simulator, alice: Caller) -> None:
    for kind, seen in (("wrong_checksum", "SHA256:" + "0" * 64), ("absent_checksum", None)):
        sim.faults.add(Fault(kind, path="/documents/"))
        path = f"documents/{document(sim).id()}"
        assert alice.data(path).get("checksum") == seen
        assert alice.data(path)["checksum"].startswith("SHA256:3EF38F")
        sim.faults.clear()


# -- writes ------------------------------------------------------------------------------------------------


def upload(caller: Caller, name: str, content: bytes = b"bytes") -> requests.Response:
    folder = caller.sim.world.folder("Drafts")
    return caller.send("POST", f"folders/{folder.id}/documents", content, {"name": name, "extension": "txt"})


def stored(sim: Simulator, name: str) -> int:
    return sum(one.latest.name == name for one in sim.world.documents("Active"))


@pytest.mark.parametrize("how", ["reset", "close"])
@pytest.mark.parametrize(("kind", "count"), [("lost_after", 1), ("lost_before", 0)])
def test_an_answer_can_be_lost_after_or_before_the_write(
    sim: Simulator, alice: Caller, kind: str, count: int, how: str
) -> None:
    name = f"Lost {kind} {how}"
    sim.faults.add(Fault(kind, method="POST", path="/documents$", how=how))
    with pytest.raises(requests.exceptions.ConnectionError):
        upload(alice, name)
    assert stored(sim, name) == count
    seen = [one for one in sim.requests if one.method == "POST"]
    assert [one.status for one in seen] == [0]
    assert upload(alice, name).status_code == 201


def test_an_upload_can_be_refused_while_it_is_under_way(sim: Simulator, alice: Caller) -> None:
    sim.faults.add(Fault("reject_early", method="POST", at=1 << 20))
    with contextlib.suppress(
        requests.exceptions.ConnectionError
    ):  # a client that only writes gets a broken pipe
        assert upload(alice, "Early", b"x" * (64 << 20)).status_code == 413
    assert stored(sim, "Early") == 0
    assert sim.requests[-1].bytes_in < 8 << 20
    assert sim.requests[-1].status == 413
    assert upload(alice, "Early").status_code == 201


def test_a_broken_upload_leaves_nothing(sim: Simulator, alice: Caller) -> None:
    before = list(sim.files())
    folder = sim.world.folder("Drafts")
    token = alice.session.headers["X-Auth-Token"]
    head = (
        f"POST /work/api/v2/customers/4242/libraries/Active/folders/{folder.id}/documents HTTP/1.1\r\nHost: x\r\n"
        f"X-Auth-Token: {token}\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000000\r\n\r\n"
        '--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
    )
    with socket.create_connection(("127.0.0.1", sim.port), timeout=5) as wire:
        wire.sendall(head.encode() + b"y" * 300_000)
    # Wait until the aborted call has ended: at its start there is nothing on disk either.
    for _ in range(500):
        if any(one.seconds for one in sim.requests):
            break
        time.sleep(0.02)
    assert sim.requests[-1].status == 0
    assert list(sim.files()) == before


def test_100_continue_is_said_or_withheld(sim: Simulator, alice: Caller) -> None:
    def first_word(wait: float) -> bytes:
        with socket.create_connection(("127.0.0.1", sim.port), timeout=wait) as wire:
            wire.sendall(
                b"POST /auth/oauth2/token HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 12\r\n\r\n"
            )
            try:
                return wire.recv(100)
            except TimeoutError:
                return b""

    assert first_word(2).startswith(b"HTTP/1.1 100 Continue")
    sim.faults.add(Fault("no_continue", path="/token", seconds=1))
    assert first_word(0.3) == b""
