"""The network's faults (1 to 26): names, connections, certificates, interrupted or changed responses and uploads."""

from __future__ import annotations

import datetime
import ssl
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from imanage import guard
from models import Connection, Server
from services.core.unit_of_work import unit_of_work
from services.transfers.states import ItemState
from tests.faults.cases import Case, play
from tests.faults.conftest import HOST
from tests.faults.matrix import cells
from tests.faults.scenario import GET, Cell
from tests.faults.scene import Scene
from tests.faults.setting import SIZE
from tests.support.fault_proxy import Harm
from tests.support.loopback_servers import certificate
from tests.support.transfers import sha256

AGAIN = {GET: ItemState.WAITING, "save": ItemState.DONE}
"""A get resumes; a save resolves its outcome, finds the document, and is done."""
LOOKED = {GET: ItemState.WAITING, "save": ItemState.RESOLVING}
"""A save resolves its outcome, does not find the document yet, and waits until it is certain."""


def dial(kind: str, **more: object) -> Callable[[Scene], object]:
    return lambda scene: scene.dial(kind, **more)


def unresolved(answer: str) -> Callable[[Scene], None]:
    def breaks(scene: Scene) -> None:
        scene.names[HOST] = answer
        scene.drop_lines()

    return breaks


def resolved(scene: Scene) -> None:
    scene.names[HOST] = "127.0.0.1"


def harmed(**how: Any) -> Callable[[Scene], None]:
    def breaks(scene: Scene) -> None:
        scene.drop_lines()
        scene.proxy.harm = Harm(times=1, **how)

    return breaks


def unharmed(scene: Scene) -> None:
    scene.proxy.mend()


def swallowed(scene: Scene) -> None:
    scene.drop_lines()
    scene.proxy.harm = Harm(how="swallow", fraction=0.5, times=1)


def dribbles(scene: Scene) -> None:
    """Send the last bytes of a document one by one, or a short response in small pieces."""
    scene.dial("trickle", at=SIZE - 3, rate=10) if scene.is_get else scene.dial("trickle", at=0, rate=2000)


def behind_tls(
    make: Callable[[Path], tuple[ssl.SSLContext, str]], *, trusted: bool
) -> Callable[[Scene], None]:
    """Switch the server to TLS with this certificate."""

    def breaks(scene: Scene) -> None:
        scene.proxy.context, authority = make(scene.folder_here)
        if trusted:
            bundle = scene.folder_here / "authority.pem"
            bundle.write_text(authority)
            scene.setenv("SSL_CERT_FILE", str(bundle))
        guard._trust.cache_clear()
        with unit_of_work() as writing:
            for server in writing.scalars(select(Server)):
                server.url, server.api_url = (
                    url.replace("http:", "https:") for url in (server.url, server.api_url)
                )
            for connection in writing.scalars(select(Connection)):
                connection.base_url = connection.base_url.replace("http:", "https:")

    return breaks


def too_old(folder: Path) -> tuple[ssl.SSLContext, str]:
    context, authority = certificate(folder, HOST)
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context, authority


STORED_LATE = 2.5
"""Seconds after which iManage stores an upload: longer than any timeout, however busy this machine is."""


def until_stored(scene: Scene) -> None:
    """Wait until iManage has stored it."""
    deadline = time.monotonic() + 15
    wanted = sha256(scene.contents[0])
    while not any(
        version.content.sha256 == wanted
        for document in scene.practice.world.documents_in(scene.folder)
        for version in document.versions
    ):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def redirect(location: str) -> Case:
    return Case(dial("redirect", location=location), ItemState.FAILED, ItemState.FAILED)


HOUR = datetime.timedelta(hours=1)
CASES: dict[str, Case] = {
    "name-not-found": Case(unresolved("EAI_NONAME"), ItemState.WAITING, ItemState.DONE, resolved),
    "name-time-out": Case(unresolved("EAI_AGAIN"), ItemState.WAITING, ItemState.DONE, resolved),
    "name-rebound": Case(unresolved("169.254.169.254"), ItemState.FAILED, ItemState.FAILED, resolved),
    "refused": Case(lambda scene: scene.proxy.refuse(), ItemState.WAITING, ItemState.DONE, unharmed),
    "black-hole": Case(lambda scene: scene.proxy.swallow(), ItemState.WAITING, ItemState.DONE, unharmed),
    "tls-expired": Case(
        behind_tls(lambda folder: certificate(folder, HOST, lasts=-HOUR / 2), trusted=True),
        ItemState.FAILED,
        ItemState.FAILED,
    ),
    "tls-wrong-host": Case(
        behind_tls(lambda folder: certificate(folder, "elsewhere.test"), trusted=True),
        ItemState.FAILED,
        ItemState.FAILED,
    ),
    "tls-unknown-authority": Case(
        behind_tls(lambda folder: certificate(folder, HOST), trusted=False),
        ItemState.FAILED,
        ItemState.FAILED,
    ),
    "tls-too-old": Case(behind_tls(too_old, trusted=True), ItemState.FAILED, ItemState.FAILED),
    "reset-in-headers": Case(dial("cut_headers", how="reset"), AGAIN),
    "answer-reset-at-1": Case(dial("cut", fraction=0.01, how="reset"), AGAIN),
    "answer-reset-at-50": Case(dial("cut", fraction=0.5, how="reset"), AGAIN),
    "answer-reset-at-end": Case(dial("cut", at=-1, how="reset"), AGAIN),
    "upload-reset-at-1": Case(harmed(fraction=0.01), ItemState.RESOLVING, ItemState.DONE, unharmed),
    "upload-reset-at-50": Case(harmed(fraction=0.5), ItemState.RESOLVING, ItemState.DONE, unharmed),
    # A server may stop at the closing boundary, or wait for the last byte, which never comes.
    "upload-reset-at-end": Case(
        harmed(before_end=1), (ItemState.RESOLVING, ItemState.DONE), ItemState.DONE, unharmed
    ),
    "early-close": Case(dial("cut", fraction=0.5, how="close"), AGAIN),
    "stall": Case(dial("stall", fraction=0.5, seconds=1.0), AGAIN),
    "silent-upload": Case(swallowed, ItemState.RESOLVING, ItemState.DONE, unharmed),
    "trickle": Case(dribbles, ItemState.DONE),
    "long-body": Case(dial("long_body"), ItemState.DONE),
    "bad-chunk": Case(dial("bad_chunk"), AGAIN),
    "no-length-chunked": Case(dial("no_length"), ItemState.DONE),
    "no-length-close": Case(dial("no_length", how="close"), ItemState.DONE),
    "packed": Case(dial("gzip"), ItemState.DONE),
    "redirect-elsewhere": redirect("https://elsewhere.test/"),
    "redirect-plain": redirect(f"http://{HOST}/"),
    "redirect-loopback": redirect("http://127.0.0.1:22/"),
    "redirect-loop": redirect("?again"),
    "proxy-407": Case(dial("status", status=407, html=True), ItemState.FAILED, ItemState.FAILED),
    "proxy-page-on-content": Case(dial("html"), LOOKED, {GET: ItemState.DONE, "save": ItemState.FAILED}),
    "proxy-page-on-asking": Case(dial("html", where="asking"), ItemState.FAILED, ItemState.FAILED),
    "idle-closed": Case(dial("close_idle", where=".", times=None), (ItemState.DONE, ItemState.RESOLVING)),
    "no-continue": Case(dial("no_continue", seconds=1.0), ItemState.DONE),
    "answered-early": Case(dial("reject_early", at=1000), ItemState.FAILED, ItemState.FAILED),
    "answer-lost": Case(dial("lost_after"), AGAIN),
    "answer-lost-unseen": Case(
        dial("slow", seconds=STORED_LATE), ItemState.RESOLVING, ItemState.DONE, until_stored
    ),
    "request-lost": Case(dial("lost_before"), LOOKED),
    "giant-headers": Case(dial("giant_headers"), AGAIN),
    "endless-json": Case(dial("endless_json", where="asking"), ItemState.FAILED, ItemState.FAILED),
    "changed-byte-down": Case(dial("corrupt", at=10), ItemState.WAITING),
    "changed-byte-up": Case(
        harmed(fraction=0.5, how="change"), ItemState.NEEDS_DECISION, ItemState.NEEDS_DECISION, foreign=1
    ),
}


@pytest.mark.parametrize("cell", cells("network"), ids=lambda cell: cell.id)
def test_network(cell: Cell, scene: Scene) -> None:
    play(scene, CASES[cell.scenario.name])
