"""Files past a virus scanner: what it finds something in is not kept, and without its answer nothing comes in."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from config import Settings, SettingsError
from models import AuditEvent, Member, Version
from services.core import runtime
from services.core.unit_of_work import session
from services.operations import installation_health
from tests.support import matters
from tests.support.pages import Browser, read
from tests.support.people import actor_of, make_member
from tests.support.scanners import EICAR, clamd
from tests.support.settings import change_settings
from tests.support.transfers import Desk, carry, drafts_id, get, items_of, skip_wait

Scan = Callable[[str], None]
AWAY = "clamd:///nowhere/clamd.socket"


@pytest.fixture(scope="module")
def clamd_url() -> Iterator[str]:
    with clamd() as url:
        yield url


@pytest.fixture
def scan_by(database: None) -> Iterator[Scan]:
    usual = runtime.runtime()

    def bind(url: str) -> None:
        change_settings(scan=url)

    yield bind
    runtime.bind(usual)


@pytest.fixture
def ada(database: None) -> Member:
    return make_member("Ada")


def stored() -> int:
    return sum(1 for _ in runtime.runtime().blobs.blobs())


def send(browser: Browser, address: str, content: bytes) -> tuple[int, str]:
    answer = browser.post(address, {"file": (io.BytesIO(content), "Sent.docx"), "note": ""})
    return answer.status_code, read(answer, whole=True).text if answer.status_code != 303 else ""


def infected() -> list[AuditEvent]:
    return session().query(AuditEvent).filter_by(action="file.infected").all()


def test_an_upload_with_something_in_it_is_refused_and_on_record(
    app: Flask, ada: Member, scan_by: Scan, clamd_url: str
) -> None:
    matter_id = matters.open_matter(actor_of(ada))
    document_id = matters.add_document(actor_of(ada), matter_id)
    runtime.runtime().blobs.sweep(timedelta(0))
    scan_by(clamd_url)
    before, browser = stored(), Browser(app).sign_in(ada)
    for address in (f"/matters/{matter_id}/documents/new", f"/documents/{document_id}/versions/new"):
        status, text = send(browser, address, EICAR)
        assert status == 422
        assert (
            "The virus scanner found Eicar-Test-Signature.UNOFFICIAL in this file, so it was not kept."
            in text
        )
    assert session().query(Version).count() == 1
    assert stored() == before
    assert runtime.runtime().blobs.sweep(timedelta(0)) == 0
    events = infected()
    assert [(event.outcome, event.actor_id, event.matter_id) for event in events] == [
        ("refused", ada.id, matter_id)
    ] * 2
    assert events[0].subject == "Sent.docx" and events[0].detail["found"] == "Eicar-Test-Signature.UNOFFICIAL"
    status, _text = send(browser, f"/matters/{matter_id}/documents/new", b"A lease of the wharf")
    assert status == 303


def test_without_an_answer_nothing_is_added(app: Flask, ada: Member, scan_by: Scan) -> None:
    matter_id = matters.open_matter(actor_of(ada))
    scan_by(AWAY)
    before = stored()
    status, text = send(Browser(app).sign_in(ada), f"/matters/{matter_id}/documents/new", b"A lease")
    assert status == 422
    assert "The virus scanner did not respond, so the file could not be checked." in text
    assert stored() == before and session().query(Version).count() == 0


def remote(desk: Desk, content: bytes) -> str:
    folder = desk.practice.world.folder("Drafts", "Active")
    name = f"Sent {uuid.uuid4().hex[:8]}"
    return desk.practice.world.add_document(folder, name, "docx", content).id()


def test_a_get_with_something_in_it_fails_and_keeps_nothing(
    desk: Desk, scan_by: Scan, clamd_url: str
) -> None:
    assert drafts_id(desk)
    scan_by(clamd_url)
    before = stored()
    (item,) = items_of(get(desk, remote(desk, EICAR)))
    failed = carry(item.id)
    assert (failed.state, failed.error_code) == ("failed", "scan.infected")
    assert "found Eicar-Test-Signature" in failed.error_sentence
    assert stored() == before and session().query(Version).count() == 0
    (event,) = infected()
    assert event.matter_id == desk.matter_id and event.actor_id == desk.actor.id
    assert not [
        path for path in Path(runtime.runtime().settings.data_dir).rglob("*.part") if path.stat().st_size
    ]
    (clean,) = items_of(get(desk, remote(desk, b"A lease of the wharf")))
    assert carry(clean.id).state == "done"


def test_a_get_waits_for_the_scanner_and_is_not_fetched_twice(
    desk: Desk, scan_by: Scan, clamd_url: str
) -> None:
    scan_by(AWAY)
    (item,) = items_of(get(desk, remote(desk, b"A lease of the wharf")))
    waiting = carry(item.id)
    assert (waiting.state, waiting.error_code) == ("waiting", "scan.away")
    assert waiting.wait_until is not None and session().query(Version).count() == 0
    scan_by(clamd_url)
    desk.practice.forget_requests()
    skip_wait(item.id)
    assert carry(item.id).state == "done"
    assert not [call for call in desk.practice.requests if "/download" in call.path]


def test_doctor_asks_the_scanner(scan_by: Scan, clamd_url: str, tmp_path: Path) -> None:
    def state() -> list[str]:
        return [check.state for check in installation_health.all_checks() if check.name == "scanner"]

    assert state() == []
    scan_by(clamd_url)
    assert state() == ["ok"]
    scan_by(AWAY)
    assert state() == ["fail"]
    program = tmp_path / "finds-all"
    program.write_text("#!/bin/sh\ncat > /dev/null\nexit 1\n")
    program.chmod(0o700)
    scan_by(f"command:{program}")
    assert state() == ["fail"]


@pytest.mark.parametrize(
    "value", ["clamd", "clamd://host/x", "clamd:///", "icap:///x", "icap://host", "command:x", "http://x/y"]
)
def test_a_wrong_scanner_is_named_at_the_start(value: str) -> None:
    with pytest.raises(SettingsError, match="COUNTERPART_SCAN"):
        Settings.from_env({"COUNTERPART_SCAN": value})
