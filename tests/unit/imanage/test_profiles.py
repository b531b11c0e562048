"""Rows with different field names and types become the same values."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from imanage import profiles
from imanage.errors import NotIManageError
from imanage.ids import VersionId
from imanage.responses import Listing, listing, page
from imanage.types import Container, Document
from tests.unit.imanage.support import SHA, document_row, folder_row, workspace_row


def test_a_full_profile() -> None:
    document = profiles.document(document_row(operations={"lock": True, "odd": "x"}))
    assert str(document.id) == "Active!104512.3"
    assert (document.version, document.latest) == (3, 3)
    assert document.checksum == SHA
    assert document.edited_at == datetime(2026, 11, 20, 16, 40, 12, 386000, UTC)
    assert document.full_name == "Share purchase agreement (draft).docx"
    assert document.operations == {"lock": True}
    assert document.url == "https://work.firm.com/work/link/d/Active!104512.3"
    assert not document.is_email


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"size": "12"}, {"size": 12}),
        ({"size": -1}, {"size": None}),
        ({"size": True}, {"size": None}),
        ({"size": 1.5}, {"size": None}),
        ({"size": 2**63}, {"size": None}),
        ({"size": "9" * 19}, {"size": None}),
        ({"name": "a\x00b\ud800c"}, {"name": "ab?c"}),
        ({"comment": "x" * 9000}, {"comment": "x" * 4000}),
        ({"latest": 5}, {"latest": 5}),
        ({"latest": "x"}, {"latest": None}),
        ({"version": None}, {"version": 3}),
        ({"version": "4"}, {"version": 4, "id": VersionId("Active", 104512, 4)}),
        ({"checksum": SHA}, {"checksum": SHA}),
        ({"checksum": "sha-256:" + SHA}, {"checksum": SHA}),
        ({"checksum": "MD5:" + SHA[:32]}, {"checksum": None}),
        ({"checksum": "SHA256:xyz"}, {"checksum": None}),
        ({"checksum": 5}, {"checksum": None}),
        ({"is_in_use": None, "in_use": True}, {"in_use": True}),
        ({"is_checked_out": "true"}, {"is_checked_out": True}),
        ({"is_checked_out": 1}, {"is_checked_out": False}),
        ({"extension": ".Docx"}, {"extension": "Docx"}),
        ({"extension": ""}, {"full_name": "Share purchase agreement (draft)"}),
        (
            {"edit_date": "2026-11-20T16:40:12+01:00"},
            {"edited_at": datetime(2026, 11, 20, 15, 40, 12, tzinfo=UTC)},
        ),
        ({"edit_date": "2026-11-20T16:40:12"}, {"edited_at": datetime(2026, 11, 20, 16, 40, 12, tzinfo=UTC)}),
        ({"edit_date": "yesterday"}, {"edited_at": None}),
        ({"edit_date": 7}, {"edited_at": None}),
        ({"edit_date": "0001-01-01T00:00:00+05:00"}, {"edited_at": None}),
        ({"wstype": "email"}, {"is_email": True}),
        ({"comment": "  "}, {"comment": None}),
        ({"author": 42}, {"author": "42"}),
        ({"name": None}, {"name": ""}),
        ({"operations": []}, {"operations": None}),
    ],
)
def test_fields_are_read_tolerantly(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    document = profiles.document(document_row(**fields))
    assert {name: getattr(document, name) for name in expected} == expected


@pytest.mark.parametrize("given", [None, "", "Active!1/../2", "Active", {}, "Active!x.1"])
def test_a_row_without_a_good_id_is_no_document(given: Any) -> None:
    with pytest.raises(NotIManageError):
        profiles.document(document_row(id=given))


def test_a_document_of_no_version_is_none() -> None:
    assert profiles.document_or_none(document_row(id="Active!7", version=None)) is None


def test_workspaces_and_folders() -> None:
    workspace = profiles.container(workspace_row())
    assert (workspace.kind, workspace.client, workspace.matter) == ("workspace", "Harbour Holdings", "0007")
    assert workspace.workspace_id == "Active!88231"
    folder = profiles.container(folder_row(edit_date="2026-11-20T16:40:12Z", folder_url="https://x/f"))
    assert (folder.kind, folder.library, folder.access) == ("folder", "Active", "read_write")
    assert folder.url == "https://x/f"
    with pytest.raises(NotIManageError):
        profiles.container(folder_row(id="x"))


def test_a_child_is_what_it_says_it_is() -> None:
    read = profiles.item_or_none
    assert isinstance(read(document_row()), Document)
    assert isinstance(read(document_row(wstype="email")), Document)
    assert isinstance(read(folder_row()), Container)
    assert isinstance(read(folder_row(wstype=None)), Container)
    assert isinstance(read(document_row(wstype=None)), Document)
    assert read({"id": "Active!JDOE", "wstype": "user"}) is None
    assert read({"wstype": "document"}) is None


def test_shortcuts_lead_to_what_they_point_at() -> None:
    target = {"id": "Active!9.2", "name": "Deed", "type": "ACROBAT", "extension": "PDF", "wstype": "document"}
    found = profiles.item_or_none(
        {"id": "Active!500", "wstype": "document_shortcut", "name": "Short", "target": target}
    )
    assert isinstance(found, Document)
    assert (str(found.id), found.name) == ("Active!9.2", "Deed")
    folder = {
        "id": "Active!501",
        "wstype": "folder_shortcut",
        "name": "Short",
        "target": {"id": "Active!427"},
    }
    led = profiles.item_or_none(folder)
    assert isinstance(led, Container)
    assert (led.id, led.kind, led.name) == ("Active!427", "folder", "Short")
    workspace = {
        "id": "Active!502",
        "wstype": "workspace_shortcut",
        "target": {"id": "Active!8", "wstype": "workspace"},
    }
    led = profiles.item_or_none(workspace)
    assert isinstance(led, Container)
    assert led.kind == "workspace"


ROW = {"id": "Active!1"}


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({"data": [ROW]}, Listing((ROW,))),
        ({"data": {"results": [ROW]}, "total_count": 9, "cursor": "c"}, Listing((ROW,), 9, None, "c")),
        ({"data": ROW}, Listing((ROW,))),
        ({"data": [], "overflow": False}, Listing((), None, False)),
        ({"data": {}}, Listing(())),
        ({"data": None}, Listing(())),
        ({"data": [ROW, "x", None]}, Listing((ROW,), malformed=2)),
        ({"data": [ROW], "total_count": "9", "cursor": ""}, Listing((ROW,))),
        ({"data": [ROW], "overflow": True}, Listing((ROW,), None, True)),
    ],
)
def test_every_shape_of_a_list(payload: Any, expected: Listing) -> None:
    assert listing(payload) == expected


@pytest.mark.parametrize(
    ("found", "offset", "limit", "more"),
    [
        (Listing((ROW, ROW), total=5), 0, 2, True),
        (Listing((ROW, ROW), total=5), 3, 2, False),
        (Listing((ROW,), total=5), 0, 2, True),
        (Listing((), total=5), 2, 2, False),
        (Listing((ROW, ROW)), 0, 2, True),
        (Listing((ROW,)), 0, 2, False),
        (Listing((ROW,), overflow=True), 0, 2, True),
        (Listing((ROW, ROW), overflow=False), 0, 2, True),
    ],
)
def test_whether_there_is_more(found: Listing, offset: int, limit: int, more: bool) -> None:
    got = page(found, lambda row: row["id"], offset, limit)
    assert (got.more, got.next_offset) == (more, offset + len(found.rows) if more else None)


def test_unreadable_rows_are_left_out_but_counted() -> None:
    got = page(Listing((ROW, {"id": None}), total=9), lambda row: row["id"], 4, 2)
    assert (got.items, got.next_offset, got.unreadable) == (("Active!1",), 6, 1)
    malformed = page(Listing((ROW,), malformed=2), lambda row: row["id"], 0, 3)
    assert (malformed.items, malformed.next_offset, malformed.unreadable) == (("Active!1",), 3, 2)


@pytest.mark.parametrize("id", ["Active!1\x002.1", "Active!\ud8001.1", "Active!1.1\u200b"])
def test_an_id_is_never_corrected_into_another(id: str) -> None:
    assert profiles.document_or_none({"id": id, "version": 1}) is None
    assert profiles.container_or_none({"id": id, "wstype": "folder"}) is None
