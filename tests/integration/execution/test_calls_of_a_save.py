"""The calls that a save makes: none whose answer another one has given already."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest

from models import TransferItem
from services.core.unit_of_work import unit_of_work
from services.servers import server_facts
from services.transfers.states import ItemState
from tests.support.transfers import Desk, add_version, carry_all, drafts_id, got_document, save

WHOLE = {"whole_answers": True}


def measured(desk: Desk, **facts: Any) -> None:
    with unit_of_work():
        server_facts.measure(desk.server.id, facts, "10.4")


def calls_of(
    desk: Desk, document_id: uuid.UUID, target: str, target_id: str
) -> tuple[list[str], TransferItem]:
    desk.practice.forget_requests()
    (item,) = carry_all(save(desk, document_id, target, target_id))
    made = [f"{call.method} {call.path}" for call in desk.practice.requests]
    return [
        re.sub(r"/work/api/v2/customers/\w+/libraries/\w+/|/[\w%]+![\d.]+", "", each) for each in made
    ], item


@pytest.fixture
def document_id(desk: Desk) -> uuid.UUID:
    return desk.add_document("Deed.docx", uuid.uuid4().bytes)


def test_a_new_document(desk: Desk, document_id: uuid.UUID) -> None:
    made, item = calls_of(desk, document_id, "new_document", drafts_id(desk))
    read_back = "GET documents"
    assert made == ["GET folders/documents", "POST folders/documents", read_back]
    measured(desk, **WHOLE)
    made, whole = calls_of(desk, document_id, "new_document", drafts_id(desk))
    assert made == ["POST folders/documents"], (
        "The folder is known from a moment ago, the profile from the answer."
    )
    assert item.receipt is not None and whole.receipt is not None
    assert whole.receipt.keys() == item.receipt.keys()
    assert whole.receipt["url"].startswith(desk.server.url) and whole.receipt["full_name"] == "Deed.docx"


@pytest.mark.parametrize(
    ("target", "sent"), [("new_version", "POST documents/versions"), ("replace", "PUT documents/file")]
)
def test_a_version(desk: Desk, target: str, sent: str) -> None:
    document_id, twin = got_document(desk)
    add_version(desk, document_id, uuid.uuid4().bytes)
    measured(desk, **WHOLE)
    made, item = calls_of(desk, document_id, target, twin)
    assert item.state == ItemState.DONE
    assert made == ["GET documents/versions", "GET documents", sent]


def test_without_checksums_the_profile_is_read_once(desk: Desk, document_id: uuid.UUID) -> None:
    desk.practice.settings.checksum = "absent"
    made, item = calls_of(desk, document_id, "new_document", drafts_id(desk))
    assert item.state == ItemState.DONE
    assert made[-2:] == ["POST folders/documents", "GET documents"]
    measured(desk, checksum="absent", **WHOLE)
    made, item = calls_of(desk, document_id, "new_document", drafts_id(desk))
    assert item.state == ItemState.DONE
    assert made[-1] == "POST folders/documents"


def test_an_answer_that_is_not_whole_after_all_is_read_back(desk: Desk, document_id: uuid.UUID) -> None:
    measured(desk, **WHOLE)
    desk.practice.settings.upload_answer = "short"
    made, item = calls_of(desk, document_id, "new_document", drafts_id(desk))
    assert item.state == ItemState.DONE
    assert made[-2:] == ["POST folders/documents", "GET documents"]
