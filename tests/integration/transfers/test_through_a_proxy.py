"""Transfers through the firm's outbound proxy, which asks for a sign-in, and what it does to them when it fails."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from imanage import client as imanage_client
from imanage.guard import Limits
from models import Server
from services.core import runtime
from services.core.unit_of_work import unit_of_work
from services.execution import queue
from services.servers import transport
from services.transfers.states import ItemState
from simulator import Simulator
from tests.support.fault_proxy import FaultProxy, Harm, fault_proxy
from tests.support.loopback_servers import line
from tests.support.outbound_proxy import PASSWORD, SOURCE, USER, OutboundProxy, outbound_proxy
from tests.support.pages import Browser
from tests.support.server_checks import answer
from tests.support.settings import change_settings
from tests.support.transfers import (
    Desk,
    carry,
    drafts_id,
    get,
    items_of,
    make_desk,
    save,
    sha256,
    skip_wait,
    stored,
    versions,
)

NAME = "SPA – Project Heron"
ITS_CALLS = ("/work/api", "/auth/oauth2/token", "/api")


@dataclass
class Way:
    """The proxy, the line to it, and how to change the installation's settings for it."""

    proxy: OutboundProxy
    line: FaultProxy
    practice: Simulator

    def settings(self, **changed: Any) -> None:
        """As after a restart with other settings."""
        change_settings(**changed)
        transport._sessions.clear()

    def mend(self) -> None:
        self.line.mend()
        self.settings(
            outbound_proxy_login=(USER, PASSWORD), outbound_proxy=f"http://127.0.0.1:{self.line.port}"
        )

    def only_ours(self) -> bool:
        """Whether every call of the product came from the proxy."""
        ours = [call for call in self.practice.requests if call.path.startswith(ITS_CALLS)]
        return bool(ours) and {call.client for call in ours} == {SOURCE}


@pytest.fixture
def way(practice: Simulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Way]:
    short = Limits(connect_seconds=3, read_seconds=5, total_seconds=15, upload_response_seconds=8)
    monkeypatch.setattr(transport, "Limits", lambda: short)
    monkeypatch.setattr(imanage_client, "_FIRST_BACKOFF", 0.01)
    usual = runtime.runtime()
    with (
        outbound_proxy(practice.port, signs_in=True) as proxy,
        fault_proxy(("127.0.0.1", proxy.port)) as near,
    ):
        found = Way(proxy, near, practice)
        found.settings(no_proxy=("other.firm.test",))
        found.mend()
        yield found
    runtime.bind(usual)
    transport._sessions.clear()


@pytest.fixture
def content() -> bytes:
    """In one test only: the folder in the practice iManage is that of all."""
    return f"saved through a proxy {uuid.uuid4()}\n".encode() * 3_000


@pytest.fixture
def desk(way: Way, browser: Browser, practice: Simulator) -> Desk:
    """A member who has signed in to iManage, which the proxy carried as well."""
    return make_desk(browser, practice)


def test_sign_in_get_and_save_go_through_the_proxy_and_no_other_way(
    way: Way, desk: Desk, content: bytes
) -> None:
    (item,) = items_of(get(desk, desk.practice.world.named(NAME).id()))
    assert carry(item.id).state == ItemState.DONE
    document_id = desk.add_document("Deed.docx", content)
    (item,) = items_of(save(desk, document_id, "new_document", drafts_id(desk)))
    assert carry(item.id).state == ItemState.DONE
    assert stored(desk, "Drafts").count(sha256(content)) == 1
    assert way.only_ours()


def goes_by(port: int) -> Callable[[Way], None]:
    """Another proxy takes its place."""

    def breaks(way: Way) -> None:
        way.line.cut_all()
        way.settings(outbound_proxy=f"http://127.0.0.1:{port}")

    return breaks


def down(way: Way) -> None:
    way.line.refuse()


def wrong_password(way: Way) -> None:
    way.line.cut_all()
    way.settings(outbound_proxy_login=(USER, "not the password"))


def stalls(way: Way) -> None:
    way.line.cut_all()
    way.line.is_silent = True


NO_TUNNEL: dict[str, tuple[Callable[[Way], None], str]] = {
    "down": (down, ""),
    "wrong password": (wrong_password, ".sign_in"),
    "stalls": (stalls, ".silent"),
}


@pytest.mark.parametrize("name", [*NO_TUNNEL, "refuses CONNECT", "has no way to the server"])
def test_without_a_tunnel_both_kinds_wait_and_are_done_once_it_is_back(
    way: Way, desk: Desk, content: bytes, name: str
) -> None:
    """Nothing is lost, nothing doubled, and the person reads that it is the proxy."""
    no_way = answer(b"503 Service Unavailable", b"<html>no</html>")
    with outbound_proxy(1, signs_in=True) as other, line(lambda near: near.sendall(no_way)) as lost:
        others = {
            "refuses CONNECT": (goes_by(other.port), ".refused"),
            "has no way to the server": (goes_by(lost.port), ".gateway"),
        }
        wait_and_resume(way, desk, content, *(NO_TUNNEL | others)[name])


def wait_and_resume(way: Way, desk: Desk, content: bytes, breaks: Callable[[Way], None], code: str) -> None:
    (got,) = items_of(get(desk, desk.practice.world.named(NAME).id()))
    document_id = desk.add_document("Deed.docx", content)
    (saved,) = items_of(save(desk, document_id, "new_document", drafts_id(desk)))
    breaks(way)
    for item in (got, saved):
        waiting = carry(item.id)
        assert (waiting.state, waiting.error_code) == (ItemState.WAITING, f"imanage.unreachable.proxy{code}")
        assert "outbound proxy" in waiting.error_sentence and waiting.next_step
        skip_wait(item.id)
    assert stored(desk, "Drafts").count(sha256(content)) == 0 and len(versions()) == 1
    way.mend()
    for item in (got, saved):
        assert carry(item.id).state == ItemState.DONE
    assert stored(desk, "Drafts").count(sha256(content)) == 1 and len(versions()) == 2
    assert way.only_ours()


def test_a_download_that_the_proxy_cuts_is_got_whole(way: Way, desk: Desk) -> None:
    (item,) = items_of(get(desk, desk.practice.world.named(NAME).id()))
    way.line.cut_all()
    way.line.harm = Harm(times=1, is_down=True, what=rb"GET [^ ]*/download")
    for _ in range(3):
        state = carry(item.id).state
        if state == ItemState.DONE:
            break
        assert state == ItemState.WAITING
        skip_wait(item.id)
    assert state == ItemState.DONE and way.line.harm.times == 0
    (version,) = versions()
    assert version.sha256 == desk.practice.world.named(NAME).latest.content.sha256


@pytest.mark.parametrize("before_end", [0, 1], ids=["half-way", "before the last byte"])
def test_an_upload_that_the_proxy_cuts_is_saved_once(
    way: Way, desk: Desk, content: bytes, before_end: int
) -> None:
    document_id = desk.add_document("Deed.docx", content)
    (item,) = items_of(save(desk, document_id, "new_document", drafts_id(desk)))
    way.line.cut_all()
    way.line.harm = Harm(times=1, before_end=before_end)
    for _ in range(4):
        found = carry(item.id)
        if found.state == ItemState.DONE:
            break
        assert found.state in {ItemState.WAITING, ItemState.RESOLVING}
        skip_wait(item.id, sent_long_ago=True)
    assert found.state == ItemState.DONE and way.line.harm.times == 0
    assert stored(desk, "Drafts").count(sha256(content)) == 1


def test_a_server_that_no_proxy_lists_is_reached_directly(way: Way, desk: Desk) -> None:
    way.settings(no_proxy=("127.0.0.0/8",))
    desk.practice.forget_requests()
    (item,) = items_of(get(desk, desk.practice.world.named(NAME).id()))
    assert carry(item.id).state == ItemState.DONE
    assert {call.client for call in desk.practice.requests} == {"127.0.0.1"}


def test_without_the_setting_a_server_that_needs_the_proxy_waits_for_nobody(way: Way, desk: Desk) -> None:
    """It fails with its reason and is not reached directly."""
    with unit_of_work() as writing:
        writing.get_one(Server, desk.server.id).route = transport.THROUGH_PROXY
    (item,) = items_of(get(desk, desk.practice.world.named(NAME).id()))
    way.settings(outbound_proxy="")
    desk.practice.forget_requests()
    failed = carry(item.id)
    assert (failed.state, failed.error_code) == (ItemState.FAILED, "imanage.blocked.no_proxy")
    assert "through a proxy, and none is set" in failed.error_sentence
    assert desk.practice.requests == []
    assert not queue.due(10)
