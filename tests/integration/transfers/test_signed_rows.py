"""A transfer takes names and facts from the rows that the person was shown, if this installation signed them."""

from __future__ import annotations

import time
import uuid
from dataclasses import replace
from typing import Any

import pytest

from imanage.ids import VersionId
from imanage.types import Document
from models import TransferItem
from services.core.unit_of_work import session
from services.transfers import signed_rows
from tests.support.pages import Page
from tests.support.transfers import Desk

NAME = "<b>SPA</b> – Project Heron.docx"


def get(desk: Desk, source: str, *called: str) -> TransferItem:
    answer = desk.browser.post(
        f"/matters/{desk.matter_id}/get/{desk.server.id}",
        {"request_key": str(uuid.uuid4()), "source": [source], "called": list(called)},
    )
    assert answer.status_code == 303
    session().rollback()
    found = session().query(TransferItem).order_by(TransferItem.id.desc()).first()
    assert found is not None
    shown = desk.browser.get(answer.headers["Location"]).get_data(as_text=True)
    assert "<b>" not in shown
    assert found.name in Page(shown).text
    return found


def test_what_waits_is_called_as_the_picker_called_it(desk: Desk) -> None:
    address = f"/matters/{desk.matter_id}/browse/{desk.server.id}"
    listed = desk.browser.post(address, {"q": "SPA"}, htmx=True)
    tick = next(
        control for control in Page(listed.get_data(as_text=True)).controls if "data-called" in control
    )
    item = get(desk, tick["value"], tick["data-called"])
    assert (item.name, item.source_id) == (tick["data-pick"], tick["value"])
    assert item.name != item.source_id


def test_everything_of_a_folder_brings_its_names_along(desk: Desk) -> None:
    url = f"/matters/{desk.matter_id}/everything/{desk.server.id}"
    page = Page(desk.browser.post(url, {"q": "SPA"}, htmx=True).get_data(as_text=True))
    sources = [each["value"] for each in page.controls if each.get("name") == "source"]
    called = [each["value"] for each in page.controls if each.get("name") == "called"]
    rows = signed_rows.read(desk.server.id, desk.actor.id, called)
    assert sources
    assert set(map(str, rows)) == set(sources)
    assert get(desk, sources[0], *called).name == rows[VersionId.parse(sources[0])].name


def test_a_name_is_kept_and_shown_as_text(desk: Desk) -> None:
    item = get(desk, "Active!1.1", signed(desk))
    assert item.name == NAME


@pytest.mark.parametrize(
    "how", ["unsigned", "changed", "of another server", "of another member", "of another document"]
)
def test_what_we_did_not_sign_is_no_row(desk: Desk, how: str) -> None:
    right = signed(desk)
    called = {
        "unsigned": NAME,
        "changed": "x" + right,
        "of another server": signed(desk, server_id=uuid.uuid4()),
        "of another member": signed(desk, member_id=uuid.uuid4()),
        "of another document": signed(desk, number=2),
    }[how]
    item = get(desk, "Active!1.1", called)
    assert (item.name, item.listed, item.size) == ("Active!1.1", None, None)


def signed(
    desk: Desk, number: int = 1, server_id: uuid.UUID | None = None, member_id: uuid.UUID | None = None
) -> str:
    sign = signed_rows.signer(server_id or desk.server.id, member_id or desk.actor.id)
    name, _, extension = NAME.rpartition(".")
    listed = Document(VersionId("Active", number, 1), name, extension, 5, "ab" * 32, latest=1)
    return sign(listed)


def test_a_row_holds_what_was_listed_when_and_by_whom(desk: Desk) -> None:
    item = get(desk, "Active!1.1", signed(desk))
    assert item.listed is not None
    assert 0 <= time.time() - item.listed["at"] < 60
    assert item.listed | {"at": 0} == {
        "name": NAME.removesuffix(".docx"),
        "extension": "docx",
        "size": 5,
        "sha256": "ab" * 32,
        "latest": 1,
        "url": None,
        "at": 0,
        "by": str(desk.actor.id),
    }


@pytest.mark.parametrize(
    "lacking",
    [{"size": None}, {"size": 0}, {"checksum": None}, {"latest": None}, {"name": "x" * 301}],
    ids=lambda lacking: next(iter(lacking)),
)
def test_a_list_that_lacks_something_gives_only_a_name(desk: Desk, lacking: dict[str, Any]) -> None:
    whole = Document(VersionId("Active", 1, 1), "Deed", "docx", 5, "ab" * 32, latest=1)
    text = signed_rows.signer(desk.server.id, desk.actor.id)(replace(whole, **lacking))
    (row,) = signed_rows.read(desk.server.id, desk.actor.id, [text]).values()
    assert row.facts is None
    assert row.name


@pytest.mark.parametrize(
    ("name", "extension"), [("Deed", ""), ("", "docx"), ("a.b", "TAR"), ("Акт 1", "msg")]
)
def test_name_and_extension_come_back(desk: Desk, name: str, extension: str) -> None:
    whole = Document(VersionId("Active", 1, 1), name, extension, 5, "ab" * 32, latest=4)
    text = signed_rows.signer(desk.server.id, desk.actor.id)(whole)
    ((id, row),) = signed_rows.read(desk.server.id, desk.actor.id, [text]).items()
    assert signed_rows.listed(id, row.facts) == replace(whole, extension=extension.lower())
