"""Receipts: what they state, who gets one, and that every changed byte is found."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import subprocess
import sys
import uuid
from pathlib import Path
from types import ModuleType

import pypdfium2
import pytest
from flask import Flask
from sqlalchemy import select

from commands import receipt
from models import AuditEvent, Document, Installation, Member, Server, SigningKey, Version
from services.core.actor import SYSTEM, Actor
from services.core.unit_of_work import session, unit_of_work
from services.matters import exposure, participants, recycle_bin, versions
from services.operations import keys
from services.receipts import form, signing_keys
from tests.support.matters import add_document, add_server, add_twin, current_version, open_matter
from tests.support.pages import Browser
from tests.support.people import actor_of, make_member
from tests.support.repository import ROOT

Desk = tuple[Browser, uuid.UUID]
SCRIPT = ROOT / "docs" / "verify_receipt.py"


@pytest.fixture
def desk(browser: Browser) -> Desk:
    """A signed-in lead, and the version of a document that was got from iManage."""
    ann = make_member("Ann Łukasz 株", email="ann@firm.test")
    document_id = add_document(actor_of(ann), open_matter(actor_of(ann)), content=b"the lease")
    add_twin(document_id, add_server(), ann.id)
    return browser.sign_in(ann), current_version(document_id)


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """docs/verify_receipt.py, which imports nothing of ours."""
    spec = importlib.util.spec_from_file_location("verify_receipt", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def lead_and_matter(version_id: uuid.UUID) -> tuple[Actor, uuid.UUID]:
    lead = session().scalars(select(Member).where(Member.is_guest.is_(False))).one()
    document = session().get_one(Document, session().get_one(Version, version_id).document_id)
    return actor_of(lead), document.matter_id


def printed(pdf: bytes) -> str:
    return " ".join(pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_bounded().split())


def public_keys() -> list[str]:
    session().rollback()
    return [each.key for each in signing_keys.public_keys()]


def test_a_receipt_states_where_a_version_came_from_and_what_was_done_with_it(
    desk: Desk,
) -> None:
    browser, version_id = desk
    browser.get(f"/versions/{version_id}/download")
    assert "London DMS" in browser.page(f"/versions/{version_id}/receipt").text
    answer = browser.get(f"/versions/{version_id}/receipt.json")
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    facts = form.verify(answer.data, public_keys())
    assert facts["version"]["sha256"] == hashlib.sha256(b"the lease").hexdigest()
    assert facts["document"]["name"] == "Lease.docx"
    (copy,) = facts["imanage"]
    assert (copy["direction"], copy["server"], copy["library"], copy["number"], copy["version"]) == (
        "got",
        "London DMS",
        "Active",
        104512,
        3,
    )
    assert [each["action"] for each in facts["events"]] == ["version.downloaded"]
    (event,) = session().scalars(select(AuditEvent).where(AuditEvent.action == "receipt.issued"))
    assert event.detail["receipt"] == facts["receipt"]["id"]


def test_a_server_that_the_member_cannot_use_is_counted_and_not_named(desk: Desk) -> None:
    browser, version_id = desk
    with unit_of_work() as writing:
        writing.scalars(select(Server)).one().is_restricted = True
    answer = browser.get(f"/versions/{version_id}/receipt.json")
    assert "London" not in answer.text and "104512" not in answer.text
    assert json.loads(answer.data)["imanage_not_shown"] == 1


def test_a_receipt_says_which_guests_could_see_the_version_and_when(desk: Desk) -> None:
    browser, version_id = desk
    lead, matter_id = lead_and_matter(version_id)
    guest = make_member("Gil Guest", organisation="Other Side LLP", is_guest=True)
    participants.add(lead, matter_id, guest.id, "viewer")
    exposure.hold(lead, matter_id, [version_id])
    held = json.loads(browser.get(f"/versions/{version_id}/receipt.json").data)
    assert (held["version"]["shared_at"], held["guests"]) == (None, [])
    exposure.release(lead, matter_id, [version_id])
    shared = json.loads(browser.get(f"/versions/{version_id}/receipt.json").data)
    assert [(each["name"], each["organisation"]) for each in shared["guests"]] == [
        ("Gil Guest", "Other Side LLP")
    ]
    assert shared["version"]["shared_at"] >= shared["version"]["added_at"]
    participants.remove(lead, matter_id, guest.id)
    after = json.loads(browser.get(f"/versions/{version_id}/receipt.json").data)
    assert after["guests"] == []
    assert [(each["action"], each.get("guest"), each.get("guests")) for each in after["events"]] == [
        ("participant.added", "Gil Guest", None),
        ("version.held", None, ["Gil Guest (Other Side LLP)"]),
        ("version.released", None, ["Gil Guest (Other Side LLP)"]),
        ("participant.removed", "Gil Guest", None),
    ]
    assert "Gil Guest" in printed(browser.get(f"/versions/{version_id}/receipt.pdf").data)


def test_a_comparison_is_in_the_receipts_of_both_versions(desk: Desk) -> None:
    browser, _ = desk
    lead, matter_id = lead_and_matter(desk[1])
    document_id = add_document(lead, matter_id, "Note.txt", b"one")
    first = current_version(document_id)
    versions.add(lead, document_id, "Note.txt", io.BytesIO(b"two"), "")
    assert browser.get(f"/documents/{document_id}/compare").status_code == 200
    versions.add(lead, document_id, "Note.txt", io.BytesIO(b"three"), "")
    ids = [row.id for row in versions.history(lead, document_id).rows]
    assert ids[2] == first
    events = [
        [each["action"] for each in json.loads(browser.get(f"/versions/{id}/receipt.json").data)["events"]]
        for id in ids
    ]
    assert events == [[], ["version.compared"], ["version.compared"]]


def test_the_time_in_the_bin_is_in_the_receipt(desk: Desk) -> None:
    browser, version_id = desk
    lead, _ = lead_and_matter(version_id)
    document_id = session().get_one(Version, version_id).document_id
    recycle_bin.remove_document(lead, document_id)
    assert browser.get(f"/versions/{version_id}/receipt.json").status_code == 404
    recycle_bin.restore_document(lead, document_id)
    events = json.loads(browser.get(f"/versions/{version_id}/receipt.json").data)["events"]
    assert [each["action"] for each in events] == ["document.binned", "document.restored"]
    text = printed(browser.get(f"/versions/{version_id}/receipt.pdf").data)
    assert "Moved to the bin" in text and "Restored from the bin" in text


def test_guests_get_no_receipt(app: Flask, desk: Desk) -> None:
    _browser, version_id = desk
    guest = make_member("Gil Guest", organisation="Other Side LLP", is_guest=True)
    lead, matter_id = lead_and_matter(version_id)
    participants.add(lead, matter_id, guest.id, "editor")
    theirs = Browser(app).sign_in(guest)
    assert "Receipt" not in theirs.page(f"/versions/{version_id}/actions", htmx=True).text
    for end in ("receipt", "receipt.json", "receipt.pdf"):
        assert theirs.get(f"/versions/{version_id}/{end}").status_code == 404


def test_every_changed_byte_is_found(desk: Desk, script: ModuleType) -> None:
    browser, version_id = desk
    receipt = browser.get(f"/versions/{version_id}/receipt.json").data
    known = public_keys()
    assert form.verify(receipt, known)["format"] == form.FORMAT
    assert script.verified(receipt) == json.loads(receipt)
    for position in range(len(receipt)):
        changed = bytearray(receipt)
        changed[position] ^= 1 << position % 7
        with pytest.raises(form.NotGenuineError):
            form.verify(bytes(changed), known)
        if position % 40 == 0:
            with pytest.raises((ValueError, KeyError)):
                script.verified(bytes(changed))
    for other in (
        receipt + b" ",
        receipt[:-1],
        b" " + receipt,
        receipt.replace(b",", b", ", 1),
        b"",
        b"[]",
        b"{}",
        b'"\\ud800"',
    ):
        with pytest.raises(form.NotGenuineError):
            form.verify(other, known)


def test_the_script_verifies_offline_with_python_alone(desk: Desk, tmp_path: Path) -> None:
    browser, version_id = desk
    receipt, keys_file, document = tmp_path / "receipt.json", tmp_path / "keys.json", tmp_path / "Lease.docx"
    receipt.write_bytes(browser.get(f"/versions/{version_id}/receipt.json").data)
    keys_file.write_bytes(Browser(browser.app).get("/receipt-keys.json").data)
    document.write_bytes(b"the lease")

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", "-S", str(SCRIPT), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)

    done = run(receipt, "--keys", keys_file, "--file", document)
    assert done.returncode == 0 and done.stdout.startswith("Verified: Lease.docx v1, SHA-256")
    assert "Compare it with the firm’s" in run(receipt).stdout
    document.write_bytes(b"another lease")
    assert "not the one that the receipt is of" in run(receipt, "--file", document).stderr
    keys_file.write_text('{"keys": []}')
    assert "another key signed it" in run(receipt, "--keys", keys_file).stderr
    receipt.write_bytes(receipt.read_bytes().replace(b"Lease", b"Leasf"))
    assert run(receipt).returncode == 1


def test_the_command_verifies_and_refuses(desk: Desk, tmp_path: Path) -> None:
    browser, version_id = desk
    file = tmp_path / "receipt.json"
    file.write_bytes(browser.get(f"/versions/{version_id}/receipt.json").data)
    run = browser.app.test_cli_runner().invoke
    done = run(receipt.group, ["verify", str(file)])
    assert done.exit_code == 0 and "Verified: Lease.docx, version 1." in done.output
    file.write_bytes(file.read_bytes().replace(b"Lease", b"Leasf"))
    done = run(receipt.group, ["verify", str(file)])
    assert done.exit_code == 1 and "has been changed since it was issued" in done.output


def test_the_pdf_is_one_page_with_the_signed_receipt_attached(desk: Desk) -> None:
    browser, version_id = desk
    for _ in range(12):
        browser.get(f"/versions/{version_id}/download")
    answer = browser.get(f"/versions/{version_id}/receipt.pdf")
    assert answer.mimetype == "application/pdf"
    document, words = pypdfium2.PdfDocument(answer.data), printed(answer.data)
    facts = form.verify(bytes(document.get_attachment(0).get_data()), public_keys())
    assert len(document) == 1
    for part in (
        "Custody receipt",
        "Lease.docx",
        "Ann Łukasz \\u682a",
        "104512 v3",
        "4 more not printed here",
        facts["receipt"]["id"],
    ):
        assert part in words
    assert facts["version"]["sha256"] in "".join(words.split())


def test_receipts_of_an_older_key_stay_valid(desk: Desk) -> None:
    browser, version_id = desk
    old = browser.get(f"/versions/{version_id}/receipt.json").data
    signing_keys.rotate(SYSTEM)
    new = browser.get(f"/versions/{version_id}/receipt.json").data
    known = public_keys()
    assert len(known) == 2 and json.loads(new)["signature"]["public_key"] == known[0]
    for each in (old, new):
        form.verify(each, known)
    retired = session().scalars(select(SigningKey).where(SigningKey.retired_at.is_not(None))).one()
    assert retired.private_key is None


def test_the_private_key_is_encrypted_and_a_lost_one_is_replaced(desk: Desk) -> None:
    browser, version_id = desk
    with unit_of_work() as writing:
        writing.add(Installation(id=keys.ROW))
    old = browser.get(f"/versions/{version_id}/receipt.json").data
    row = session().scalars(select(SigningKey)).one()
    assert row.private_key is not None and row.private_key.startswith("v1.")
    with unit_of_work() as writing:
        writing.scalars(select(SigningKey)).one().private_key = "v1.00000000.AAAA"
    page = browser.page(f"/versions/{version_id}/receipt.json", status=400)
    assert "The key that signs receipts cannot be decrypted." in page.text
    keys.discard_undecryptable()
    browser.get(f"/versions/{version_id}/receipt.json")
    assert len(public_keys()) == 2
    form.verify(old, public_keys())
